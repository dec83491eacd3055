"""Whoever has a régie's bill to pay is reminded of it: on its days, never at night, never twice, and only while there
still is something to pay that nobody disputes."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from auth.death import actions as deaths
from auth.models import PatientAccess
from portal import calendar, db, jobs, notifications
from portal.gateways.payments.means import Ending
from services.billing.models import Bill
from services.billing.questions import actions as questions
from services.billing.reminders import actions, mails, policy, sending
from services.billing.reminders.models import BillReminder, BillReminderSetting
from services.billing.reminders.policy import Rules
from tests.factories import bill_questions, billing
from tests.ground import audited, prepared, rows, today
from tests.services.billing.conftest import Ground
from tests.services.billing.test_who_sees import seen, strangers, writes

PARIS = ZoneInfo("Europe/Paris")


def at(hour: int, days: int = 0) -> datetime:
    """An hour of the hospital's clock, today or later."""
    return calendar.to_utc_or_after(today() + timedelta(days=days), time(hour), PARIS)


NOON = 12


@pytest.fixture
def due(ground: Ground) -> Ground:
    """The bill is to be paid within seven days: today is its day."""
    with prepared():
        db.session.execute(
            update(Bill).values(due_on=today() + timedelta(days=7), issued_on=today() - timedelta(days=20))
        )
    return ground


def plan(now: datetime) -> int:
    with prepared():
        return sending.plan(now)


def depart(now: datetime) -> sending.Parting | None:
    (reminder,) = rows(BillReminder)
    with prepared():
        return sending.depart(reminder.id, now)


def change(**facts: object) -> None:
    with prepared():
        db.session.execute(update(Bill).values(**facts))


@pytest.fixture
def sent(app: Flask) -> Iterator[list[tuple[str, str, str]]]:
    """(address, subject, text) of the mails that leave without being kept."""
    found: list[tuple[str, str, str]] = []
    carry = notifications.carry
    notifications.carry = lambda *told: found.append(told)  # type: ignore[assignment]  # in the mail server's place
    yield found
    notifications.carry = carry


def test_a_week_before_its_day_a_bill_is_reminded_of(due: Ground, sent: list[tuple[str, str, str]]) -> None:
    assert plan(at(NOON)) == 1
    parting = depart(at(NOON))
    assert parting is not None
    assert (parting.to.email, parting.bills) == (due.account.email, (due.bill.id,))
    with prepared():
        sending.settle(rows(BillReminder)[0].id, "sent", "", parting)
    assert rows(BillReminder)[0].state == "sent"
    assert "bill.reminded" in audited()


def test_the_message_leaves_once_by_its_job(
    due: Ground, sent: list[tuple[str, str, str]], work_jobs: Callable[[], None]
) -> None:
    with prepared():
        actions.change_setting(due.bill.establishment_id, {"quiet_until": 0, "send_at": 0, "quiet_from": 24})
        assert sending.plan(db.now()) == 1
        jobs.enqueue("billing.send_reminder", reminder_id=str(db.session.scalars(select(BillReminder.id)).one()))
    work_jobs()
    assert [to for to, _subject, _text in sent] == [due.account.email]
    assert rows(BillReminder)[0].state == "sent"


@pytest.mark.parametrize("days", [-8, -6, 0, 9, 11, 29, 31])
def test_on_other_days_nothing_is_sent(due: Ground, days: int) -> None:
    """-7, 10 and 30 days from the day by which to pay, and no other."""
    change(due_on=today() - timedelta(days=days))
    assert plan(at(NOON)) == 0


@pytest.mark.parametrize("days", [-7, 10, 30])
def test_on_its_days_it_is(due: Ground, days: int) -> None:
    change(due_on=today() - timedelta(days=days))
    assert plan(at(NOON)) == 1


def test_a_bill_without_a_day_is_due_a_month_after_it_was_sent(due: Ground) -> None:
    change(due_on=None, issued_on=today() - timedelta(days=23))
    assert plan(at(NOON)) == 1


@pytest.mark.parametrize("hour", [0, 7, 9, 20, 23])
def test_nothing_leaves_at_night_nor_before_the_hour(due: Ground, hour: int) -> None:
    assert plan(at(hour)) == 0


def test_what_was_planned_does_not_leave_at_night_either(due: Ground) -> None:
    plan(at(NOON))
    assert depart(at(22)) is None
    assert rows(BillReminder)[0].state == "dropped"


def test_several_bills_and_several_runs_make_one_message_a_day(due: Ground) -> None:
    with prepared():
        billing.bill(
            due.hospital.establishment, due.patient, due_on=today() - timedelta(days=10),
            issued_on=today() - timedelta(days=40),
        )  # fmt: skip
    assert [plan(at(NOON)), plan(at(NOON))] == [1, 0]
    parting = depart(at(NOON))
    assert parting is not None
    assert len(parting.bills) == 2


def _paid(due: Ground) -> None:
    with prepared():
        billing.attempt(db.session.merge(due.bill), Ending.PAID)


def _under_way(due: Ground) -> None:
    with prepared():
        billing.attempt(db.session.merge(due.bill), None)


def _debited(due: Ground) -> None:
    with prepared():
        billing.attempt(db.session.merge(due.bill), Ending.DEBIT_ACCEPTED)


