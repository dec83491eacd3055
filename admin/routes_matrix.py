"""The matrix of rights (CNIL: habilitations by function): one line an agent and hospital, on screen, paper and CSV."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, render_template
from flask_babel import gettext as _

from admin import queries_figures, queries_staff
from admin.forms_staff import RIGHT_TITLES
from admin.queries_staff import Agent
from admin.routes_staff import staff_pages
from auth import guards, providers
from auth.agents.mails import PROVIDER_NAMES
from auth.agents.roles import named
from auth.models import Identity
from portal import db
from portal.db import RIGHTS
from portal.establishments import Establishment
from portal.web.spreadsheets import csv_response


@dataclass(frozen=True)
class Line:
    """What one agent may do at one hospital, as the matrix says it."""

    agent: Agent
    hospital: Establishment
    role: Any
    rights: frozenset[str]
    units: str
    doors: str
    factors: str
    last_sign_in_at: datetime | None


@staff_pages.get("/matrice")
def matrix() -> str:
    """Who may do what, where, how they sign in and since when they have not."""
    return render_template("admin/staff/matrix.html", lines=_lines(), rights=RIGHTS, titles=RIGHT_TITLES, now=db.now())


@staff_pages.get("/matrice.csv")
def matrix_file() -> Response:
    """The same, for a spreadsheet."""
    headers = [
        _("Name"), _("E-mail"), _("Hospital"), "FINESS", _("Role"), *(str(RIGHT_TITLES[right]) for right in RIGHTS),
        _("Units"), _("Ways in"), _("Two factors"), _("Last sign-in"), _("Dormant"),
    ]  # fmt: skip
    return csv_response("habilitations", headers, [_cells(line) for line in _lines()])


def _lines() -> list[Line]:
    ids = guards.establishments("administration")
    hospitals = queries_figures.hospitals(ids)
    return [
        _line(agent, place, agent.rights[place.id])
        for agent in queries_staff.agents(ids)
        for place in hospitals
        if place.id in agent.rights
    ]


def _line(agent: Agent, place: Establishment, rights: list[str]) -> Line:
    role = named(rights)
    return Line(
        agent,
        place,
        role.title if role else _("Made to measure"),
        frozenset(rights),
        ", ".join(unit.name for unit in agent.units.get(place.id, [])),
        ", ".join(dict.fromkeys(_door_name(door) for door in agent.doors)) or _("None yet"),
        _factors(agent),
        agent.last_sign_in_at,
    )


def _door_name(door: Identity) -> str:
    """A way in, as agents know it: by the address of who vouches."""
    for each in providers.doors("staff") + providers.doors("professional"):
        if each.client.provider.issuer == door.issuer:
            return each.label
    return str(PROVIDER_NAMES["hospital"])


def _factors(agent: Agent) -> str:
    """What the last sign-in said of its factors; every door asks for two."""
    used = {door.last_used_at: door for door in agent.doors if door.last_used_at}
    if not used:
        return "–"
    latest = used[max(used)]
    return f"{latest.acr} ({latest.amr})" if latest.amr else latest.acr or "–"


def _cells(line: Line) -> list[object]:
    account, at = line.agent.account, line.last_sign_in_at
    return [
        account.name, account.email, line.hospital.name, line.hospital.finess, str(line.role),
        *(_("yes") if right in line.rights else "" for right in RIGHTS),
        line.units, line.doors, line.factors, at.strftime("%Y-%m-%d") if at else "",
        _("yes") if line.agent.is_dormant else "",
    ]  # fmt: skip
