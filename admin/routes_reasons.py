"""The staff's side of reasons for consultation: listed, described, copied, closed; what patients will read."""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal.establishments import Unit
from portal.web.repeated_posts import once
from services.appointments.models import Reason
from services.appointments.reasons import actions, queries
from services.appointments.reasons.actions import NameTaken
from services.appointments.reasons.forms import CopyForm, ReasonForm
from services.appointments.resources import queries as resources

reason_pages = guards.staff(
    Blueprint("admin_reasons", __name__, url_prefix="/admin/motifs", template_folder="templates"),
    right="appointments",
)


def _here() -> frozenset[UUID]:
    return guards.establishments("appointments")


@reason_pages.get("")
def reasons() -> str:
    """Every reason, by hospital and unit; of one unit, by words, or those that are closed."""
    units = queries.units(_here())
    unit = _unit(units, request.args["unit"]) if request.args.get("unit") else None
    closed = request.args.get("closed") == "1"
    wanted = request.args.get("q", "")[:100]
    found = queries.reasons(_here(), unit.id if unit else None, wanted, closed=closed)
    return render_template("admin/reasons/list.html", found=found, units=units, unit=unit, closed=closed, wanted=wanted)


def _unit(units: Sequence[Unit], text: str) -> Unit:
    return next((unit for unit in units if str(unit.id) == text), None) or abort(404)


# -- one reason --------------------------------------------------------------------------------------------------


@reason_pages.get("/<uuid:reason_id>")
def show(reason_id: UUID) -> str:
    """Its rules, what hangs on it, and what patients read."""
    return _page(_one(reason_id), CopyForm(MultiDict()))


@reason_pages.post("/<uuid:reason_id>/copier")
@once
def copy(reason_id: UUID) -> Response | tuple[str, int]:
    """The same rules under another name, closed to everybody until somebody looked at them."""
    reason, form = _one(reason_id), CopyForm()
    if form.validate():
        try:
            made = actions.copy(reason, form.name.data or "")
        except NameTaken:
            form.name.errors = [_taken()]
            return _page(reason, form), 409
        flash(_("Copied. Nobody can book it yet: change what differs, then open it."), "success")
        return redirect(url_for(".change", reason_id=made.id), 303)
    return _page(reason, form), 422


@reason_pages.post("/<uuid:reason_id>/fermer")
def close(reason_id: UUID) -> Response:
    """No new appointment for it."""
    actions.close(_one(reason_id))
    flash(_("This reason is closed: nobody books it any more, and what is booked stays."), "success")
    return redirect(url_for(".show", reason_id=reason_id), 303)


@reason_pages.post("/<uuid:reason_id>/rouvrir")
def reopen(reason_id: UUID) -> Response:
    """Appointments for it again."""
    try:
        actions.reopen(_one(reason_id))
    except NameTaken:
        flash(_taken(), "warning")
    else:
        flash(_("This reason is open again, as its rules say."), "success")
    return redirect(url_for(".show", reason_id=reason_id), 303)


@reason_pages.post("/<uuid:reason_id>/monter")
def move_up(reason_id: UUID) -> Response:
    """One rank higher in its unit's list."""
    reason = _one(reason_id)
    actions.move_up(reason)
    return redirect(url_for(".reasons", unit=reason.unit_id, _anchor=f"reason-{reason.id}"), 303)


def _page(reason: Reason, form: CopyForm) -> str:
    needed = [each for each in resources.pools([reason.establishment_id]) if each.pool.id in queries.pools_of(reason)]
    return render_template(
        "admin/reasons/show.html",
        listed=queries.listed(reason),
        reason=reason,
        form=form,
        needed=needed,
    )


# -- described ---------------------------------------------------------------------------------------------------


@reason_pages.route("/nouveau", methods=["GET", "POST"])
@once
def create() -> Response | tuple[str, int]:
    """Describe a reason that did not exist."""
    units, form = queries.units(_here()), _form()
    if request.method == "GET" and request.args.get("unit"):
        form.unit.data = str(_unit(units, request.args["unit"]).id)
    form.offer(units, _pools(_here()))
    if form.validate_on_submit():
        unit = _unit(units, form.unit.data)
        form.keep_pools_of(unit)
        try:
            made = actions.create(unit, form.facts, form.chosen_pools)
        except NameTaken:
            form.name.errors = [_taken()]
            return _form_page(form, None), 409
        flash(_("The reason is created. Add it to the practitioners’ sessions so that it can be booked."), "success")
        return redirect(url_for(".show", reason_id=made.id), 303)
    return _form_page(form, None), 422 if form.errors else 200


@reason_pages.route("/<uuid:reason_id>/modifier", methods=["GET", "POST"])
def change(reason_id: UUID) -> Response | tuple[str, int]:
    """Change its rules from now on."""
    reason = _one(reason_id)
    form = _form(reason)
    form.offer([reason.unit], _pools([reason.establishment_id]))
    if form.validate_on_submit():
        try:
            actions.change(reason, form.facts, form.chosen_pools)
        except NameTaken:
            form.name.errors = [_taken()]
            return _form_page(form, reason), 409
        flash(_("Saved. Appointments already booked keep their time."), "success")
        return redirect(url_for(".show", reason_id=reason.id), 303)
    return _form_page(form, reason), 422 if form.errors else 200


def _form(reason: Reason | None = None) -> ReasonForm:
    if held := held_forms.take():
        return ReasonForm(formdata=held)
    if reason is None:
        return ReasonForm()
    pools = [str(each) for each in queries.pools_of(reason)]
    return ReasonForm(obj=reason, data={"unit": str(reason.unit_id), "pools": pools})


def _pools(establishments: Sequence[UUID] | frozenset[UUID]) -> Sequence[resources.Pool]:
    return resources.pools(establishments)


def _form_page(form: ReasonForm, reason: Reason | None) -> str:
    listed = queries.listed(reason) if reason else None
    return render_template("admin/reasons/form.html", form=form, reason=reason, listed=listed)


def _one(reason_id: UUID) -> Reason:
    return queries.reason(reason_id, _here()) or abort(404)


def _taken() -> str:
    return str(_("This unit already has a reason of this name: give another name"))
