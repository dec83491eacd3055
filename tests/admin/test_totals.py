"""What hospitals say of themselves: typed by month, by file; each sees their own, and every word is kept."""

from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from auth.models import Account
from portal import db, kpi
from portal.kpi import Period, hospital_totals
from portal.kpi.hospital_totals import Entry, HospitalTotal
from tests.admin.conftest import Group
from tests.admin.test_dashboard import MOST_STATEMENTS
from tests.english import in_english as in_english
from tests.ground import audited, prepared, rows, today
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]
LAST = (today().replace(day=1) - timedelta(days=1)).replace(day=1)
"""The last month that is over."""
NORTH, SOUTH = "990000017", "990000025"
PAGE = "/admin/totaux"
HEADER = "finess;code;day;grain;value"


def month_page(finess: str = NORTH, month: date = LAST) -> str:
    return f"{PAGE}/{finess}/{month:%Y-%m}"


def send(browser: FlaskClient, *lines: str, header: str = HEADER) -> TestResponse:
    file = "\r\n".join([header, *lines, ""]).encode()
    data = {"file": (BytesIO(file), "totaux.csv")}
    return browser.post(f"{PAGE}/fichier", data=data, content_type="multipart/form-data")


def given(group: Group, code: str = "stays_planned", value: int = 12, month: date = LAST) -> None:
    with prepared():
        hospital_totals.receive([Entry(group.north.id, code, month, "month", value)], "file")


@pytest.fixture
def browser(group: Group, sign_in: SignIn) -> FlaskClient:
    return sign_in(group.administrator)


class TestOnScreen:
    def test_what_lacks_is_shown_month_by_month(self, browser: FlaskClient, group: Group) -> None:
        given(group, value=1234)
        page = browser.get(PAGE)
        assert page.status_code == 200
        assert "1,234" in page.text
        assert page.text.count("Missing") == 13 * 6 - 1

    def test_a_month_told_by_day_shows_their_sum_once_it_is_whole(self, browser: FlaskClient, group: Group) -> None:
        length = hospital_totals.last_day(LAST, "month").day
        days = [
            Entry(group.north.id, "stays_planned", LAST + timedelta(days=each), "day", 50) for each in range(length)
        ]
        with prepared():
            hospital_totals.receive(days[1:], "file")
        assert f"{length - 1} days of {length}" in browser.get(PAGE).text
        with prepared():
            hospital_totals.receive(days, "file")
        assert f"{50 * length:,}" in browser.get(PAGE).text

    def test_a_month_is_typed_and_feeds_the_figures(self, browser: FlaskClient, group: Group) -> None:
        form = {"consultations_booked": "1 250", "bills_issued_cents": "1 234,50"}
        assert browser.post(month_page(), data=form).status_code == 303
        told = {each.code: (each.value, each.source, each.by_name) for each in rows(HospitalTotal)}
        assert told == {
            "consultations_booked": (1250, "screen", "Adam Administrateur"),
            "bills_issued_cents": (123_450, "screen", "Adam Administrateur"),
        }
        with prepared():
            last = hospital_totals.last_day(LAST, "month")
            assert kpi.definition("R2b").compute(Period(LAST, last, group.north.id)).denominator == 1250
        assert "totals.received" in audited()

    def test_the_last_word_counts_and_the_former_one_stays(self, browser: FlaskClient, group: Group) -> None:
        given(group, value=12)
        browser.post(month_page(), data={"stays_planned": "14"})
        assert [(each.value, each.replaced_at is None) for each in rows(HospitalTotal)] == [(12, False), (14, True)]
        page = browser.get(month_page()).text
        assert "Replaced" in page
        assert "In force" in page
        assert "Command line" in page

    def test_the_same_word_again_changes_nothing(self, browser: FlaskClient, group: Group) -> None:
        given(group, value=12)
        answer = browser.post(month_page(), data={"stays_planned": "12"}, follow_redirects=True)
        assert "Nothing was changed" in answer.text
        assert len(rows(HospitalTotal)) == 1

    @pytest.mark.parametrize("typed", ["douze", "-1", "1.5", "9" * 16])
    def test_what_is_no_number_is_told_and_kept_to_be_corrected(self, browser: FlaskClient, typed: str) -> None:
        answer = browser.post(month_page(), data={"stays_planned": typed, "bills_issued": "3"})
        assert answer.status_code == 422
        assert "Write a whole number" in answer.text
        assert f'value="{typed}"' in answer.text
        assert 'type="number"' not in answer.text
        assert rows(HospitalTotal) == []

    def test_a_part_is_not_more_than_the_whole(self, browser: FlaskClient) -> None:
        answer = browser.post(month_page(), data={"consultations_booked": "3", "open_reasons_booked": "4"})
        assert answer.status_code == 422

    @pytest.mark.parametrize("month", [LAST + timedelta(days=31), date(1999, 1, 1)])
    def test_a_month_that_is_not_over_or_too_old_has_no_page(self, browser: FlaskClient, month: date) -> None:
        assert browser.get(month_page(month=month)).status_code == 404

    def test_pages_take_few_statements(self, app: Flask, browser: FlaskClient, group: Group) -> None:
        given(group)
        for page in (PAGE, month_page(), f"{PAGE}/fichier"):
            browser.get(page)
            with executed(app) as statements:
                assert browser.get(page).status_code == 200
            assert len(statements) <= MOST_STATEMENTS


