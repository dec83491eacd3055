"""Fictional weekly templates and absences."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from portal import calendar, db
from portal.db import session
from portal.establishments import Establishment, Practitioner, Unit
from services.appointments.agendas import actions
from services.appointments.agendas.actions import Away, Draft
from services.appointments.agendas.models import Absence, SessionTemplate
from services.appointments.agendas.plans import Plan
from services.appointments.agendas.rules import Rule
from services.appointments.models import Reason
from tests.factories.hospitals import Hospital


def rule(weekday: int = 0, opens: time = time(9), closes: time = time(12), **facts: Any) -> Rule:
    """Every week from today on."""
    return Rule(**{"weekday": weekday, "opens": opens, "closes": closes, "first_on": db.now().date()} | facts)


def template(
    where: Hospital,
    reasons: Sequence[Reason] | Mapping[UUID, int | None],
    follows: Rule | None = None,
    *,
    practitioner: Practitioner | None = None,
    unit: Unit | None = None,
    room_id: UUID | None = None,
) -> SessionTemplate:
    """A published template of the hospital's practitioner."""
    wanted = reasons if isinstance(reasons, Mapping) else {each.id: None for each in reasons}
    draft = Draft(
        (practitioner or where.practitioner).id, (unit or where.unit).id, follows or rule(), dict(wanted), room_id
    )
    establishment = session.get_one(Establishment, where.establishment.id)
    template_id, _plan = actions.publish(establishment, draft)
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
