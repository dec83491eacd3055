"""Every night, what the calendar brings within reach is opened."""

from uuid import UUID

from sqlalchemy import select

from portal import jobs
from portal.db import session
from portal.establishments import Establishment, Practitioner, goes_on, today_at
from services.appointments.agendas import actions
from services.appointments.agendas.models import SessionTemplate


@jobs.periodic("20 1 * * *", "agendas.open_ahead_everywhere")
def open_ahead_everywhere() -> None:
    """One job for each practitioner: a failure keeps nobody else's agenda closed."""
    with jobs.reading():
        going_on = goes_on(SessionTemplate.last_on, today_at(SessionTemplate.establishment_id))
        for practitioner_id in session.scalars(select(SessionTemplate.practitioner_id).where(going_on).distinct()):
            jobs.enqueue("agendas.open_ahead", practitioner_id=str(practitioner_id))


@jobs.task("agendas.open_ahead")
def open_ahead(practitioner_id: str) -> None:
    """Open a practitioner's months to come; killed half-way, nothing is opened, and the next run does it."""
    with jobs.effect():
        templates = session.scalars(
            select(SessionTemplate).where(SessionTemplate.practitioner_id == UUID(practitioner_id))
        ).all()
        practitioner = session.get_one(Practitioner, UUID(practitioner_id))
        actions.open_ahead(session.get_one(Establishment, practitioner.establishment_id), templates)


@jobs.task("agendas.follow_the_calendar")
def follow_the_calendar(establishment_id: str) -> None:
    """Holidays have changed: every agenda of the hospital follows them."""
    with jobs.effect():
        templates = session.scalars(
            select(SessionTemplate).where(SessionTemplate.establishment_id == UUID(establishment_id))
        ).all()
        actions.open_ahead(session.get_one(Establishment, UUID(establishment_id)), templates)
