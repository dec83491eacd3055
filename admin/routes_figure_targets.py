"""What hospitals aim at: set on screen, with every former word, any of which may be set again."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_figures
from admin.figures_chooser import Chooser, chooser
from admin.forms_figure_targets import TargetForm
from auth import guards
from portal import kpi
from portal.kpi import Definition

pages = guards.staff(
    Blueprint("admin_figure_targets", __name__, url_prefix="/admin/chiffres", template_folder="templates"),
    right="administration",
)


@dataclass(frozen=True)
class _Aim:
    """The figure, and where: a hospital, or (None) the whole group."""

    definition: Definition
    place: UUID | None
    chosen: Chooser

    @property
    def today(self) -> date:
        today: date = self.chosen.form.today
        return today


@pages.route("/<code>/cible", methods=["GET", "POST"])
def show(code: str) -> Response | tuple[str, int]:
    """The target of a figure at the hospital of the address, and its history."""
    aim = _aim(code)
    form = TargetForm()
    form.aim(aim.definition, aim.today)
    if form.validate_on_submit():
        return _set(aim, form.number, form.from_on.data or aim.today)
    page = render_template(
        "admin/figures/target.html",
        form=form,
        chooser=aim.chosen,
        definition=aim.definition,
        place=aim.place,
        history=kpi.target_history(aim.definition.code, aim.place),
        now=kpi.targets([aim.definition.code], [aim.place], aim.today).get((aim.definition.code, aim.place)),
    )
    return page, 422 if form.errors else 200


@pages.post("/<code>/cible/<uuid:target_id>/reprendre")
def set_again(code: str, target_id: UUID) -> Response:
    """Take a former word back, from today on."""
    aim = _aim(code)
    history = kpi.target_history(aim.definition.code, aim.place)
    former = next((each for each in history if each.id == target_id), None) or abort(404)
    return _set(aim, former.value, aim.today)


def _set(aim: _Aim, value: float | None, from_on: date) -> Response:
    kpi.set_target(aim.definition.code, aim.place, value, from_on=from_on)
    flash(_("The target is set.") if value is not None else _("The target is withdrawn."), "success")
    return redirect(aim.chosen.address("admin_figure_targets.show", code=aim.definition.code), 303)


def _aim(code: str) -> _Aim:
    """404 for a figure that nobody knows; 403 when all hospitals are aimed at by somebody who has some of them."""
    try:
        definition = kpi.definition(code)
    except KeyError:
        abort(404)
    chosen = chooser()
    place = None if definition.portal or chosen.choice.hospital is None else chosen.choice.hospital.id
    if place is None and not queries_figures.has_every_hospital(chosen.choice.among):
        abort(403)
    return _Aim(definition, place, chosen)
