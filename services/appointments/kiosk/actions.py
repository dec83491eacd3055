"""Terminals let in, changed, shut out; and what one does when somebody says at it that they are there."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from sqlalchemy import func, select

from auth import tries
from auth.identity import sealing
from auth.tries import Counter
from portal import audit, calendar, kpi
from portal.db import session
from services.appointments.actions import AlreadyOver, NotYet, visiting
from services.appointments.kiosk import rules
from services.appointments.kiosk.models import EARLY_MIN, LATE_MIN, Kiosk
from services.appointments.kiosk.rules import Expected, Terminal
from services.appointments.models import REFERENCE_ALPHABET, Appointment
from services.appointments.states import NotAllowed

CODE_LIFE: Final = timedelta(minutes=30)
CODE_LENGTH: Final = 8
_SAME_GESTURE: Final = timedelta(seconds=10)
"""A code asked for twice within that is asked for once: the button was touched twice."""
_SEEN_EVERY: Final = timedelta(minutes=1)
_PER_TERMINAL: Final = 30
"""Wrong codes or birthdays on one terminal in ten minutes; what is right is given back."""
_PER_APPOINTMENT: Final = 5
"""Wrong birthdays for one appointment in an hour, on whichever terminal."""


class NotThatCode(Exception):
    """No terminal waits for this code, or not any more."""


@dataclass(frozen=True)
class Described:
    """A terminal as an administrator writes it; see `models.Kiosk`."""

    name: str
    place: str = ""
    unit_ids: Sequence[UUID] = ()
    early_min: int = EARLY_MIN
    late_min: int = LATE_MIN


# -- terminals ---------------------------------------------------------------------------------------------------


def add(establishment_id: UUID, told: Described, now: datetime, key: UUID | None = None) -> tuple[Kiosk, str]:
    """A terminal to come, and the code to type on it. key: of the form; the same one again adds nothing and gives the
    same terminal, with its code as long as it serves, "" afterwards."""
    kiosk_id = uuid5(establishment_id, str(key or uuid4()))
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(str(kiosk_id), 0))))
    if (known := session.get(Kiosk, kiosk_id)) is not None:
        return known, _code(known) if known.code_until is not None else ""
    kiosk = Kiosk(id=kiosk_id, establishment_id=establishment_id, **_facts(told))
    code = _give_code(kiosk, now)
    session.add(kiosk)
    session.flush()
    _record("kiosk.added", kiosk)
    return kiosk, code


def change(kiosk: Kiosk, told: Described) -> None:
    for name, value in _facts(told).items():
        setattr(kiosk, name, value)
    session.flush()
    _record("kiosk.changed", kiosk)


def renew(kiosk: Kiosk, now: datetime) -> str:
    """Another code: whatever browser was this terminal is not any more, as soon as the code is typed."""
    held = select(Kiosk).where(Kiosk.id == kiosk.id).with_for_update(key_share=True)
    session.execute(held.execution_options(populate_existing=True))
    if kiosk.code_until is not None and kiosk.code_until > now + CODE_LIFE - _SAME_GESTURE:
        return _code(kiosk)
    code = _give_code(kiosk, now)
    session.flush()
    _record("kiosk.code_given", kiosk)
    return code


def revoke(kiosk: Kiosk, now: datetime) -> None:
    """Shut it out, from its next page on, for ever."""
    kiosk.revoked_at, kiosk.code_digest, kiosk.code_until, kiosk.token_digest = now, None, None, None
    session.flush()
    _record("kiosk.revoked", kiosk)


def activate(code: str, now: datetime) -> str:
    """The browser at which this code is typed becomes the terminal: what it shows from now on. Raises NotThatCode.

    As the system: nobody is signed in at a terminal.
    """
    wanted = digest("".join(code.split()).upper())
    kiosk = session.scalar(select(Kiosk).where(Kiosk.code_digest == wanted).with_for_update(key_share=True))
    if kiosk is None or kiosk.revoked_at is not None or kiosk.code_until is None or kiosk.code_until <= now:
        raise NotThatCode
    token = secrets.token_urlsafe(32)
    kiosk.code_digest, kiosk.code_until = None, None
    kiosk.token_digest, kiosk.enrolled_at, kiosk.seen_at = digest(token), now, now
    session.flush()
    _record("kiosk.activated", kiosk)
    return token


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def note_seen(kiosk: Kiosk, now: datetime) -> None:
    """The terminal is alive: written once a minute at most."""
    if kiosk.seen_at is None or now - kiosk.seen_at >= _SEEN_EVERY:
        kiosk.seen_at = now
        session.flush()


def _give_code(kiosk: Kiosk, now: datetime) -> str:
    kiosk.code_until = now + CODE_LIFE
    code = _codes(kiosk)[0]
    kiosk.code_digest = digest(code)
    return code


def _code(kiosk: Kiosk) -> str:
    """The one that serves until then, under whichever of the portal's secrets it was made."""
    made = _codes(kiosk)
    return next((each for each in made if digest(each) == kiosk.code_digest), made[0])


