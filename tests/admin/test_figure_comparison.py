"""Hospitals side by side: ranked, on whole months, quarters and years, with nobody to be recognised."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from admin import forms_figure_comparison, spans
from admin.spans import Days
from auth.models import Account
from portal.kpi import GROUP_ZONE, disclosure
from tests.admin.conftest import Group
from tests.admin.test_dashboard import MOST_STATEMENTS, happens
from tests.admin.test_figure_services import figures
from tests.english import in_english  # noqa: F401 - pages are read in English
from tests.factories import hospitals, people
from tests.ground import prepared, today
from tests.pages import parsed
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]
PATH = "/admin/chiffres/comparaison"
BOOKED = "appointment_booked"


def noon_of_last_month() -> datetime:
    """The fifteenth of the month that is over."""
    first = spans.last_month(today()).first
    return datetime.combine(first + timedelta(days=14), time(12), ZoneInfo(GROUP_ZONE))


def rows(browser: FlaskClient, query: str = "figure=R1&period=last-month") -> list[list[str]]:
    answer = browser.get(f"{PATH}?{query}")
    assert answer.status_code == 200
    table = parsed(answer.text).find(".//table[@id='comparison']")
    return [[" ".join("".join(cell.itertext()).split()) for cell in row] for row in table.iterfind(".//tbody/tr")]


@pytest.fixture
def busy(group: Group) -> Group:
    for place, online, by_phone in ((group.north, 40, 60), (group.south, 90, 30)):
        booked = {"establishment_id": place.id, "dimension": "open_online", "at": noon_of_last_month()}
        happens(BOOKED, online, **booked)
        happens(BOOKED, by_phone, **booked, channel="phone", audience="staff")
    return group


class TestTable:
    def test_the_best_comes_first_with_its_parts_and_what_it_has_opened(self, busy: Group, sign_in: SignIn) -> None:
        found = rows(sign_in(busy.director), "figure=R2a&period=last-month")
        assert [row[:4] for row in found] == [
            ["Hôpital du Sud", "1", "75%", "90 of 120"],
            ["Hôpital du Nord", "2", "40%", "40 of 100"],
        ]
        assert [row[-1] for row in found] == ["1 of 5", "5 of 5"]

    def test_small_numbers_and_rates_of_few_are_hidden(self, busy: Group, sign_in: SignIn) -> None:
        cancelled = {"establishment_id": busy.north.id, "at": noon_of_last_month()}
        happens("preadmission_submitted", 4, **cancelled)
        happens("preadmission_submitted", 31, establishment_id=busy.south.id, at=noon_of_last_month())
        director = sign_in(busy.director)
        assert [row[:3] for row in rows(director, "figure=P1&period=last-month")] == [
            ["Hôpital du Sud", "1", "31"],
            ["Hôpital du Nord", "–", "< 11"],
        ]
        assert "this page may be shown to others" in director.get(f"{PATH}?figure=P1&period=last-month").text

    def test_parts_and_their_whole_do_not_tell_together_what_each_hides(self, busy: Group, sign_in: SignIn) -> None:
        for channel, times in (("payfip", 15), ("stripe", 3)):
            here = {"establishment_id": busy.north.id, "at": noon_of_last_month(), "channel": channel}
            happens("bill_paid", times, **here)
        director = sign_in(busy.director)
        told = [
            next(row[2] for row in rows(director, f"figure={code}&period=last-month") if row[0] == "Hôpital du Nord")
            for code in ("F1", "F1b", "F1c")
        ]
        assert told[2] == "< 11"
        assert told[:2] != ["18", "15"]

    def test_the_months_are_drawn_on_one_scale(self, busy: Group, sign_in: SignIn) -> None:
        answer = sign_in(busy.director).get(f"{PATH}?figure=R1&period=last-month").text
        months = figures(answer, "Month by month")
        assert len(months) == 13
        assert months[-1][1:] == ["90", "40"]

    def test_who_administers_one_hospital_is_told_that_it_takes_two(self, busy: Group, sign_in: SignIn) -> None:
        answer = sign_in(busy.administrator).get(PATH).text
        assert "A comparison needs two of them" in answer
        assert busy.south.name not in answer

    @pytest.mark.parametrize("who", ["clerk", "auditor"])
    def test_only_administrators_come_in(self, group: Group, sign_in: SignIn, who: str) -> None:
        assert sign_in(getattr(group, who)).get(PATH).status_code == 403

    @pytest.mark.parametrize("query", ["figure=U3", "figure=%00&period=%00", "period=2026-13", "period=30-days"])
    def test_odd_addresses_show_the_usual_comparison(self, group: Group, sign_in: SignIn, query: str) -> None:
        assert sign_in(group.director).get(f"{PATH}?{query}").status_code == 200


class TestCost:
    @pytest.mark.parametrize("figure", ["R1", "R2b", "P2", "O2"])
    def test_ten_hospitals_take_no_more_statements_than_two(
        self, app: Flask, group: Group, sign_in: SignIn, figure: str
    ) -> None:
        with prepared():
            for number in range(8):
                place = hospitals.hospital(f"99000010{number}", f"Hôpital {number}").establishment
                people.grant(group.director, place.id, "administration")
        director = sign_in(group.director)
        with executed(app) as statements:
            assert len(rows(director, f"figure={figure}&period=last-year")) == 10
        assert len(statements) <= MOST_STATEMENTS, statements


@given(st.dates(date(2021, 1, 1), date(2032, 12, 31)))
def test_every_period_is_one_of_the_grid_and_is_over(day: date) -> None:
    for name, days in forms_figure_comparison.periods(day).items():
        assert days.last < day, name
        assert days.span in disclosure.grid(disclosure.beginning(days.first), days.last), name
        before = spans.span_before(days)
        assert before.last + timedelta(days=1) == days.first
        assert before.span in disclosure.grid(disclosure.beginning(before.first), before.last)


def test_a_quarter_is_named_as_people_name_it() -> None:
    named = forms_figure_comparison.periods(date(2026, 2, 10))
    assert named["last-quarter"] == Days(date(2025, 10, 1), date(2025, 12, 31)) == named["2025-T4"]
