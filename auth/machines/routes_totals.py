"""A hospital's systems send its totals: all appointments, all stays, all bills (`portal.kpi.hospital_totals`)."""

from functools import partial
from typing import Any, Final

from flask import Blueprint, request
from werkzeug.wrappers import Response

from auth import guards
from auth.machines import callers
from auth.machines.callers import Caller, as_json
from auth.records import as_system
from portal import db
from portal.establishments import Establishment
from portal.kpi import hospital_totals
from portal.kpi.hospital_totals import Entry, NotATotal
from portal.web.security import csrf

SCOPE: Final = "system/Totals.write"
MOST: Final = 5000
"""Totals in one call."""

pages = guards.machines(Blueprint("machine_totals", __name__, url_prefix="/api"), token=True)
csrf.exempt(pages)


@pages.post("/totaux")
def receive() -> Response:
    """`{"totals": [{"code", "day", "grain", "value"}, …]}` of the machine's own hospital: all are taken, or none.

    200 with how many were added, changed, unchanged (the same call again changes nothing); 422 with why, by rank; 415
    for another content type, 400 for what is not such a document.
    """
    taken = callers.listed(request, SCOPE, "totals", MOST)
    return taken if isinstance(taken, Response) else _take(*taken)


def _take(caller: Caller, listed: list[Any]) -> Response:
    entries, errors = list[Entry](), list[dict[str, object]]()
    place = db.session.get_one(Establishment, caller.establishment_id)
    for rank, each in enumerate(listed):
        try:
            entries.append(_read(place, each))
        except NotATotal as error:
            errors.append({"rank": rank, "why": str(error)})
    if errors:
        return as_json({"errors": errors[:100]}, 422)
    received = hospital_totals.receive(entries, "machine", around=partial(as_system, "totals.receive"))
    return as_json({"added": received.added, "changed": received.changed, "unchanged": received.unchanged})


def _read(place: Establishment, told: Any) -> Entry:
    """Raises NotATotal."""
    if not isinstance(told, dict) or isinstance(told.get("value"), bool) or not isinstance(told.get("value"), int):
        raise NotATotal("value")
    texts = [told.get(name) for name in ("code", "day", "grain")]
    code, day, grain = (text if isinstance(text, str) else "" for text in texts)
    return hospital_totals.read_entry(place, code, day, grain, str(told["value"]))
