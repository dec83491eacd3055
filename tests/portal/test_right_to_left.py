"""Arabic: what is read from the left, a name, a number, an amount, does not draw its neighbours along."""

from datetime import date

import pytest
from flask import Flask, render_template_string
from flask_babel import force_locale

from portal.web.ui import euros, icon, short_day

IN_BLOCK = "\u2067{}\u2069"


def test_dates_and_amounts_stand_apart_in_arabic_alone(app: Flask) -> None:
    with app.test_request_context("/"):
        with force_locale("ar"):
            assert short_day(date(2026, 11, 23)) == IN_BLOCK.format("23\u200f/11\u200f/2026")
            assert euros(1234_50) == IN_BLOCK.format("\u200f1,234.50\u00a0€")
        with force_locale("es"):
            assert short_day(date(2026, 11, 23)) == "23 nov 2026"


@pytest.mark.parametrize(
    ("name", "turns"), [("arrow-left", True), ("log-out", True), ("calendar", False), ("check", False)]
)
def test_drawings_that_point_are_turned_round(name: str, turns: bool) -> None:
    assert ("app-icon--turns" in icon(name)) == turns


def test_a_plain_value_of_a_summary_has_its_own_direction(app: Flask) -> None:
    rows = '[{"key": "a", "value": number}, {"key": "b", "value": made}]'
    source = '{% import "ui.html" as ui %}{{ ui.summary_list(' + rows + ") }}"
    with app.test_request_context("/"):
        shown = render_template_string(source, number="01 99 00 <b>", made=icon("check"))
    assert "<bdi>01 99 00 &lt;b&gt;</bdi>" in shown
    assert "<bdi><svg" not in shown
