"""A day in three boxes and an amount in euros: what people type, and what they are told."""

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from flask_babel import Babel
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from wtforms import Form
from wtforms.validators import DataRequired, InputRequired, Optional

from portal.web.fields import DateParts, EuroField
from portal.web.ui import error_links


class Visit(Form):
    born_on = DateParts("Born on", [InputRequired("Give your birth date")])
    back_on = DateParts("Back on", [Optional()])
    amount = EuroField("Amount", [InputRequired("Give an amount")], min_cents=100, max_cents=100_000)


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    app = Flask(__name__)
    Babel(app, default_locale="en")
    with app.test_request_context():
        yield


def sent(day: str = "27", month: str = "3", year: str = "1968", amount: str = "12,50", **others: str) -> Visit:
    typed = {"born_on-day": day, "born_on-month": month, "born_on-year": year, "amount": amount, **others}
    form = Visit(MultiDict(typed))
    form.validate()
    return form


def test_three_numbers_are_a_day() -> None:
    form = sent(day=" 27 ", month="03")
    assert form.born_on.data == date(1968, 3, 27)
    assert not form.errors


@pytest.mark.parametrize(
    ("typed", "bad"),
    [
        ({"day": ""}, {"day"}),
        ({"month": "", "year": ""}, {"month", "year"}),
        ({"year": "68"}, {"year"}),
        ({"month": "mars"}, {"month"}),
        ({"day": "-1"}, {"day"}),
        ({"day": "31", "month": "2"}, {"day", "month", "year"}),
        ({"year": "0000"}, {"day", "month", "year"}),
        ({"day": "1", "month": "1", "year": "0001"}, {"day", "month", "year"}),
        ({"day": "31", "month": "12", "year": "9999"}, {"day", "month", "year"}),
        ({"day": "9" * 5000}, {"day"}),
        ({"day": "²"}, {"day"}),
    ],
)
def test_what_is_not_a_day_is_marked_where_it_is_wrong(typed: dict[str, str], bad: set[str]) -> None:
    field = sent(**typed).born_on
    assert field.data is None
    assert len(field.errors) == 1
    assert field.bad_parts == bad


def test_nothing_typed_is_a_missing_answer_and_the_link_goes_to_the_first_box() -> None:
    form = sent(day="", month="", year="")
    assert error_links(form) == [("born_on-day", "Give your birth date")]


def test_the_link_goes_to_the_box_at_fault() -> None:
    assert error_links(sent(year="68"))[0][0] == "born_on-year"


def test_a_day_that_is_not_asked_for_may_stay_empty() -> None:
    assert sent().back_on.data is None


def test_what_was_typed_is_shown_again() -> None:
    assert sent(month="mars").born_on.typed == {"day": "27", "month": "mars", "year": "1968"}


def test_a_known_day_fills_the_boxes() -> None:
    assert Visit(born_on=date(1968, 3, 7)).born_on.typed == {"day": "7", "month": "3", "year": "1968"}


def test_a_refused_answer_does_not_leave_the_former_one_in_place() -> None:
    typed = MultiDict({"born_on-day": "31", "born_on-month": "2", "born_on-year": "2026", "amount": "douze"})
    form = Visit(typed, born_on=date(1968, 3, 7), amount=1250)
    assert form.born_on.data is None
    assert form.amount.data is None


def test_a_required_answer_does_not_hide_why_the_day_was_refused() -> None:
    class Strict(Form):
        on = DateParts("On", [DataRequired("Required")])

    form = Strict(MultiDict({"on-day": "31", "on-month": "2", "on-year": "2026"}))
    assert not form.validate()
    assert form.on.errors == ["This day does not exist: check the date"]


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("12", 1200),
        ("12,5", 1250),
        ("12.50", 1250),
        ("1 234,56 €", 123456),
        (" 999,99 € ", 99999),
        ("1\u202f000", 100000),
        ("1\u00a0000,00", 100000),
    ],
)
def test_amounts_as_people_type_them(typed: str, cents: int) -> None:
    assert sent(amount=typed).amount.data == cents


@pytest.mark.parametrize("typed", ["1.234", "12,345", "-5", "1e3", "12,", ",5", "douze", "٣", "1" * 40, "12 €€", "$12"])
def test_what_could_be_read_in_two_ways_is_refused(typed: str) -> None:
    form = sent(amount=typed)
    assert form.amount.data is None
    assert form.amount.errors == ["Write an amount in euros, such as 12.50"]
    assert form.amount._value() == typed


def test_amounts_keep_within_their_limits() -> None:
    assert sent(amount="0,99").amount.errors == ["The amount must be at least 1.00 €"]
    assert sent(amount="1000,01").amount.errors == ["The amount must be at most 1000.00 €"]


@given(st.integers(100, 100_000))
def test_every_amount_shown_is_read_back_to_the_cent(cents: int) -> None:
    shown = Visit(amount=cents).amount._value()
    assert sent(amount=shown).amount.data == cents