def _asked(kind: str) -> Callable[[Ground], None]:
    def ask(due: Ground) -> None:
        with prepared():
            questions.ask(due.patient.id, due.bill.id, kind, "Bonjour ?")

    return ask


def _dead(due: Ground) -> None:
    with prepared():
        deaths.declare(
            due.patient.id, died_on=today() - timedelta(days=1), source="hospital",
            establishment_id=due.bill.establishment_id,
        )  # fmt: skip


def _off(due: Ground) -> None:
    with prepared():
        actions.change_setting(due.bill.establishment_id, {"is_on": False})


def _source_that_reminds_nobody(due: Ground) -> None:
    with prepared():
        bill_questions.source(due.hospital.establishment, reminds=False)


STOPS = {
    "paid": _paid,
    "under way": _under_way,
    "debit accepted": _debited,
    "closed": lambda _due: change(closed_reason="cancelled", closed_at=db.now()),
    "masked": lambda _due: change(masked=True),
    "a titre": lambda _due: change(source="titre"),
    "private": lambda _due: change(source="private"),
    "unknown patient": lambda _due: change(patient_id=None),
    "disputed": _asked("dispute"),
    "said to be paid": _asked("paid"),
    "instalments asked": _asked("instalments"),
    "a question waits": _asked("question"),
    "dead": _dead,
    "hospital reminds nobody": _off,
    "source reminds nobody": _source_that_reminds_nobody,
}


@pytest.mark.parametrize("why", sorted(STOPS))
def test_never_when_there_is_nothing_to_ask(due: Ground, why: str) -> None:
    STOPS[why](due)
    assert plan(at(NOON)) == 0


@pytest.mark.parametrize("why", sorted(STOPS))
def test_what_happens_after_the_planning_stops_it_just_before_it_leaves(due: Ground, why: str) -> None:
    assert plan(at(NOON)) == 1
    STOPS[why](due)
    assert depart(at(NOON)) is None
    assert rows(BillReminder)[0].state == "dropped"


def test_an_answered_question_holds_reminders_no_longer_but_a_dispute_does(due: Ground) -> None:
    place = due.bill.establishment_id
    for kind, planned in (("question", 1), ("dispute", 0)):
        with prepared():
            db.session.execute(delete(BillReminder))
            asked = questions.ask(due.patient.id, due.bill.id, kind, "Bonjour ?")
            questions.answer([place], asked.id, "Voici.", version=asked.version, closes=False)
        assert plan(at(NOON)) == planned
        with prepared():
            questions.withdraw(due.patient.id, asked.id)
    assert plan(at(NOON)) == 1


def test_late_it_is_not_sent_any_more(due: Ground) -> None:
    plan(at(NOON))
    assert depart(at(NOON, days=1)) is None
    assert rows(BillReminder)[0].because == "too_late"


def test_a_worker_that_died_on_the_way_sends_nothing_twice(due: Ground) -> None:
    plan(at(NOON))
    assert depart(at(NOON)) is not None
    assert depart(at(NOON)) is None
    assert rows(BillReminder)[0].state == "uncertain"


def test_somebody_without_an_account_is_told_how_to_find_the_bill(due: Ground) -> None:
    with prepared():
        db.session.execute(delete(PatientAccess))
        db.session.merge(due.patient).email = "papier@exemple.test"
    assert plan(at(NOON)) == 1
    parting = depart(at(NOON))
    assert parting is not None
    assert (parting.to.account_id, parting.to.email) == (None, "papier@exemple.test")
    assert "/factures/payer" in mails.mail("fr", 1, has_account=False)[1]


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_the_message_names_no_amount_no_care_no_hospital(due: Ground, locale: str) -> None:
    with prepared():
        words = " ".join(mails.mail(locale, 1, has_account=True))
    for secret in (due.bill.reference, "45", due.bill.label, due.bill.unit, due.hospital.establishment.name, "MARTIN"):
        assert secret not in words


def test_strangers_see_nothing_and_write_nothing(due: Ground) -> None:
    plan(at(NOON))
    _off(due)
    tables = ("bill_reminder", "bill_reminder_setting")
    for name, actor in strangers(due).items():
        assert seen(actor, *tables) == set(), name
        assert not writes(actor, "bill_reminder"), name
    assert len(rows(BillReminderSetting)) == 1


@given(
    st.dates(min_value=date(2020, 1, 1), max_value=date(2035, 1, 1)),
    st.frozensets(st.integers(0, policy.FURTHEST_DAYS), max_size=5),
    st.frozensets(st.integers(0, policy.FURTHEST_DAYS), max_size=5),
)
def test_a_bill_is_reminded_of_on_its_days_and_no_other(
    day: date, before: frozenset[int], after: frozenset[int]
) -> None:
    wanted = Rules(before_days=before, after_days=after)
    for term in wanted.due_terms(day):
        assert (term - day).days in before or (day - term).days in after
    for days in before:
        assert day + timedelta(days=days) in wanted.due_terms(day)


@given(st.datetimes(timezones=st.just(PARIS)), st.integers(0, 23), st.integers(0, 23), st.integers(1, 24))
def test_quiet_hours_are_quiet(now: datetime, send_at: int, until: int, quiet_from: int) -> None:
    wanted = Rules(send_at=send_at, quiet_until=until, quiet_from=quiet_from)
    if wanted.allow(now, PARIS):
        assert until <= now.hour < quiet_from
        assert now.hour >= send_at
