"""What works and what does not, for people: in their words, with nothing of the machine in it.

Read once in a few seconds by each process, whoever asks; when the database does not answer, that is what the page says.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from flask import Response, current_app, g, jsonify, make_response, render_template
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from portal import db
from portal.catalog import notices
from portal.db import session
from portal.establishments import Establishment
from portal.gateways import board
from portal.gateways.breaker import BreakerState
from portal.pages.routes import pages
from portal.web.announcing import site_notices

FRESH_S: Final = 15
_SEEN: Final = timedelta(minutes=2)
_LATE: Final = timedelta(minutes=10)
"""Jobs that wait for longer than this: messages and answers come late."""


@dataclass(frozen=True)
class Service:
    """Something that people do here. doors: the families of doors that it needs. delayed: what one asks for is kept and
    done later, so a closed door only makes it late."""

    code: str
    label: Any
    doors: frozenset[str]
    delayed: bool = False


SERVICES: Final = (
    Service("files", _l("Open and send documents and photographs"), frozenset({"storage"})),
    Service("scanning", _l("Check the files that are sent"), frozenset({"antivirus"}), delayed=True),
    Service("payments", _l("Pay a bill online"), frozenset({"payments"})),
    Service("mails", _l("Receive e-mails"), frozenset({"mail"}), delayed=True),
    Service("texts", _l("Receive text messages"), frozenset({"sms"}), delayed=True),
    Service("hospital", _l("Hand on to the hospital what you sent"), frozenset({"his"}), delayed=True),
    Service("letters", _l("Exchange secure mails with health professionals"), frozenset({"mssante"}), delayed=True),
)
"""Doors of which nobody but the hospitals' staff sees anything (the directory, the audit's collector) are not here."""


@dataclass(frozen=True)
class Trouble:
    """A service that does not work. since: None when nobody knows. until: when people said that it would be back.
    place: the hospital's short name, finess: its number; "" for all."""

    code: str
    late: bool
    since: datetime | None
    until: datetime | None = None
    place: str = ""
    finess: str = ""


@dataclass(frozen=True)
class Standing:
    """How the portal is. answers: the database does. read_only: pages are read and nothing can be sent."""

    looked_at: datetime
    answers: bool = True
    read_only: bool = False
    troubles: Sequence[Trouble] = ()

    @property
    def state(self) -> str:
        """`works`, `disturbed` (something is late, or not possible) or `interrupted` (pages do not open)."""
        if not self.answers:
            return "interrupted"
        return "disturbed" if self.read_only or self.troubles else "works"


@dataclass
class _Remembered:
    standing: Standing | None = None
    read_at: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


_remembered = _Remembered()


@pages.get("/etat")
def working() -> Response:
    """For people; it opens while the database is away, and its status says so (503) to whoever only looks at that."""
    now = standing()
    if not now.answers:
        g.database_away = True  # the page must not wait for it again
    lines = [(each, _of(now, each.code)) for each in SERVICES]
    page = render_template(
        "pages/working.html", now=now, lines=lines, late=_of(now, "jobs"), announced=site_notices(),
        site_notices=lambda: (),
    )  # fmt: skip
    return _answered(make_response(page), now)


@pages.get("/etat.json")
def working_json() -> Response:
    """For who watches from outside: codes, moments (ISO 8601, UTC), FINESS numbers; no words. 503 as above."""
    now = standing()
    response = jsonify(
        state=now.state,
        looked_at=now.looked_at.isoformat(timespec="seconds"),
        read_only=now.read_only,
        troubles=[
            {"service": each.code, "late": each.late, "hospital": each.finess or None, "since": _iso(each.since),
             "until": _iso(each.until)}
            for each in now.troubles
        ],
        maintenance=[{"from": _iso(start), "until": _iso(end)} for start, end in _windows(now)],
    )  # fmt: skip
    response.headers["Cache-Control"] = f"public, max-age={FRESH_S}"
    return _answered(response, now)


def _answered(response: Response, now: Standing) -> Response:
    if not now.answers:
        response.status_code = 503
        response.headers["Retry-After"] = str(FRESH_S)
    return response


def standing() -> Standing:
    """How the portal is now, or was a few seconds ago; while somebody looks (a database that hangs takes its time), the
    others are told what was seen before."""
    former = _remembered.standing
    if former is not None and time.monotonic() - _remembered.read_at <= FRESH_S:
        return former
    if not _remembered.lock.acquire(blocking=former is None) and former is not None:
        return former
    try:
        if _remembered.standing is former:  # else somebody looked while this one waited
            _remembered.standing = _looked()
            _remembered.read_at = time.monotonic()
        return _remembered.standing or _looked()
    finally:
        _remembered.lock.release()


def forget() -> None:
    """Look again at the next page of this process."""
    _remembered.standing = None


def _looked() -> Standing:
    read_only = current_app.config["SETTINGS"].read_only
    try:
        with db.transaction(db.system("status.people")):
            return Standing(db.now(), read_only=read_only, troubles=_troubles())
    except SQLAlchemyError:
        return Standing(db.now(), answers=False)


_OLDEST: Final = text(
    "select min(scheduled_at) from (select coalesce(j.scheduled_at, (select min(e.at) from procrastinate_events e"
    " where e.job_id = j.id)) as scheduled_at from procrastinate_jobs j where j.status = 'todo'"
    " and coalesce(j.scheduled_at, now()) <= now() and j.attempts = 0) waiting"
)


def _troubles() -> list[Trouble]:
    found = {(each.code, each.finess): each for each in (*_failing(), *_paused())}  # a pause says more: it comes last
    oldest = session.scalar(_OLDEST)
    if isinstance(oldest, datetime) and db.now() - oldest > _LATE:
        found["jobs", ""] = Trouble("jobs", True, oldest)
    places = _places({finess for _code, finess in found if finess})
    return [
        Trouble(each.code, each.late, each.since, each.until, places.get(each.finess, ""), each.finess)
        for each in found.values()
    ]


def _failing() -> list[Trouble]:
    """Doors that are left alone because they failed again and again."""
    states = board.by_name(line.state for line in board.lines(db.now() - _SEEN))
    return [
        Trouble(service.code, service.delayed, state.last_success_at, finess=board.finess_of(name))
        for name, state in states.items()
        if state.breaker is not BreakerState.CLOSED and (service := _service_of(name))
    ]


def _paused() -> list[Trouble]:
    """Doors that people closed; why is theirs."""
    return [
        Trouble(service.code, service.delayed, pause.paused_at, pause.until, finess=board.finess_of(name))
        for name, pause in board.pauses().items()
        if (service := _service_of(name))
    ]


def _service_of(door: str) -> Service | None:
    family = door.partition(".")[0].partition(" ")[0]
    return next((each for each in SERVICES if family in each.doors), None)


def _places(finess: set[str]) -> Mapping[str, str]:
    if not finess:
        return {}
    found = session.scalars(select(Establishment).where(Establishment.finess.in_(finess)))
    return {each.finess: each.short_name or each.name for each in found}


def _of(now: Standing, code: str) -> list[Trouble]:
    return [each for each in now.troubles if each.code == code]


def _windows(now: Standing) -> list[tuple[datetime | None, datetime | None]]:
    """When an announced stop begins and ends."""
    if not now.answers:
        return []
    try:
        return [(each.window_from, each.window_until) for each in notices.shown() if each.window_from]
    except SQLAlchemyError:
        return []


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
