"""What other systems say and read of emergency departments.

`POST /api/urgences` is for a system of the hospital, with a pass; `GET /urgences.json` is for everybody.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final

from flask import Blueprint, request
from werkzeug.wrappers import Response

from auth import guards
from auth.machines import callers
from auth.machines.callers import Caller, as_json
from auth.records import as_system
from portal import db
from portal.web.security import csrf
from services.attendance import actions, states
from services.attendance.actions import NoSuchDepartment
from services.attendance.estimates import NotAFigure, Told, checked, plain
from services.attendance.models import LANGUAGES

SCOPE: Final = "system/Attendance.write"
MOST: Final = 100
"""Reports in one call."""
LONGEST_MESSAGE: Final = 300
_KNOWN: Final = frozenset({"department", "measured_at", "state", "waiting", "minutes", "message"})

pages = guards.machines(Blueprint("machine_attendance", __name__, url_prefix="/api"), token=True)
csrf.exempt(pages)


@pages.post("/urgences")
def receive() -> Response:
    """`{"reports": [{"department", "measured_at", "state", "waiting", "minutes": {"from", "to"}, "message"}, …]}` of
    the machine's own hospital: all are taken, or none.

    200 with how many were added, changed, unchanged (the same call again changes nothing); 422 with why, by rank; 415
    for another content type, 400 for what is not such a document.
    """
    taken = callers.listed(request, SCOPE, "reports", MOST)
    return taken if isinstance(taken, Response) else _take(*taken)


def _take(caller: Caller, listed: list[Any]) -> Response:
    now, reports, errors = db.now(), list[tuple[str, Told]](), list[dict[str, object]]()
    for rank, each in enumerate(listed):
        try:
            code, told = read(each)
            reports.append((code, checked(told, now)))
        except NotAFigure as error:
            errors.append({"rank": rank, "why": str(error)})
    if errors:
        return as_json({"errors": errors}, 422)
    try:
        counts = actions.receive(caller.establishment_id, reports, now, partial(as_system, "attendance.receive"))
    except NoSuchDepartment as unknown:
        found = [rank for rank, (code, _told) in enumerate(reports) if code == str(unknown)]
        return as_json({"errors": [{"rank": rank, "why": "department"} for rank in found]}, 422)
    return as_json(counts)


def read(told: Any) -> tuple[str, Told]:
    """One report as JSON gives it: the code of its department, and what it says. Raises NotAFigure with the name of
    the field at fault; a field that nobody knows is a mistake, not a wish."""
    if not isinstance(told, dict):
        raise NotAFigure("report")
    if unknown := sorted(str(each) for each in told.keys() - _KNOWN):
        raise NotAFigure(unknown[0][:40])
    code, state = told.get("department"), told.get("state")
    if not isinstance(code, str) or not code:
        raise NotAFigure("department")
    if state not in states.STATES:
        raise NotAFigure("state")
    waiting = told.get("waiting")
    if waiting is not None and not _is_count(waiting):
        raise NotAFigure("waiting")
    return code, Told(_moment(told.get("measured_at")), state, waiting, _minutes(told.get("minutes")),
                      _message(told.get("message")))  # fmt: skip


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _moment(text: Any) -> datetime:
    """ISO 8601 with its offset: a time without one is nobody's."""
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError
        return at.astimezone(db.now().tzinfo)
    except (TypeError, ValueError, OverflowError) as error:
        raise NotAFigure("measured_at") from error


def _minutes(told: Any) -> tuple[int, int] | None:
    if told is None:
        return None
    if not isinstance(told, dict) or told.keys() != {"from", "to"} or not all(map(_is_count, told.values())):
        raise NotAFigure("minutes")
    return told["from"], told["to"]


def _message(told: Any) -> Mapping[str, str]:
    """Language → plain words."""
    if told is None:
        return {}
    if not isinstance(told, dict) or not told.keys() <= set(LANGUAGES):
        raise NotAFigure("message")
    if not all(isinstance(each, str) and len(each) <= LONGEST_MESSAGE and "\x00" not in each for each in told.values()):
        raise NotAFigure("message")
    clean = {language: plain(words) for language, words in told.items()}
    return {language: words for language, words in clean.items() if words}
