"""Agents of the hospitals that one administers: who may do what and where, and those who leave."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_figures, queries_staff
from admin.forms_staff import RIGHT_HINTS, RIGHT_TITLES, RightsForm
from admin.queries_staff import Agent
from auth import guards, held_forms, rights
from auth.agents import actions as agents_actions
from auth.agents.roles import offered, role
from auth.rights import LastAdministrator, NotAdministrator, OwnLastAdministration, UnknownAgent
from portal import db
from portal.establishments import Establishment, Unit
from portal.web.fields import choices
from portal.web.forms import Form

staff_pages = guards.staff(
    Blueprint("admin_staff", __name__, url_prefix="/admin/agents", template_folder="templates"),
    right="administration",
)


@staff_pages.get("")
def agents() -> str:
    """Everybody who may do something at my hospitals, and the invitations under way."""
    ids = guards.establishments("administration")
    return render_template(
        "admin/staff/agents.html",
        hospitals={hospital.id: hospital for hospital in queries_figures.hospitals(ids)},
        agents=queries_staff.agents(ids),
        invitations=queries_staff.invitations(ids),
        waiting=len(queries_staff.requests(ids)),
        titles=RIGHT_TITLES,
        me=db.current_actor().account_id,
    )


@staff_pages.route("/<uuid:account_id>/<finess>", methods=["GET", "POST"])
def agent_rights(account_id: UUID, finess: str) -> Response | tuple[str, int]:
    """What one agent may do at one hospital, and where they work; `?role=` ticks the rights of a function."""
    place, agent = hospital(finess), one_agent(account_id)
    held, chosen = held_forms.take(), role(request.args.get("role", ""), offered([place.id]))
    ticked = {"rights": list(chosen.rights)} if chosen else {}
    form = RightsForm(formdata=held) if held else RightsForm(**_today(agent, place) | ticked)
    form.units.choices = unit_choices(queries_staff.units([place.id]))
    if form.validate_on_submit():
        return _change(agent, place, form)
    return _rights_page(agent, place, form)


def _today(agent: Agent, place: Establishment) -> dict[str, list[str]]:
    return {
        "rights": agent.rights.get(place.id, []),
        "units": [str(unit.id) for unit in agent.units.get(place.id, [])],
    }


def _change(agent: Agent, place: Establishment, form: RightsForm) -> Response | tuple[str, int]:
    try:
        asked = rights.change_rights(agent.account.id, place.id, form.rights.data or [])
    except (NotAdministrator, UnknownAgent):
        abort(403)
    except LastAdministrator:
        form.rights.errors = [
            _("Somebody must go on administering this hospital: give this right to another agent first")
        ]
    except OwnLastAdministration:
        form.rights.errors = [_("You cannot withdraw your own last administration right: ask another administrator")]
    else:
        agents_actions.place(agent.account.id, place.id, [UUID(unit_id) for unit_id in form.units.data or []])
        flash(_("The rights of %(name)s are changed, from their next page on.", name=agent.account.name), "success")
        if asked:
            flash(_("Another administrator must confirm: the request waits for seven days."), "info")
        return redirect(url_for("admin_staff.agents"), 303)
    return _rights_page(agent, place, form)


def _rights_page(agent: Agent, place: Establishment, form: RightsForm) -> tuple[str, int]:
    waiting = [each for each in queries_staff.requests(frozenset([place.id])) if each.account_id == agent.account.id]
    page = render_template(
        "admin/staff/rights.html",
        form=form,
        agent=agent,
        hospital=place,
        hospitals=mine(),
        hints=RIGHT_HINTS,
        titles=RIGHT_TITLES,
        waiting=waiting,
        roles=offered([place.id]),
        chosen=request.args.get("role", ""),
    )
    return page, 422 if form.errors else 200


# -- leaving -----------------------------------------------------------------------------------------------------


@staff_pages.route("/<uuid:account_id>/<finess>/depart", methods=["GET", "POST"])
def leave(account_id: UUID, finess: str) -> Response | tuple[str, int]:
    """An agent has left: what ends, then the end of it."""
    place, agent, form = hospital(finess), one_agent(account_id), Form()
    trouble = ""
    if form.validate_on_submit():
        try:
            closed = agents_actions.leave(agent.account.id, place.id)
        except (NotAdministrator, UnknownAgent):
            abort(403)
        except (LastAdministrator, OwnLastAdministration):
            trouble = _("Somebody must go on administering this hospital: give this right to another agent first")
        else:
            flash(_departed(agent.account.name, closed), "success")
            return redirect(url_for("admin_staff.agents"), 303)
    page = render_template("admin/staff/leave.html", form=form, agent=agent, hospital=place, trouble=trouble)
    return page, 409 if trouble else 200


def _departed(name: str, closed: bool) -> str:
    if closed:
        return str(_("%(name)s can no longer sign in: their sessions are closed and their account too.", name=name))
    return str(_("%(name)s can do nothing more at this hospital. Their sessions are closed.", name=name))


# -- what the screens about agents share -------------------------------------------------------------------------


def mine() -> list[Establishment]:
    """The hospitals that I administer."""
    return list(queries_figures.hospitals(guards.establishments("administration")))


def hospital(finess: str) -> Establishment:
    """One of my hospitals; 404 for another."""
    return next((each for each in mine() if each.finess == finess), None) or abort(404)


def one_agent(account_id: UUID) -> Agent:
    """Somebody who may do something at my hospitals; 404 for another."""
    return queries_staff.agent(account_id, guards.establishments("administration")) or abort(404)


def unit_choices(units: Sequence[Unit], *, several: bool = False) -> Any:
    """Units to tick. several: with the name of their hospital."""
    return choices((str(unit.id), _unit_name(unit, several)) for unit in units)


def _unit_name(unit: Unit, several: bool) -> str:
    place = unit.establishment
    return f"{place.short_name or place.name} – {unit.name}" if several else unit.name
