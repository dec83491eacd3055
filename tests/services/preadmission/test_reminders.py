"""Somebody who has not finished is reminded: on the right days, by the way they chose, never at night, never twice,
and only while there still is something to do."""

from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from portal import calendar, db, notifications
from services.preadmission import actions
from services.preadmission.answers import Choices
from services.preadmission.models import Preadmission
from services.preadmission.reminders import planning, sending
from services.preadmission.reminders.models import PreadmissionReminder
from tests.factories import people
from tests.factories.preadmission import preadmission
from tests.ground import prepared, rows, today
from tests.services.preadmission.conftest import Ground

PARIS = ZoneInfo("Europe/Paris")


def _at(hour: int, days: int = 0) -> datetime:
    """An hour of the hospital's clock, today or later."""
    return calendar.to_utc_or_after(today() + timedelta(days=days), time(hour), PARIS)


def _draft(ground: Ground, in_days: int = 14, **more: object) -> UUID:
    with prepared():
        made = preadmission(
            ground.patient, ground.hospital.unit, planned_on=today() + timedelta(days=in_days),
            account_id=ground.account.id, **more,  # type: ignore[arg-type]  # keywords of the factory
        )  # fmt: skip
        made.changed_at = db.now()
        return made.id


def _plan(now: datetime) -> int:
    with prepared():
        return planning.plan(now)


def _depart(now: datetime) -> sending.Parting | None:
    (reminder,) = rows(PreadmissionReminder)
    with prepared():
        return sending.depart(reminder.id, now)


@pytest.fixture
def sent(app: Flask) -> Iterator[list[tuple[str, str, str]]]:
    """(address, subject, text) of the mails that leave without being kept."""
    found: list[tuple[str, str, str]] = []
    carry = notifications.carry
    notifications.carry = lambda *told: found.append(told)  # type: ignore[assignment]  # in the mail server's place
    yield found
    notifications.carry = carry


@pytest.mark.parametrize(("in_days", "planned"), [(14, 1), (7, 1), (3, 1), (13, 0), (8, 0), (2, 0), (30, 0)])
def test_a_draft_is_reminded_of_two_weeks_one_week_and_three_days_before(
    ground: Ground, in_days: int, planned: int
) -> None:
    _draft(ground, in_days)
    assert _plan(_at(10)) == planned


@pytest.mark.parametrize(("hour", "planned"), [(8, 0), (9, 1), (19, 1), (20, 0), (23, 0), (3, 0)])
def test_nothing_leaves_at_night(ground: Ground, hour: int, planned: int) -> None:
    _draft(ground)
    assert _plan(_at(hour)) == planned


def test_planned_twice_it_is_one_message_and_two_files_are_one_message(ground: Ground) -> None:
    _draft(ground)
    _draft(ground)
    assert (_plan(_at(10)), _plan(_at(11))) == (1, 0)


def test_the_message_says_nothing_of_the_stay(ground: Ground, sent: list[tuple[str, str, str]]) -> None:
    from services.preadmission.reminders import mails

    file_id = _draft(ground)
    subject, text = mails.mail("fr")
    with prepared():
        file = db.session.get_one(Preadmission, file_id)
        for word in (file.unit.name, file.establishment.name, file.reference, ground.patient.birth_name, "admission"):
            assert word not in subject + text + mails.text("fr")


def test_what_was_sent_meanwhile_is_not_reminded_of(ground: Ground) -> None:
    file_id = _draft(ground)
    _plan(_at(10))
    with prepared():
        file = db.session.get_one(Preadmission, file_id)
        file.state, file.submitted_at = "submitted", db.now()
    assert _depart(_at(10)) is None
    assert [(each.state, each.because) for each in rows(PreadmissionReminder)] == [("dropped", "nothing_due")]


@pytest.mark.parametrize("end", ["cancel", "move"])
def test_a_cancelled_or_moved_stay_is_not_reminded_of(ground: Ground, end: str) -> None:
    file_id = _draft(ground)
    _plan(_at(10))
    with prepared():
        file = db.session.get_one(Preadmission, file_id)
        if end == "cancel":
            actions.cancel_there(file)
        else:
            actions.move_stay(file, actions.Stay(file.unit_id, file.planned_on + timedelta(days=2), file.stay_kind))
    assert _depart(_at(10)) is None


