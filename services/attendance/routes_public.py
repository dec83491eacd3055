"""Waiting in the emergency departments, for everybody: a light page that a rush may read, a screen, and JSON.

The pages hold nothing of whoever reads them and no script: they may be kept for some seconds, and an `ETag` says that
nothing changed.
"""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, jsonify, make_response, render_template, request

from auth import guards
from portal import db
from portal.establishments import Establishment, establishments
from portal.web.i18n import LANGUAGES
from portal.web.security import public_url
from services.attendance import queries
from services.attendance.queries import Shown

pages = guards.public(Blueprint("attendance", __name__, template_folder="templates"))
FRESH_S = 20
REFRESH_S = 60
SCREEN_REFRESH_S = 30


@pages.get("/urgences")
def overview() -> Response:
    """Every hospital's."""
    return _page("attendance/overview.html", None, REFRESH_S)


@pages.get("/urgences/<finess>")
def hospital(finess: str) -> Response:
    """One hospital's, for a link on its own site."""
    return _page("attendance/overview.html", _hospital(finess), REFRESH_S)


@pages.get("/urgences/<finess>/ecran")
def screen(finess: str) -> Response:
    """For a screen on a wall of a waiting room: it comes back by itself, and one looks at it from afar."""
    return _page("attendance/screen.html", _hospital(finess), SCREEN_REFRESH_S)


@pages.get("/urgences.json")
def as_json() -> Response:
    """The same facts for other sites, whole numbers only where they are shown."""
    found = queries.shown(db.now())
    told = {
        "departments": [_facts(each) for each in found],
        "emergency_numbers": ["15", "112", "114"],
        "warning": "Estimates that may change at any time: the most serious are seen first. In an emergency, call 15.",
    }
    response = jsonify(told)
    response.headers["Access-Control-Allow-Origin"] = "*"
    return _kept(response)


def _hospital(finess: str) -> Establishment:
    return next((each for each in establishments() if each.finess == finess), None) or abort(404)


def _page(template: str, hospital: Establishment | None, refresh_s: int) -> Response:
    found = queries.shown(db.now(), hospital.id if hospital else None)
    places: dict[str, list[Shown]] = {}
    for each in found:
        places.setdefault(each.department.establishment.name, []).append(each)
    response = make_response(render_template(template, places=places, hospital=hospital))
    response.headers["Refresh"] = str(refresh_s)
    return _kept(response)


def _kept(response: Response) -> Response:
    """For some seconds, by whoever stands between; not when this very answer chose a language for its reader."""
    chooses = request.args.get("lang") in LANGUAGES
    response.headers["Cache-Control"] = "no-store" if chooses else f"public, max-age={FRESH_S}"
    response.headers.add("Vary", "Accept-Language")
    response.add_etag()
    response.make_conditional(request)
    return response


def _facts(shown: Shown) -> dict[str, Any]:
    department, minutes = shown.department, shown.minutes
    site = department.unit.site
    return {
        "establishment": department.establishment.finess,
        "establishment_name": department.establishment.name,
        "code": department.code,
        "name": department.title,
        "kind": department.kind,
        "state": shown.state,
        "waiting": shown.waiting,
        "waiting_is_few": shown.are_few,
        "minutes": {"from": minutes[0], "to": minutes[1]} if minutes else None,
        "message": dict(shown.message),
        "measured_at": _iso(shown.told.measured_at if shown.told else None),
        "valid_until": _iso(shown.valid_until),
        "phone": department.number,
        "address": site.address,
        "access": department.access,
        "url": public_url("attendance.hospital", finess=department.establishment.finess),
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
