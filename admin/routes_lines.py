"""Direct lines, for those who administer a hospital: described, closed for a while, removed."""

from collections.abc import Collection
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from auth import guards
from portal import db
from portal.establishments import Unit
from portal.web.repeated_posts import once
from services.lines import actions, queries
from services.lines.forms import DAYS, CloseForm, LineForm
from services.lines.models import Line
from services.lines.wording import weekdays

RIGHT = "administration"
pages = guards.staff(
    Blueprint("admin_lines", __name__, url_prefix="/admin/lignes-directes", template_folder="templates"), right=RIGHT
)
Answer = Response | tuple[str, int]


def _here() -> frozenset[UUID]:
    return guards.establishments(RIGHT)


@pages.get("")
def overview() -> str:
    """The lines of my hospitals, and whether each answers now."""
    return render_template("admin/lines/overview.html", lines=queries.lines(_here()), now=db.now())


@pages.get("/ajouter")
def new() -> str:
    return _form_page(LineForm(MultiDict()))


@pages.post("/ajouter")
@once
def add() -> Answer:
    form = LineForm()
    units = _offer(form)
    if not form.validate():
        return _form_page(form), 422
    line = actions.add_line(units[form.unit.data], form.described)
    flash(_("The line is open to practitioners."), "success")
    return redirect(url_for(".show", line_id=line.id), 303)


@pages.get("/<uuid:line_id>")
def show(line_id: UUID) -> str:
    line = _one(line_id)
    return _form_page(_filled(line), line)


@pages.post("/<uuid:line_id>")
@once
def change(line_id: UUID) -> Answer:
    line, form = _one(line_id), LineForm()
    _offer(form, line)
    if not form.validate():
        return _form_page(form, line), 422
    actions.change_line(line, form.described)
    flash(_("Saved."), "success")
    return redirect(url_for(".overview"), 303)


@pages.post("/<uuid:line_id>/fermer")
def close(line_id: UUID) -> Answer:
    """Nobody answers for now, whatever the hours."""
    line, form = _one(line_id), CloseForm()
    if not form.validate():
        return _form_page(_filled(line), line, form), 422
    actions.close_line(line, (form.note.data or "").strip())
    flash(_("The line is closed: practitioners see what to call instead."), "success")
    return redirect(url_for(".show", line_id=line_id), 303)


@pages.post("/<uuid:line_id>/rouvrir")
def reopen(line_id: UUID) -> Response:
    actions.open_line(_one(line_id))
    flash(_("The line is open again, in its hours."), "success")
    return redirect(url_for(".show", line_id=line_id), 303)


@pages.post("/<uuid:line_id>/supprimer")
def remove(line_id: UUID) -> Response:
    actions.remove_line(_one(line_id))
    flash(_("The line is removed."), "success")
    return redirect(url_for(".overview"), 303)


def _filled(line: Line) -> LineForm:
    told = {
        name: getattr(line, name)
        for name in ("speciality", "label", "number", "answers", "for_what", "not_for", "holidays", "rank",
                     "takes_callbacks", "answer_minutes", "escalation_email")
    }  # fmt: skip
    told |= {"unit": str(line.unit_id), "alternative": str(line.alternative_id or "")}
    return LineForm(MultiDict(), data=told | dict(zip(DAYS, line.week, strict=True)))


def _form_page(form: LineForm, line: Line | None = None, close_form: CloseForm | None = None) -> str:
    _offer(form, line)
    return render_template(
        "admin/lines/line.html",
        form=form,
        line=line,
        names=weekdays(),
        close_form=close_form or CloseForm(MultiDict()),
        now=db.now(),
    )


def _offer(form: LineForm, line: Line | None = None) -> dict[str, Unit]:
    """What may be chosen: the units of the line's hospital, or of all mine for a new one."""
    places: Collection[UUID] = {line.establishment_id} if line else _here()
    # A line stays with its unit: what was asked of it is the unit's.
    units = [unit for unit in queries.units_at(places) if line is None or unit.id == line.unit_id]
    others = [each for each in queries.lines(places) if line is None or each.id != line.id]
    form.offer(units, others, several=len(_here()) > 1)
    return {str(each.id): each for each in units}


def _one(line_id: UUID) -> Line:
    return queries.line(line_id, _here()) or abort(404)
