"""The other systems of the hospitals that one administers: let in, given a new secret, shut out."""

from datetime import datetime, time
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask import session as cookie
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_figures
from admin.forms_machines import MachineForm
from auth import guards, held_forms
from auth.machines import actions, queries
from auth.machines.actions import Draft, UnknownMachine
from auth.machines.models import Machine
from auth.machines.scopes import SCOPES
from portal import db
from portal.establishments import Establishment
from portal.web.fields import choices
from portal.web.repeated_posts import once

machine_pages = guards.staff(
    Blueprint("admin_machines", __name__, url_prefix="/admin/machines", template_folder="templates"),
    right="administration",
)

_SECRET = "machine_secret"  # noqa: S105 the name of a place, not a secret
"""In the browser's own signed cookie, until the page that shows it once."""


@machine_pages.get("")
def machines() -> str:
    """Every system let in or shut out."""
    return render_template(
        "admin/machines/machines.html", machines=queries.machines(guards.establishments("administration")), now=db.now()
    )


@machine_pages.route("/ajouter", methods=["GET", "POST"])
@once
def add() -> Response | tuple[str, int]:
    """Let a system in; its secret is shown on the next page, once."""
    held = held_forms.take()
    form = MachineForm(formdata=held) if held else MachineForm()
    hospitals = queries_figures.hospitals(guards.establishments("administration"))
    form.establishment.choices = choices((each.finess, each.name) for each in hospitals)
    if form.validate_on_submit():
        place = next(each for each in hospitals if each.finess == form.establishment.data)
        machine, secret = actions.add(_draft(form, place))
        _keep(machine.id, secret)
        return redirect(url_for("admin_machines.show", machine_id=machine.id), 303)
    page = render_template("admin/machines/add.html", form=form, hints={scope.code: scope.code for scope in SCOPES})
    return page, 422 if form.errors else 200


def _draft(form: MachineForm, place: Establishment) -> Draft:
    until = form.until.data
    expires_at = datetime.combine(until, time.min, place.tz) if until else None
    return Draft(place.id, form.name.data or "", form.scopes.data or [], form.key_set, form.quota.data or 1, expires_at)


@machine_pages.get("/<uuid:machine_id>")
def show(machine_id: UUID) -> str:
    """One system: what it is called, may do and last did; and its secret, once."""
    machine = _mine(machine_id)
    of, secret = cookie.pop(_SECRET, None) or ("", "")
    titles = {scope.code: scope.title for scope in SCOPES}
    return render_template(
        "admin/machines/machine.html",
        machine=machine,
        secret=secret if of == str(machine.id) else "",
        titles=titles,
        now=db.now(),
    )


@machine_pages.post("/<uuid:machine_id>/secret")
def rotate(machine_id: UUID) -> Response:
    """Give it another secret."""
    try:
        _keep(machine_id, actions.rotate(machine_id))
    except UnknownMachine:
        abort(404)
    return redirect(url_for("admin_machines.show", machine_id=machine_id), 303)


@machine_pages.post("/<uuid:machine_id>/revoquer")
def revoke(machine_id: UUID) -> Response:
    """Shut it out."""
    try:
        actions.revoke(machine_id)
    except UnknownMachine:
        abort(404)
    flash(_("This system is shut out, from its next call on."), "success")
    return redirect(url_for("admin_machines.machines"), 303)


def _keep(machine_id: UUID, secret: str) -> None:
    if secret:
        cookie[_SECRET] = [str(machine_id), secret]


def _mine(machine_id: UUID) -> Machine:
    return queries.machine(machine_id, guards.establishments("administration")) or abort(404)
