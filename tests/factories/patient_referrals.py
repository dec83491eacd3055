"""Requests about somebody with an account, as they and the units see them."""

from datetime import timedelta
from typing import TYPE_CHECKING

from portal import db
from portal.db import session
from services.referrals.actions import answering, thread
from services.referrals.actions.answering import Outcome
from services.referrals.models import Referral, ReferralOffer
from services.sent_patients.actions import Described
from tests.factories import people, referrals

if TYPE_CHECKING:
    from tests.factories.demonstration import World


def demonstrate(world: "World") -> None:
    """Dr Roumillac asked twice for Dominique: one waits, the other one is accepted, with a word for the patient."""
    taken = referrals.offer(world.north.unit, name="Consultation de suivi", usual_days=15, phone="01 99 00 10 43")
    advice = referrals.offer(world.north.unit, "opinion", "Avis sur un traitement", usual_days=3)
    accepted, waiting = _about(world, taken), _about(world, advice)
    system = db.current_actor()
    here = world.north.establishment.id
    db.act_as(people.as_agent(world.agents["medical-secretary"], here, "referrals"))
    target = accepted.targets[0]
    answering.accept(target, Outcome("appointment", None, db.now() + timedelta(days=12)))
    thread.write(target, "Merci de venir à jeun, avec votre dernière ordonnance.", for_patient=True)
    db.act_as(system)
    assert waiting.targets[0].state == "received"


def _about(world: "World", offer: ReferralOffer) -> Referral:
    """The hospital has found who it is about."""
    patient = world.patients["dominique"]
    told = Described(patient.birth_name, patient.first_name, patient.birth_on, patient.sex, "", "")
    made = referrals.send(world.professionals["roumillac"], offer, described=told)
    made.targets[0].patient_id = patient.id
    session.flush()
    return made