def _codes(kiosk: Kiosk) -> list[str]:
    """Whoever has no key of the portal cannot make it, and no row holds it."""
    assert kiosk.code_until is not None, "it waits for a code"
    made = sealing.digests("kiosk code", f"{kiosk.id} {kiosk.code_until.timestamp():.6f}")
    return [_spelled(int.from_bytes(each)) for each in made]


def _spelled(left: int) -> str:
    signs = list[str]()
    for _sign in range(CODE_LENGTH):
        left, rank = divmod(left, len(REFERENCE_ALPHABET))
        signs.append(REFERENCE_ALPHABET[rank])
    return "".join(signs)


def _facts(told: Described) -> dict[str, Any]:
    return asdict(told) | {"unit_ids": list(told.unit_ids)}


def _record(event: str, kiosk: Kiosk, **details: Any) -> None:
    audit.record(event, establishment_id=kiosk.establishment_id, object_kind="kiosk", object_id=kiosk.id, **details)


# -- somebody is there -------------------------------------------------------------------------------------------


def of_terminal(kiosk: Kiosk) -> Counter:
    return Counter(f"kiosk {kiosk.id}", _PER_TERMINAL, timedelta(minutes=10))


def of_appointment(appointment: Appointment) -> Counter:
    return Counter(f"kiosk appointment {appointment.id}", _PER_APPOINTMENT, timedelta(hours=1))


def prove(kiosk: Kiosk, appointment: Appointment, day: int, month: int) -> bool:
    """Whether whoever stands there knows the patient's birthday. Raises TooManyTries.

    Counted in transactions of its own: never while one is open that writes.
    """
    counters = of_appointment(appointment), of_terminal(kiosk)
    # One after the other: a terminal that was tried too often spends nobody's own tries.
    tries.spend(counters[1])
    tries.spend(counters[0])
    born = appointment.patient.birth_on
    if born is None or (born.day, born.month) != (day, month):
        return False
    tries.succeed(*counters)
    return True


def answer(kiosk: Kiosk, appointment: Appointment, now: datetime) -> str:
    """Tell the unit that the patient is there, when they are expected here and now; one of rules.VERDICTS."""
    verdict = rules.answer(_terminal(kiosk), _expected(appointment), now, _day(now, appointment))
    if verdict == rules.WELCOME:
        try:
            visiting.arrive(appointment, at_kiosk=True)
        except NotAllowed:
            verdict = "already"  # somebody at the desk was quicker
        except (NotYet, AlreadyOver):
            verdict = "over"
    audit.record(
        "kiosk.answered",
        patient_id=appointment.patient_id,
        establishment_id=kiosk.establishment_id,
        object_kind="kiosk",
        object_id=kiosk.id,
        answer=verdict,
    )
    kpi.count("kiosk_answered", establishment_id=kiosk.establishment_id, dimension=verdict)
    return verdict


def _terminal(kiosk: Kiosk) -> Terminal:
    return Terminal(kiosk.establishment_id, frozenset(kiosk.unit_ids), kiosk.early_min, kiosk.late_min)


def _expected(appointment: Appointment) -> Expected:
    return Expected(
        appointment.establishment_id,
        appointment.unit_id,
        appointment.state,
        appointment.reason.is_remote,
        appointment.be_there_at,
        appointment.start_at,
        appointment.local_day,
    )


def _day(now: datetime, appointment: Appointment) -> date:
    return calendar.civil_day(now, appointment.tz)
