"""Fictional people who would come earlier, what was offered to them, and how it ended."""

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from auth.models import Account, Patient, PatientAccess
from portal import db
from portal.db import Actor, session
from services.appointments.models import Appointment, ConsultationSession, Reason
from services.appointments.waiting import actions
from services.appointments.waiting.actions import Asked
from services.appointments.waiting.models import WaitingEntry
from services.appointments.wishes import Wishes
from tests.factories import people
from tests.factories.requests import acting

if TYPE_CHECKING:
    from tests.factories.demonstration import World


def demonstrate(world: "World") -> None:
    """A unit's list: one put first, one who left, and a time kept for Dominique until they answer."""
    agent = world.agents["appointments-agent"]
    here = frozenset({world.north.establishment.id, world.south.establishment.id})
    desk = Actor("staff", agent.name, agent.id, rights={"appointments": here})
    visit = session.scalars(
        select(Appointment)
        .where(
            Appointment.patient_id == world.patients["dominique"].id,
            Appointment.state == "booked",
            Appointment.start_at > db.now() + timedelta(days=3),
        )
        .order_by(Appointment.start_at)
        .limit(1)
    ).one()
    _wait_for(world.patients["dominique"], visit)
    callers = _callers()
    with acting(desk):
        entries = [
            actions.enter(each, session.get_one(Reason, visit.reason_id), _asked(half))
            for each, half in zip(callers, ("morning", "", "afternoon"), strict=False)
        ]
        if len(entries) > 2:
            actions.put_first(session.get_one(WaitingEntry, entries[1].id), "practitioner_asked")
            actions.leave(session.get_one(WaitingEntry, entries[2].id))
    _offer(visit)


def _asked(half: str = "") -> Asked:
    return Asked(Wishes(half=half), 24)


def _wait_for(person: Patient, visit: Appointment) -> None:
    account = session.scalars(
        select(Account)
        .join(PatientAccess, PatientAccess.account_id == Account.id)
        .where(PatientAccess.patient_id == person.id, PatientAccess.relation == "self")
    ).one()
    with acting(people.as_patient(account, person)):
        actions.enter_for_visit(session.get_one(Appointment, visit.id), _asked())


def _callers() -> list[UUID]:
    """Three who called, without an account."""
    rows = session.scalars(
        select(Patient.id)
        .where(~select(PatientAccess).where(PatientAccess.patient_id == Patient.id).exists())
        .where(select(Appointment).where(Appointment.patient_id == Patient.id).exists())
        .order_by(Patient.birth_name)
        .limit(3)
    )
    return list(rows)


def _offer(visit: Appointment) -> None:
    """Some session before the visit has a free time: the first ones of the list are offered it."""
    before = session.scalars(
        select(ConsultationSession.id)
        .where(
            ConsultationSession.unit_id == visit.unit_id,
            ConsultationSession.free != 0,
            ConsultationSession.start_at.between(db.now() + timedelta(days=3), visit.start_at),
        )
        .order_by(ConsultationSession.start_at)
    ).all()
    if before:
        actions.offer_freed(before[0])
