"""Fictional reminders: rules of two hospitals, what was sent lately, a discreet patient, a calendar subscribed to."""

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import select

from auth.models import PatientAccess
from portal import calendar, db
from portal.db import Actor, session
from services.appointments.feed import actions as feeds
from services.appointments.models import Appointment, Reason
from services.appointments.reminders import actions
from services.appointments.reminders.models import Reminder
from tests.factories.hospitals import Hospital

if TYPE_CHECKING:
    from tests.factories.demonstration import World

_USUAL = {"is_on": True, "mail_days": [7, 1], "text_days": [2], "near_mail": True, "near_text": True,
          "late_text": True, "send_at": 15, "quiet_from": 20, "quiet_until": 8, "says": "where"}  # fmt: skip
_DAYS = 20
_ENDS = (("sent", 40, ""), ("dropped", 3, "nothing_due"), ("refused", 1, "550"), ("uncertain", 1, "no_answer"))


def demonstrate(world: "World") -> None:
    chance = Random(2026)
    actions.change_setting(world.south.establishment.id, _USUAL | {"says": "when", "send_at": 16, "text_days": [3, 1]})
    _rules_of_reasons(world)
    for hospital in (world.north, world.south):
        _sent_lately(hospital, chance)
    _people(world)


def _rules_of_reasons(world: "World") -> None:
    """Some need more notice, some none."""
    reasons = session.scalars(
        select(Reason).where(Reason.establishment_id == world.north.establishment.id).order_by(Reason.name)
    ).all()
    actions.change_policy(reasons[0], _USUAL | {"mail_days": [14, 7, 1]})
    actions.change_policy(reasons[-1], _USUAL | {"is_on": False})


def _sent_lately(hospital: Hospital, chance: Random) -> None:
    today = calendar.civil_day(db.now(), hospital.establishment.tz)
    names, weights = [end[0::2] for end in _ENDS], [end[1] for end in _ENDS]
    for ago in range(1, _DAYS):
        for channel, most in (("mail", 9), ("text", 5)):
            for _each in range(chance.randint(2, most)):
                state, because = chance.choices(names, weights)[0]
                session.add(
                    Reminder(
                        establishment_id=hospital.establishment.id,
                        recipient_id=uuid4(),
                        channel=channel,
                        day=today - timedelta(days=ago),
                        state=state,
                        because=because,
                        visits=1,
                    )
                )
    session.flush()
    over = Appointment.establishment_id == hospital.establishment.id, Appointment.start_at < db.now()
    for rank, visit in enumerate(session.scalars(select(Appointment).where(*over).order_by(Appointment.start_at))):
        visit.reminded_at = visit.start_at - timedelta(days=1) if rank % 3 else None
    session.flush()


def _people(world: "World") -> None:
    """Camille subscribed from her telephone; Suzanne wants discretion."""
    system = db.current_actor()
    for name, gesture in (("camille", feeds.open_feed), ("suzanne", _be_discreet)):
        patient = world.patients[name]
        account_id = session.scalars(
            select(PatientAccess.account_id).where(
                PatientAccess.patient_id == patient.id, PatientAccess.relation == "self"
            )
        ).one()
        db.act_as(Actor("patient", patient.full_name, account_id, patients=frozenset({patient.id})))
        gesture()
        db.act_as(system)


def _be_discreet() -> None:
    actions.choose(wanted=True, discreet=True)
