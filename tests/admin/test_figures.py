"""The page of one figure: its bars, its definition, its file."""

from collections.abc import Callable
from csv import reader
from datetime import timedelta
from io import StringIO

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.models import Account
from portal import kpi
from portal.kpi import Definition, Figure
from tests.admin.conftest import Group
from tests.admin.test_dashboard import MOST_STATEMENTS, happens
from tests.ground import audited, today
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]
TODAY = today()


def table(answer: str) -> list[list[str]]:
    return list(reader(StringIO(answer.removeprefix("\ufeff"), newline=""), delimiter=";"))


def download(browser: FlaskClient, code: str, query: str = "", lang: str = "en") -> list[list[str]]:
    answer = browser.get(f"/admin/chiffres/{code}/telecharger?lang={lang}&{query}")
    assert answer.status_code == 200
    assert answer.get_data().startswith(b"\xef\xbb\xbf")
    return table(answer.get_data(as_text=True))


class TestPage:
    def test_every_declared_figure_has_its_page(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.director)
        for definition in kpi.definitions():
            answer = browser.get(f"/admin/chiffres/{definition.code}?lang=en")
            assert answer.status_code == 200
            assert f"Definition {definition.code}, version" in answer.text

    def test_bars_and_table_say_the_same(self, group: Group, sign_in: SignIn) -> None:
        happens("preadmission_submitted", 37, establishment_id=group.north.id, days_ago=3)
        page = sign_in(group.administrator).get("/admin/chiffres/P1?lang=en&period=7-days").text
        assert page.count("37</t") >= 2, "once in the chart's own table, once in the table of figures"

    def test_a_figure_that_is_not_fed_says_what_it_waits_for(self, group: Group, sign_in: SignIn) -> None:
        page = sign_in(group.administrator).get("/admin/chiffres/R2b?lang=en").text
        assert "This figure is not fed" in page
        assert "telecharger" not in page

    def test_a_figure_by_month_shows_months(self, group: Group, sign_in: SignIn) -> None:
        rows = download(sign_in(group.administrator), "U2", "period=7-days")
        assert len(rows) == 1 + 6
        assert {row[4][-2:] for row in rows[1:]} == {"01"}

    @pytest.mark.parametrize("code", ["Z9", "r2a", "%00", "..", "<script>"])
    def test_an_unknown_figure_is_not_found(self, group: Group, sign_in: SignIn, code: str) -> None:
        assert sign_in(group.administrator).get(f"/admin/chiffres/{code}").status_code == 404

    @pytest.mark.parametrize("who", ["clerk", "auditor"])
    def test_only_administrators_come_in(self, group: Group, sign_in: SignIn, who: str) -> None:
        browser = sign_in(getattr(group, who))
        assert browser.get("/admin/chiffres/P1").status_code == 403
        assert browser.get("/admin/chiffres/P1/telecharger").status_code == 403

    def test_it_takes_few_statements(self, app: Flask, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.director)
        for code in ("O1", "U1", "U2", "R2a", "F2"):
            with executed(app) as statements:
                browser.get(f"/admin/chiffres/{code}?from=2026-01-01")
            assert len(statements) <= MOST_STATEMENTS


class TestFile:
    def test_it_holds_what_is_shown_with_the_definitions_version(self, group: Group, sign_in: SignIn) -> None:
        booked = {"establishment_id": group.north.id, "dimension": "open_online", "days_ago": 1}
        happens("appointment_booked", 3, **booked)
        happens("appointment_booked", 5, **booked, channel="phone")
        rows = download(sign_in(group.administrator), "R2a", "period=7-days")
        assert rows[0] == ["Code", "Figure", "Version", "Hospital", "From", "To", "Numerator", "Denominator", "Value"]
        yesterday = str(TODAY - timedelta(days=1))
        title = "Rate of online appointments (reasons open online)"
        assert ["R2a", title, "1", "All my hospitals", yesterday, yesterday, "3", "8", "0.375"] in rows
        assert len(rows) == 1 + 7

    @pytest.mark.parametrize(("lang", "written"), [("fr", "2469,12"), ("en", "2469.12")])
    def test_numbers_are_written_as_the_readers_country_does(
        self, group: Group, sign_in: SignIn, lang: str, written: str
    ) -> None:
        happens("bill_paid", 2, establishment_id=group.north.id, quantity=123_456)
        assert download(sign_in(group.administrator), "F1a", "period=7-days", lang)[-1][-1] == written

    def test_a_text_that_looks_like_a_formula_runs_nothing(
        self, group: Group, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        trap = Definition("X1", '=HYPERLINK("http://trap.test")', "Things", "", lambda _period: Figure(1))
        monkeypatch.setattr("portal.kpi.catalogue._definitions", {"X1": trap})
        rows = download(sign_in(group.administrator), "X1")
        assert {row[1] for row in rows[1:]} == {'\'=HYPERLINK("http://trap.test")'}

    def test_taking_it_away_is_written_down(self, group: Group, sign_in: SignIn) -> None:
        download(sign_in(group.administrator), "P1", "establishment=990000017")
        assert audited().count("figures.exported") == 1

    def test_days_that_make_no_sense_give_no_file(self, group: Group, sign_in: SignIn) -> None:
        path = "/admin/chiffres/P1/telecharger?from=hier"
        assert sign_in(group.administrator).get(path).status_code == 422
