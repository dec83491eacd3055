"""Opening practitioners' time."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import uuid4

from portal import audit, calendar
from portal.db import session
from portal.establishments import Practitioner, Unit
from services.appointments import slots
from services.appointments.actions.facts import DoesNotFit, NoSuchTime
from services.appointments.actions.opening import tell_opened
from services.appointments.models import ConsultationSession, Reason, SessionReason


def open_session(
    practitioner: Practitioner,
    unit: Unit,
    day: date,
    opens: time,
    closes: time,
    reasons: Sequence[Reason],
    step_min: int = 15,
    capacity: int = 1,
) -> ConsultationSession:
    """Open a practitioner's time in a unit, between two wall-clock times of the hospital (`closes` may be the next
    day's). Raises NoSuchTime when a clock change skips one of them, DoesNotFit beyond 60 cells.
    """
    start_at, count = _cells_between(unit, day, opens, closes, step_min)
    opened = ConsultationSession(
        id=uuid4(),
        establishment_id=unit.establishment_id,
        site_id=unit.site_id,
        unit_id=unit.id,
        practitioner_id=practitioner.id,
        start_at=start_at,
        local_date=day,
        step_min=step_min,
        n_cells=count,
        open=slots.mask(0, count),
        free=slots.mask(0, count),
        capacity=capacity,
        seats_left=capacity,
    )
    session.add(opened)
    session.flush()
    _offer(opened, reasons)
    tell_opened([opened.id])
    session.refresh(opened, ["free"])
    _audit_session("opened", opened)
    return opened


def _offer(opened: ConsultationSession, reasons: Sequence[Reason]) -> None:
    """It takes these reasons, as many of each as the hospital says."""
    for reason in reasons:
        most, here = reason.most_a_session, opened.establishment_id
        session.add(SessionReason(reason_id=reason.id, session_id=opened.id, establishment_id=here, most=most))
    session.flush()


def _audit_session(what: str, opened: ConsultationSession) -> None:
    audit.record(
        f"consultation_session.{what}",
        establishment_id=opened.establishment_id,
        object_kind="consultation_session",
        object_id=opened.id,
    )


def _cells_between(unit: Unit, day: date, opens: time, closes: time, step_min: int) -> tuple[datetime, int]:
    """When it really starts, and how many cells it really lasts: a night of clock change is shorter or longer."""
    tz = unit.establishment.tz
    last_day = day if closes > opens else day + timedelta(days=1)
    start_at, end_at = calendar.to_utc(day, opens, tz), calendar.to_utc(last_day, closes, tz)
    if start_at is None or end_at is None:
        raise NoSuchTime(f"{day} {opens}–{closes} {tz}")
    count, rest = divmod(end_at - start_at, timedelta(minutes=step_min))
    if rest or not 1 <= count <= slots.MAX_CELLS:
        raise DoesNotFit(f"{opens}–{closes} by {step_min} minutes")
    return start_at, count
