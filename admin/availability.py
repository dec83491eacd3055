"""Is the portal up: a worker looks every minute, and a minute in which nobody looked counts as down.

Each look is an event of the figures (`minute_up`, `minute_down`, `minute_in_maintenance`). Maintenance that was
declared before it began stands apart: its minutes are neither up nor down.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, Index, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from portal import audit, calendar, db, files, jobs, kpi
from portal.db import Base, Keyed, session
from portal.gateways import DoorError
from portal.kpi import Figure, Period

ZONE = ZoneInfo(kpi.GROUP_ZONE)
_MINUTE = timedelta(minutes=1)
SILENCE_AFTER = timedelta(seconds=150)
"""Two looks further apart than this leave a hole: no worker ran, or no database answered."""
QUEUE_LATE = timedelta(minutes=5)
"""Something due for this long: what people asked for is not done."""


class Probe(Base):
    """When the portal was first looked at, and the last time; one row."""

    __tablename__ = "availability_probe"

    id: Mapped[int] = mapped_column(primary_key=True, default=1, autoincrement=False)
    began_at: Mapped[datetime]
    last_at: Mapped[datetime]


class Outage(Keyed, Base):
    """Minutes in a row in which the portal was down. cause: `silence` (nobody looked), `storage`, `queue`."""

    __tablename__ = "outage"
    __table_args__ = (Index(None, "began_at"),)

    cause: Mapped[str]
    began_at: Mapped[datetime]
    last_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class MaintenanceWindow(Keyed, Base):
    """Time for which people were told beforehand that the portal may be down."""

    __tablename__ = "maintenance_window"
    __table_args__ = (
        Index(None, "from_at"),
        CheckConstraint("from_at < until_at", "order"),
        CheckConstraint("declared_at <= from_at", "ahead"),
    )

    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    reason: Mapped[str]
    declared_by: Mapped[str]
    declared_at: Mapped[datetime] = mapped_column(default=db.now)
    withdrawn_by: Mapped[str] = mapped_column(default="")
    withdrawn_at: Mapped[datetime | None]


class TooLate(Exception):
    """Maintenance is declared before it begins, and withdrawn before it begins."""


# -- looking -----------------------------------------------------------------------------------------------------


@jobs.periodic("* * * * *", "portal.look")
def look() -> None:
    """Does the storage answer, is the queue done in time; the database answers, or nobody would be here to ask."""
    cause = _cause()
    with jobs.effect():
        note(db.now(), cause)


def _cause() -> str:
    try:
        files.check_storage()
    except DoorError:
        return "storage"
    with jobs.reading():
        return "queue" if _queue_is_late() else ""


def _queue_is_late() -> bool:
    """Whether something is due for minutes. What the clock starts comes again by itself, and does not count."""
    query = text(
        "select exists (select 1 from procrastinate_jobs j where j.status = 'todo' and j.queueing_lock is null and"
        " coalesce(j.scheduled_at, (select min(e.at) from procrastinate_events e where e.job_id = j.id))"
        " < now() - cast(:late as interval))"
    )
    return bool(session.scalar(query, {"late": QUEUE_LATE}))


def note(now: datetime, cause: str = "") -> None:
    """Write down one look; "" when all is well. A second look in the same minute counts for nothing."""
    probe = session.scalar(select(Probe).with_for_update(key_share=True))
    if probe is None:
        session.add(Probe(began_at=_minute(now), last_at=now))
    else:
        if _minute(now) <= _minute(probe.last_at):
            return
        if now - probe.last_at > SILENCE_AFTER:
            _end_outage(probe.last_at)
            session.add(Outage(cause="silence", began_at=probe.last_at, last_at=now, ended_at=now))
        probe.last_at = now
    _follow_outage(now, cause)
    if _in_maintenance(now):
        kpi.count("minute_in_maintenance")
    else:
        kpi.count("minute_down" if cause else "minute_up", dimension=cause)
    session.flush()


def _follow_outage(now: datetime, cause: str) -> None:
    known = session.scalar(select(Outage).where(Outage.ended_at.is_(None)))
    if known is not None and known.cause == cause:
        known.last_at = now
        return
    _end_outage(now)
    if cause:
        session.add(Outage(cause=cause, began_at=now, last_at=now))


def _end_outage(now: datetime) -> None:
    known = session.scalar(select(Outage).where(Outage.ended_at.is_(None)))
    if known is not None:
        known.last_at = known.ended_at = now
        session.flush()


def _in_maintenance(now: datetime) -> bool:
    return any(window.from_at <= now < window.until_at for window in windows(now, now + _MINUTE))


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


# -- how much of a period it was up ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Minutes:
    """Minutes of some days that are over: in maintenance, and the others."""

    counted: int
    maintenance: int


def availability(period: Period) -> Figure:
    """O3: minutes in which the portal was up, of those that passed since it is looked at, maintenance apart."""
    passed = minutes_of(period)
    up = kpi.counted("minute_up", period.portal)
    return Figure(min(up, passed.counted), passed.counted, fed=passed.counted > 0)


def minutes_of(period: Period) -> Minutes:
    """Of a period's civil days, in the group's zone, what is over and was looked at."""
    probe, windows_known = period.once("availability", lambda: (session.scalar(select(Probe)), windows()))
    if probe is None:
        return Minutes(0, 0)
    start = max(_midnight(period.first), probe.began_at)
    end = min(_midnight(period.last + timedelta(days=1)), _minute(db.now()))
    spans = [(max(window.from_at, start), min(window.until_at, end)) for window in windows_known]
    apart = _length([span for span in spans if span[0] < span[1]])
    return Minutes(max(0, (end - start) // _MINUTE - apart), apart)


def _length(spans: list[tuple[datetime, datetime]]) -> int:
    """Minutes in these spans, each counted once."""
    total, until = timedelta(0), datetime.min.replace(tzinfo=UTC)
    for begin, end in sorted(spans):
        total += max(timedelta(0), end - max(begin, until))
        until = max(until, end)
    return total // _MINUTE


def _midnight(day: date) -> datetime:
    return calendar.to_utc_or_after(day, time(0), ZONE)


# -- what people see and say -------------------------------------------------------------------------------------


def windows(first: datetime | None = None, last: datetime | None = None) -> Sequence[MaintenanceWindow]:
    """Maintenance that nobody withdrew and that touches these moments, the latest first."""
    query = select(MaintenanceWindow).where(MaintenanceWindow.withdrawn_at.is_(None))
    if first is not None:
        query = query.where(MaintenanceWindow.until_at > first)
    if last is not None:
        query = query.where(MaintenanceWindow.from_at < last)
    return session.scalars(query.order_by(MaintenanceWindow.from_at.desc())).all()


def outages(most: int = 50) -> Sequence[Outage]:
    """The latest first."""
    return session.scalars(select(Outage).order_by(Outage.began_at.desc()).limit(most)).all()


def last_look() -> datetime | None:
    """When the portal was last looked at."""
    return session.scalar(select(func.max(Probe.last_at)))


def declare(from_at: datetime, until_at: datetime, reason: str) -> MaintenanceWindow:
    """Say beforehand that the portal may be down. Raises TooLate."""
    if from_at < db.now():
        raise TooLate
    window = MaintenanceWindow(
        from_at=from_at, until_at=until_at, reason=reason, declared_by=db.current_actor().name, declared_at=db.now()
    )
    session.add(window)
    session.flush()
    audit.record("maintenance.declared", object_kind="maintenance", object_id=window.id)
    return window


def withdraw(window_id: UUID) -> None:
    """It will not take place. Raises TooLate once it has begun, NoResultFound."""
    window = session.get_one(MaintenanceWindow, window_id, with_for_update={"key_share": True})
    if window.from_at <= db.now() or window.withdrawn_at is not None:
        raise TooLate
    window.withdrawn_at, window.withdrawn_by = db.now(), db.current_actor().name
    session.flush()
    audit.record("maintenance.withdrawn", object_kind="maintenance", object_id=window.id)