class TestByFile:
    def test_lines_are_taken_and_the_others_refused_with_their_reason(self, browser: FlaskClient) -> None:
        answer = send(
            browser,
            f"{NORTH};stays_planned;{LAST};month;12",
            f"{NORTH};bills_issued;{LAST};day;3",
            f"{SOUTH};stays_planned;{LAST};month;12",
            f"{NORTH};beds;{LAST};month;12",
            f"{NORTH};stays_planned;{LAST + timedelta(days=1)};month;12",
            f"{NORTH};stays_planned;demain;day;12",
            f"{NORTH};stays_planned;{today()};day;12",
            f"{NORTH};stays_planned;{LAST};year;12",
            f"{NORTH};stays_planned;{LAST};month;-2",
            f"{NORTH};stays_planned;{LAST};month;{'9' * 5000}",
            f"{NORTH};stays_planned",
        )
        assert answer.status_code == 200
        assert "Totals added: 2" in answer.text
        assert "Lines refused: 9" in answer.text
        for why in ("No hospital of yours has the FINESS number", "is not the code of a total", "is not over",
                    "A month is named by its first day", "is not a day such as", "is neither month nor day",
                    "The value is not a whole number", "The line cannot be read"):  # fmt: skip
            assert why in answer.text
        assert {each.grain for each in rows(HospitalTotal)} == {"month", "day"}

    def test_the_same_file_again_changes_nothing(self, browser: FlaskClient) -> None:
        for _time in range(2):
            assert send(browser, f"{NORTH};stays_planned;{LAST};month;12").status_code == 303
        assert len(rows(HospitalTotal)) == 1

    @pytest.mark.parametrize("header", ["finess;code", ""])
    def test_what_is_no_such_file_is_told(self, browser: FlaskClient, header: str) -> None:
        assert send(browser, header=header).status_code == 422


class TestWhoComesIn:
    def test_another_hospital_is_not_there(self, browser: FlaskClient, group: Group) -> None:
        assert browser.get(month_page(SOUTH)).status_code == 404
        assert browser.post(month_page(SOUTH), data={"stays_planned": "1"}).status_code == 404
        assert "Hôpital du Sud" not in browser.get(f"{PAGE}?etablissement={SOUTH}").text

    @pytest.mark.parametrize("who", ["clerk", "auditor"])
    def test_only_administrators(self, group: Group, sign_in: SignIn, who: str) -> None:
        assert sign_in(getattr(group, who)).get(PAGE).status_code == 403

    def test_the_database_shows_another_hospital_nothing(self, group: Group) -> None:
        given(group)
        for place, seen in ((group.north, 1), (group.south, 0)):
            agent = db.Actor("staff", rights={"administration": frozenset({place.id})})
            with db.transaction(agent) as current:
                assert current.query(HospitalTotal).count() == seen