def test_a_worker_that_died_on_the_way_sends_nothing_twice(ground: Ground) -> None:
    _draft(ground)
    _plan(_at(10))
    assert _depart(_at(10)) is not None
    assert _depart(_at(10)) is None
    assert rows(PreadmissionReminder)[0].state == "uncertain"


def test_a_reminder_is_for_its_day(ground: Ground) -> None:
    _draft(ground)
    _plan(_at(10))
    assert _depart(_at(10, days=1)) is None
    assert rows(PreadmissionReminder)[0].because == "too_late"


def test_what_came_back_from_the_mail_server_may_leave_later(ground: Ground) -> None:
    _draft(ground)
    _plan(_at(10))
    parting = _depart(_at(10))
    assert parting is not None
    (reminder,) = rows(PreadmissionReminder)
    with prepared():
        sending.come_back(reminder.id)
    assert _depart(_at(11)) is not None
    with prepared():
        sending.settle(reminder.id, "sent", "", parting)
    assert rows(PreadmissionReminder)[0].state == "sent"


@pytest.mark.parametrize(("by_mail", "planned"), [(True, 1), (False, 0)])
def test_whoever_refused_mails_in_the_file_gets_none(ground: Ground, by_mail: bool, planned: int) -> None:
    _draft(ground, answers=[Choices(by_mail=by_mail)])
    assert _plan(_at(10)) == planned


def test_what_is_masked_is_told_to_nobody_but_its_person(ground: Ground) -> None:
    """The parent acts for the child, and hears nothing of what the child keeps for themselves."""
    with prepared():
        child = people.patient(birth_on=today() - timedelta(days=365 * 15))
        people.give_access(ground.account, child, "parent")
        made = preadmission(child, ground.hospital.unit, planned_on=today() + timedelta(days=14))
        made.masked = True
    assert _plan(_at(10)) == 0
    with prepared():
        db.session.scalars(select(Preadmission)).one().masked = False
    assert _plan(_at(10)) == 1


def test_what_is_missing_is_reminded_of_the_eve_and_the_day_after(ground: Ground) -> None:
    with prepared():
        made = preadmission(
            ground.patient, ground.hospital.unit, "to_complete", planned_on=today() + timedelta(days=20),
            account_id=ground.account.id,
        )  # fmt: skip
        made.complete_by = today() + timedelta(days=1)
    assert _plan(_at(10)) == 1
    with prepared():
        db.session.scalars(select(Preadmission)).one().complete_by = today() - timedelta(days=1)
        db.session.delete(db.session.scalars(select(PreadmissionReminder)).one())
    assert _plan(_at(10)) == 1


def test_a_draft_that_will_be_deleted_is_told_fifteen_days_before(ground: Ground) -> None:
    file_id = _draft(ground, in_days=40)
    with prepared():
        db.session.get_one(Preadmission, file_id).changed_at = _at(12) - timedelta(days=15)
    assert _plan(_at(10)) == 1


def test_the_morning_is_the_hospitals_own(ground: Ground) -> None:
    with prepared():
        db.session.merge(ground.hospital.establishment).time_zone = "Indian/Reunion"
    _draft(ground)
    noon_there = calendar.to_utc_or_after(today(), time(7), PARIS)
    assert calendar.civil_day(noon_there, ZoneInfo("Indian/Reunion")) == today()
    assert _plan(noon_there) == 1, "seven in Paris is nine or ten in La Réunion"


def test_nobody_but_its_account_sees_a_reminder(ground: Ground) -> None:
    _draft(ground)
    _plan(_at(10))
    with db.transaction(ground.as_patient) as current:
        assert len(current.scalars(select(PreadmissionReminder)).all()) == 1
    for stranger in (ground.as_other_patient, ground.as_clerk, db.ANONYMOUS):
        with db.transaction(stranger) as current:
            assert current.scalars(select(PreadmissionReminder)).all() == []


def test_the_jobs_send_it(
    ground: Ground, sent: list[tuple[str, str, str]], work_jobs: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "SEND_FROM", 0)
    monkeypatch.setattr(planning, "QUIET_FROM", 24)
    _draft(ground)
    _plan(db.now())
    work_jobs()
    assert [to for to, _subject, _text in sent] == [ground.account.email]
    assert rows(PreadmissionReminder)[0].state == "sent"
