"""Fictional weekly templates and absences."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import exists, select

from auth.models import PatientAccess
from portal import calendar, db
from portal.db import session
from portal.establishments import Establishment, Practitioner, Unit
from services.appointments.agendas import actions
from services.appointments.agendas.actions import Away, Draft
from services.appointments.agendas.models import Absence, SessionTemplate
from services.appointments.agendas.plans import Plan
from services.appointments.agendas.rules import Rule
from services.appointments.models import Appointment, Reason
from tests.factories.hospitals import Hospital

if TYPE_CHECKING:
    from tests.factories.demonstration import World


def rule(weekday: int = 0, opens: time = time(9), closes: time = time(12), **facts: Any) -> Rule:
    """Every week from today on."""
    return Rule(**{"weekday": weekday, "opens": opens, "closes": closes, "first_on": db.now().date()} | facts)


def template(
    where: Hospital,
    reasons: Sequence[Reason] | Mapping[UUID, int | None],
    follows: Rule | None = None,
    *,
    practitioner: Practitioner | None = None,
    room_id: UUID | None = None,
) -> SessionTemplate:
    """A published template of the hospital's practitioner."""
    return template_of(practitioner or where.practitioner, where.unit, reasons, follows or rule(), room_id)


def template_of(
    practitioner: Practitioner,
    unit: Unit,
    reasons: Sequence[Reason] | Mapping[UUID, int | None],
    follows: Rule,
    room_id: UUID | None = None,
) -> SessionTemplate:
    """A published template."""
    wanted = reasons if isinstance(reasons, Mapping) else {each.id: None for each in reasons}
    draft = Draft(practitioner.id, unit.id, follows, dict(wanted), room_id)
    template_id, _plan = actions.publish(session.get_one(Establishment, unit.establishment_id), draft)
    return session.get_one(SessionTemplate, template_id)


def changed(where: Hospital, which: SessionTemplate, follows: Rule, reasons: Sequence[Reason] = ()) -> Plan:
    """The same template, by another rule."""
    wanted = {each.id: None for each in reasons} or {each.reason_id: each.most for each in which.reasons}
    draft = Draft(which.practitioner_id, which.unit_id, follows, dict(wanted), which.room_id)
    return actions.publish(session.get_one(Establishment, where.establishment.id), draft, which)[1]


def absence(where: Hospital, first: date, last: date, why: str = "leave", **whom: Any) -> Absence:
    """Whole days, both included, of the hospital's practitioner unless somebody or something else is named."""
    tz = where.establishment.tz
    start_at = datetime.combine(first, time(), tz)
    end_at = datetime.combine(last + timedelta(days=1), time(), tz)
    whose = whom or {"practitioner_id": where.practitioner.id}
    absence_id = actions.announce(where.establishment.id, Away(start_at, end_at, why, **whose))
    return session.get_one(Absence, absence_id)


def next_day(where: Hospital, weekday: int, after_days: int = 7) -> date:
    """The first such weekday, in so many days at least."""
    day = calendar.civil_day(db.now(), where.establishment.tz) + timedelta(days=after_days)
    return day + timedelta(days=(weekday - day.weekday()) % 7)


# -- the demonstration -------------------------------------------------------------------------------------------


def demonstrate(world: "World") -> None:
    """A practitioner falls ill: two or three patients must be placed again, and one of them is to call."""
    found = _a_short_day()
    if found is None:
        return  # a very quiet week: nobody would be stranded
    practitioner_id, expected = found
    tz = world.north.establishment.tz
    day = calendar.civil_day(expected[0].start_at, tz)
    start_at, end_at = (datetime.combine(day + timedelta(days=ahead), time(), tz) for ahead in (0, 1))
    actions.announce(expected[0].establishment_id, Away(start_at, end_at, "illness", practitioner_id))
    actions.to_call(expected[0])


def _a_short_day() -> tuple[UUID, list[Appointment]] | None:
    """Somebody's first day to come with two or three patients, none of whom one signs in as."""
    own = exists().where(PatientAccess.patient_id == Appointment.patient_id)
    rows = session.scalars(
        select(Appointment)
        .where(Appointment.state == "booked", Appointment.start_at > db.now() + timedelta(days=1), ~own)
        .order_by(Appointment.start_at)
    )
    days: dict[tuple[date, UUID], list[Appointment]] = {}
    for each in rows:
        days.setdefault((each.start_at.date(), each.practitioner_id), []).append(each)
    short = (found for found in days.items() if 2 <= len(found[1]) <= 3)
    first = next(short, None)
    return (first[0][1], first[1]) if first else None
