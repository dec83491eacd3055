"""Real appointments and stays carry questionnaires: sent for them, taken back when they are cancelled."""

from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask

from portal import calendar, db
from services.appointments.models import Appointment
from services.preadmission.models import Preadmission
from services.preadmission.occasions import STANDING
from services.questionnaires import jobs, occasions
from services.questionnaires.actions import plans
from services.questionnaires.actions.plans import Wish
from services.questionnaires.models import SentQuestionnaire
from tests.factories import questionnaires as factory
from tests.ground import prepared, rows, today
from tests.services.questionnaires.conftest import Ground


def sent_for(occasion: str) -> list[SentQuestionnaire]:
    return [each for each in rows(SentQuestionnaire) if each.occasion == occasion]


def plan(ground: Ground, occasion: str, about: str = "") -> None:
    with prepared():
        here = ground.hospital.establishment.id
        plans.add(Wish(here, factory.NEXT_DAY, occasion, ground.hospital.unit.id, about, -2, 2, ()))


def stay(ground: Ground, day: date, state: str = "submitted", origin: str = "patient") -> UUID:
    with prepared():
        made = Preadmission(
            id=uuid4(), establishment_id=ground.hospital.establishment.id, patient_id=ground.patient.id,
            unit_id=ground.hospital.unit.id, reference=uuid4().hex[:10].upper(), state=state, origin=origin,
            planned_on=day, stay_kind="day_case", submitted_at=None if state == "draft" else db.now(),
        )  # fmt: skip
        db.session.add(made)
    return made.id


def two_days_before(day: date, ground: Ground) -> datetime:
    return calendar.to_utc_or_after(day - timedelta(days=2), time(10), ground.hospital.establishment.tz)


def test_a_stay_is_asked_about_and_let_go_when_it_is_cancelled(app: Flask, ground: Ground) -> None:
    day = today() + timedelta(days=30)
    key = stay(ground, day)
    plan(ground, "preadmission", "day_case")
    now = two_days_before(day, ground)
    assert jobs.send_due(now) == 1
    (sent,) = sent_for("preadmission")
    assert (sent.object_id, sent.day) == (key, day)
    with prepared():
        db.session.get_one(Preadmission, key).state = "cancelled_by_patient"
    jobs.follow(now)
    assert [each.state for each in sent_for("preadmission")] == ["withdrawn"]


@pytest.mark.parametrize(
    ("state", "origin", "stands"),
    [
        ("draft", "patient", False), ("draft", "invitation", True), ("draft", "hospital", True),
        ("refused", "patient", False), ("lapsed", "hospital", False), ("purged", "hospital", False),
        *((state, "patient", True) for state in STANDING),
    ],
)  # fmt: skip
def test_which_stays_stand(app: Flask, ground: Ground, state: str, origin: str, stands: bool) -> None:
    day = today() + timedelta(days=5)
    key = stay(ground, day, state, origin)
    occasion = occasions.of("preadmission")
    assert occasion is not None
    with prepared():
        assert bool(occasion.on(ground.hospital.establishment.id, day, day)) is stands
        assert (key in occasion.standing([key])) is stands
        assert occasion.on(ground.elsewhere.establishment.id, day, day) == []


def test_an_appointment_is_asked_about_by_its_reason(app: Flask, ground: Ground) -> None:
    from tests.factories import appointments

    with prepared():
        why = appointments.reason(ground.hospital.unit)
        opened = appointments.consultation(ground.hospital, [why])
        made = appointments.booked(ground.patient, why, opened)
        day = calendar.civil_day(made.start_at, ground.hospital.establishment.tz)
        key, reason = made.id, str(made.reason_id)
    plan(ground, "appointments", reason)
    plan(ground, "appointments", str(uuid4()))
    now = two_days_before(day, ground)
    assert jobs.send_due(now) == 1
    with prepared():
        db.session.get_one(Appointment, key).state = "missed"
    jobs.follow(now)
    assert [each.state for each in sent_for("appointments")] == ["withdrawn"]


def test_plans_may_be_for_what_the_rooms_name(app: Flask, ground: Ground) -> None:
    with prepared():
        for occasion in occasions.every():
            occasion.subjects([ground.hospital.establishment.id])
    assert {each.code for each in occasions.every()} >= {"appointments", "preadmission"}
