"""Who is on duty: entered by hand or brought by a file, never two people in the same place at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import select, text

from portal import audit, db
from portal.db import session
from services.lines import roster
from services.lines.models import Duty

_ONE_AT_A_TIME = text("select pg_advisory_xact_lock(hashtextextended('duty ' || :unit, 0))")


class DutyTaken(Exception):
    """Somebody is on duty there already, in the same place: first, or as a backup."""

    def __init__(self, other: Duty) -> None:
        super().__init__()
        self.other = other


@dataclass(frozen=True)
class Wanted:
    """Somebody on duty for a unit, or for one of its lines; see `models.Duty`."""

    establishment_id: UUID
    unit_id: UUID
    line_id: UUID | None
    name: str
    from_at: datetime
    until_at: datetime
    role: str = "first"
    rpps: str = ""
    phone: str = ""
    practitioner_id: UUID | None = None


@dataclass(frozen=True)
class Entered:
    """What a copy of a week gave. left: duties for which somebody else was there already."""

    copied: int
    left: int


def enter(wanted: Wanted) -> Duty:
    """Write somebody down. Raises DutyTaken."""
    _check_alone(wanted)
    made = _new(wanted, "entered")
    _record(made.establishment_id, made.id, "entered")
    return made


def change(duty: Duty, wanted: Wanted) -> None:
    """Raises DutyTaken."""
    _check_alone(wanted, duty.id)
    _write(duty, wanted)
    # What a person has corrected is theirs: the next file does not take it back.
    duty.source, duty.key = "entered", None
    session.flush()
    _record(duty.establishment_id, duty.id, "changed")


def remove_duty(duty: Duty) -> None:
    session.delete(duty)
    session.flush()
    _record(duty.establishment_id, duty.id, "removed")


def copy_week(duties: Sequence[Duty], from_monday: date, to_monday: date, tz: ZoneInfo) -> Entered:
    """The duties of a week, on the same days and hours of another one; those whose place is taken are left."""
    weeks, copied = (to_monday - from_monday).days // 7, 0
    for each in duties:
        from_at, until_at = roster.moved((each.from_at, each.until_at), weeks, tz)
        try:
            enter(_again(each, from_at, until_at))
            copied += 1
        except DutyTaken:
            continue
    return Entered(copied, len(duties) - copied)


def _again(duty: Duty, from_at: datetime, until_at: datetime) -> Wanted:
    return Wanted(
        duty.establishment_id, duty.unit_id, duty.line_id, duty.name, from_at, until_at, duty.role, duty.rpps,
        duty.phone, duty.practitioner_id,
    )  # fmt: skip


def put_in(wanted: Wanted, key: str) -> str:
    """A duty of a file, known by its key: "added", "changed" or "unchanged". Raises DutyTaken."""
    known = session.scalar(select(Duty).where(Duty.establishment_id == wanted.establishment_id, Duty.key == key))
    if known is not None and _is(known, wanted):
        return "unchanged"
    _check_alone(wanted, known.id if known else None)
    if known is None:
        made = _new(wanted, "imported", key)
        _record(made.establishment_id, made.id, "imported")
        return "added"
    _write(known, wanted)
    session.flush()
    _record(known.establishment_id, known.id, "imported")
    return "changed"


_FACTS = ("unit_id", "line_id", "name", "from_at", "until_at", "role", "rpps", "phone", "practitioner_id")


def _is(duty: Duty, wanted: Wanted) -> bool:
    return all(getattr(duty, name) == getattr(wanted, name) for name in _FACTS)


def _check_alone(wanted: Wanted, but: UUID | None = None) -> None:
    """Two agents who write at the same time wait for each other."""
    session.execute(_ONE_AT_A_TIME, {"unit": str(wanted.unit_id)})
    query = select(Duty).where(
        Duty.unit_id == wanted.unit_id,
        Duty.line_id.is_not_distinct_from(wanted.line_id),
        Duty.role == wanted.role,
        Duty.from_at < wanted.until_at,
        Duty.until_at > wanted.from_at,
    )
    if but is not None:
        query = query.where(Duty.id != but)
    if other := session.scalar(query.order_by(Duty.from_at).limit(1)):
        raise DutyTaken(other)


def _new(wanted: Wanted, source: str, key: str | None = None) -> Duty:
    made = Duty(id=uuid4(), establishment_id=wanted.establishment_id, source=source, key=key)
    _write(made, wanted)
    session.add(made)
    session.flush()
    return made


def _write(duty: Duty, wanted: Wanted) -> None:
    for name in _FACTS:
        setattr(duty, name, getattr(wanted, name))
    duty.changed_at, duty.changed_by = db.now(), db.current_actor().name


def _record(establishment_id: UUID, duty_id: UUID, what: str) -> None:
    audit.record(f"duty.{what}", establishment_id=establishment_id, object_kind="duty", object_id=duty_id)
