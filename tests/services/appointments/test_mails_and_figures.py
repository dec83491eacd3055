"""What is told afterwards: a mail without health data, figures without persons."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal import db, kpi
from portal.db import session
from portal.kpi import Period
from portal.notifications import Notification
from services.appointments import actions
from services.appointments.models import Appointment
from services.appointments.slots import Slot
from tests.factories import appointments, people
from tests.ground import today
from tests.services.appointments.conftest import Ground
from tests.writers import all_rolled_up

WorkJobs = Callable[[], None]


def _mails() -> list[Notification]:
    with db.transaction(db.system("tests")):
        return list(session.scalars(select(Notification).order_by(Notification.created_at)))


def _book(ground: Ground) -> Appointment:
    with db.transaction(ground.actor):
        return actions.book(ground.patient.id, ground.reason.id, ground.slot())


def test_a_booking_is_confirmed_by_mail(ground: Ground, work_jobs: WorkJobs) -> None:
    made = _book(ground)
    work_jobs()
    (mail,) = _mails()
    assert (mail.recipient, mail.account_id) == (ground.account.email, ground.account.id)
    assert made.reference in mail.body
    assert f"/rendez-vous/{made.id}" in mail.body
    assert mail.sent_at is not None


def test_a_mail_holds_no_health_data(ground: Ground, work_jobs: WorkJobs) -> None:
    made = _book(ground)
    work_jobs()
    with db.transaction(ground.actor):
        actions.cancel(session.get_one(Appointment, made.id), "other")
    work_jobs()
    text = "".join(mail.subject + mail.body for mail in _mails())
    assert len(_mails()) == 2
    secrets = (ground.hospital.unit.name, ground.reason.name, "MERCIER", ground.patient.birth_name)
    assert [secret for secret in secrets if secret.lower() in text.lower()] == []


def test_an_appointment_cancelled_at_once_is_not_confirmed(ground: Ground, work_jobs: WorkJobs) -> None:
    made = _book(ground)
    with db.transaction(db.system("tests")):
        actions.cancel_for_patient(session.get_one(Appointment, made.id), "entered_by_mistake")
    work_jobs()
    assert len(_mails()) == 1


@pytest.mark.parametrize(("email", "sent"), [("jeanne@exemple.test", 1), ("", 0)])
def test_somebody_on_the_phone_is_written_to_when_an_address_is_known(
    ground: Ground, work_jobs: WorkJobs, email: str, sent: int
) -> None:
    with db.transaction(db.system("tests")):
        caller = people.patient("AUTRE", email=email)
        actions.book_by_phone(caller.id, ground.reason.id, ground.slot())
    work_jobs()
    assert [mail.recipient for mail in _mails()] == [email] * sent


def test_a_phone_booking_reaches_the_patient_s_own_account(ground: Ground, work_jobs: WorkJobs) -> None:
    with db.transaction(db.system("tests")):
        actions.book_by_phone(ground.patient.id, ground.reason.id, ground.slot())
    work_jobs()
    assert [mail.account_id for mail in _mails()] == [ground.account.id]


def test_the_online_rate_counts_every_channel_of_reasons_open_online(ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        closed = appointments.reason(ground.hospital.unit, bookable_online=False)
        afternoon = appointments.consultation(
            ground.hospital, [closed], opens=appointments.time(14), closes=appointments.time(17)
        )
        for cell in (4, 6):
            actions.book_by_phone(people.patient(f"P{cell}").id, ground.reason.id, ground.slot(cell))
        actions.book_by_phone(people.patient("AUTRE").id, closed.id, Slot(afternoon.id, 0))
    _book(ground)
    all_rolled_up()
    period = Period(today() - timedelta(days=1), today() + timedelta(days=1), ground.hospital.establishment.id)
    with db.transaction(db.system("tests")):
        online, rate, overall = (kpi.definition(code).compute(period) for code in ("R1", "R2a", "R2b"))
    assert online.value == 1
    assert (rate.numerator, rate.denominator) == (1, 3)
    assert (overall.fed, overall.value) == (False, None)


def test_each_figure_says_what_it_counts(ground: Ground) -> None:
    for code in ("R1", "R2a", "R2b"):
        definition = kpi.definition(code)
        assert str(definition.title)
        assert str(definition.numerator)
        assert bool(str(definition.denominator)) == (definition.unit == "rate")
