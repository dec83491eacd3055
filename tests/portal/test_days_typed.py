"""Days that people type around midnight: the day that has begun where they are is neither in the future nor past."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from wtforms.validators import ValidationError

from admin.forms_bill_refunds import TransferForm
from auth.mandates.forms import _in_the_past
from portal import db
from services.appointments.city.forms import NEW, BookForPatientForm
from services.appointments.forms import NewPatientForm
from services.appointments.requests.forms import _check_day
from services.appointments.waiting.forms import WaitingForm
from services.lines.forms import CallbackForm

NIGHT = datetime(2026, 11, 23, 23, 20, tzinfo=UTC)
"""0:20 on the 24th in Paris, 10:20 in Nouméa; 19:20 on the 23rd in Guadeloupe."""
TODAY = date(2026, 11, 24)
_DAY = timedelta(days=1)
Check = Callable[[Any], None]
ANY: Any = SimpleNamespace(patient=SimpleNamespace(data=NEW))

ALREADY: list[Check] = [
    lambda field: NewPatientForm.validate_birth_on(ANY, field),
    lambda field: BookForPatientForm.validate_birth_on(ANY, field),
    lambda field: CallbackForm.validate_patient_born_on(ANY, field),
    lambda field: _in_the_past(ANY, field),
    lambda field: TransferForm.validate_moved_on(ANY, field),
]
"""Births, and a transfer that was made."""
NOT_YET: list[Check] = [_check_day, lambda field: WaitingForm.validate_until_on(ANY, field)]
"""Days to come."""


@pytest.fixture(autouse=True)
def _night(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "now", lambda: NIGHT)


def _takes(check: Check, day: date) -> bool:
    try:
        check(SimpleNamespace(data=day))
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("check", ALREADY)
def test_a_day_that_has_begun_is_not_in_the_future(app: Flask, check: Check) -> None:
    with app.test_request_context():
        assert [_takes(check, TODAY + ahead * _DAY) for ahead in (-1, 0, 1)] == [True, True, False]


@pytest.mark.parametrize("check", NOT_YET)
def test_a_day_that_is_not_over_everywhere_is_to_come(app: Flask, check: Check) -> None:
    with app.test_request_context():
        assert [_takes(check, TODAY + ahead * _DAY) for ahead in (-2, -1, 0)] == [False, True, True]
