"""Who comes back, and who came in a year: from two dates kept with the account, counted once."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from flask import Flask

from auth import returning
from auth.models import Account
from portal import db, kpi
from portal.kpi import KpiEvent, Period
from tests.ground import prepared, rows
from tests.writers import all_rolled_up

DAY = timedelta(days=1)
TODAY = date(2026, 6, 10)


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`on(day)`: it is noon of this day."""

    def set_clock(day: date) -> None:
        monkeypatch.setattr(db, "now", lambda: datetime.combine(day, time(12), UTC))

    return set_clock


def account(first: date | None = None, last: date | None = None, audience: str = "patient") -> Account:
    made = Account(audience=audience, name="A", email="", first_visit_on=first, last_visit_on=last)
    db.session.add(made)
    db.session.flush()
    return made


def comes(who: Account) -> None:
    with db.transaction(db.system("tests")) as current:
        returning.remember(current.get_one(Account, who.id))


def read(who: Account) -> tuple[date | None, date | None]:
    with db.transaction(db.system("tests")) as current:
        found = current.get_one(Account, who.id)
        return found.first_visit_on, found.last_visit_on


def test_the_first_and_the_last_day_are_kept(app: Flask, on: Any) -> None:
    with prepared():
        who = account()
    for day in (TODAY, TODAY, TODAY + 3 * DAY):
        on(day)
        comes(who)
    assert read(who) == (TODAY, TODAY + 3 * DAY)


def test_a_year_begins_once_for_each_account(app: Flask, on: Any) -> None:
    with prepared():
        who, other = account(), account(audience="professional")
    for day in (date(2025, 11, 2), date(2025, 12, 30), date(2026, 1, 2), TODAY):
        on(day)
        comes(who)
    comes(other)
    told = [(row.event, row.audience, row.pseudonym) for row in rows(KpiEvent)]
    begun = returning.YEAR_BEGUN
    assert told == [(begun, "patient", ""), (begun, "patient", ""), (begun, "professional", "")]


class TestReturns:
    def test_are_those_who_had_come_back_after_90_days(self, app: Flask) -> None:
        first = TODAY - DAY - 90 * DAY
        with prepared():
            for last in (first, first, first + DAY, first + 60 * DAY):
                account(first, last)
            account(first, first + DAY, "professional")
            account(first, first + DAY, "staff")
            account(first + DAY, first + 2 * DAY)
        with db.transaction(db.system("tests")):
            assert returning.freeze(TODAY) == [TODAY - DAY]
        with db.transaction(db.system("tests")):
            period = Period(TODAY - 9 * DAY, TODAY)
            found = kpi.frozen(returning.RETURNED, period)
            assert (found.numerator, found.denominator) == (3, 5)
            patients = kpi.frozen(returning.RETURNED, period, audiences=("patient",))
            assert (patients.numerator, patients.denominator) == (2, 4)

    def test_are_counted_once_and_never_again(self, app: Flask) -> None:
        first = TODAY - DAY - 90 * DAY
        with prepared():
            account(first, first + DAY)
            returning.freeze(TODAY)
            account(first, first + DAY)
            assert returning.freeze(TODAY) == []
        with db.transaction(db.system("tests")):
            assert kpi.frozen(returning.RETURNED, Period(TODAY - DAY, TODAY)).denominator == 1

    def test_days_without_a_worker_are_made_up_for(self, app: Flask) -> None:
        with prepared():
            returning.freeze(TODAY)
            assert returning.freeze(TODAY + 4 * DAY) == [TODAY + n * DAY for n in range(4)]

    def test_are_not_fed_before_they_are_counted(self, app: Flask) -> None:
        with db.transaction(db.system("tests")):
            assert kpi.frozen(returning.RETURNED, Period(TODAY, TODAY)).value is None


class TestYears:
    def test_those_of_a_year_are_kept_for_each_day(self, app: Flask) -> None:
        for day in (date(2025, 11, 3), date(2025, 12, 2), date(2026, 1, 1)):
            with prepared():
                kpi.count(returning.YEAR_BEGUN, audience="patient", at=datetime.combine(day, time(12), UTC))
        all_rolled_up()
        with prepared():
            for day in (date(2025, 11, 4), date(2025, 12, 1), date(2026, 1, 1), date(2026, 1, 2)):
                returning.freeze(day)
        with db.transaction(db.system("tests")):
            years = (
                (Period(date(2025, 1, 1), date(2025, 12, 31)), 2),
                (Period(date(2025, 11, 1), date(2025, 11, 30)), 1),
                (Period(date(2026, 1, 1), date(2026, 1, 30)), 1),
                (Period(date(2025, 10, 1), date(2025, 10, 31)), None),
            )
            for period, users in years:
                assert kpi.definition(returning.YEARLY).compute(period).value == users
