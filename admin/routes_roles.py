"""The functions that hospitals name themselves, each with the rights it needs."""

from collections import Counter
from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_staff
from admin.forms_staff import RIGHT_HINTS, RIGHT_TITLES, RoleForm
from admin.routes_staff import hospital, mine, staff_pages
from auth import guards, held_forms
from auth.agents import actions
from auth.agents.actions import RoleExists
from auth.agents.models import StaffRole
from auth.agents.roles import ROLES
from portal.db import session
from portal.establishments import Establishment


@staff_pages.get("/roles")
def roles() -> str:
    """The roles of my hospitals, and the usual ones."""
    hospitals = mine()
    ids = frozenset(each.id for each in hospitals)
    own = queries_staff.roles(ids)
    holders = Counter(
        (place, ",".join(sorted(rights)))
        for agent in queries_staff.agents(ids)
        for place, rights in agent.rights.items()
    )
    return render_template(
        "admin/staff/roles.html",
        hospitals=hospitals,
        roles={place: [each for each in own if each.establishment_id == place] for place in ids},
        holders=holders,
        usual=ROLES,
        titles=RIGHT_TITLES,
    )


@staff_pages.route("/roles/<finess>/nouveau", methods=["GET", "POST"])
def new_role(finess: str) -> Response | tuple[str, int]:
    """Name a role of one of my hospitals."""
    place, held = hospital(finess), held_forms.take()
    form = RoleForm(formdata=held) if held else RoleForm()
    if form.validate_on_submit():
        try:
            actions.name_role(place.id, form.name.data or "", form.rights.data or [])
        except RoleExists:
            form.name.errors = [_("This hospital has a role of that name")]
        else:
            return _saved()
    return _page(place, form)


@staff_pages.route("/roles/<uuid:role_id>", methods=["GET", "POST"])
def role(role_id: UUID) -> Response | tuple[str, int]:
    """Change a role: agents keep the rights they have."""
    one, held = _mine(role_id), held_forms.take()
    form = RoleForm(formdata=held) if held else RoleForm(name=one.name, rights=one.rights)
    if form.validate_on_submit():
        try:
            actions.change_role(one, form.name.data or "", form.rights.data or [])
        except RoleExists:
            form.name.errors = [_("This hospital has a role of that name")]
        else:
            return _saved()
    return _page(session.get_one(Establishment, one.establishment_id), form, one)


@staff_pages.post("/roles/<uuid:role_id>/supprimer")
def remove_role(role_id: UUID) -> Response:
    """Forget a role: agents keep the rights they have."""
    actions.remove_role(_mine(role_id))
    flash(_("The role is removed. Agents keep the rights they have."), "success")
    return redirect(url_for("admin_staff.roles"), 303)


def _mine(role_id: UUID) -> StaffRole:
    found = session.get(StaffRole, role_id)
    if found is None or found.establishment_id not in guards.establishments("administration"):
        abort(404)
    return found


def _saved() -> Response:
    flash(_("The role is saved."), "success")
    return redirect(url_for("admin_staff.roles"), 303)


def _page(place: Establishment, form: RoleForm, one: StaffRole | None = None) -> tuple[str, int]:
    page = render_template("admin/staff/role.html", form=form, hospital=place, role=one, hints=RIGHT_HINTS)
    return page, 422 if form.errors else 200
