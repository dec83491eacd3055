"""The dashboard: it moves as one uses the portal, and shows each administrator their own hospitals."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from auth.models import Account
from portal import db, kpi
from portal.calendar import civil_day
from portal.kpi import KpiEvent
from tests.admin.conftest import Group
from tests.ground import prepared
from tests.pages import parsed
from tests.statements import executed
from tests.writers import all_rolled_up

SignIn = Callable[[Account], FlaskClient]
MOST_STATEMENTS = 12


def happens(event: str, times: int = 1, *, days_ago: int = 0, **facts: Any) -> None:
    """Events that the rooms write, some days ago, once the worker has counted them."""
    at = datetime.now(UTC) - timedelta(days=days_ago)
    row = {"event": event, "establishment_id": kpi.GROUP_WIDE, "channel": "web", "audience": "patient",
           "dimension": "", "quantity": 0, "pseudonym": "", "at": at} | facts  # fmt: skip
    with prepared():
        db.session.execute(insert(KpiEvent).inline(), [row] * times)
    all_rolled_up()


def tiles(page: str) -> dict[str, str]:
    """Code → all the words of its tile."""
    found = {}
    for tile in parsed(page).iterfind(".//div[@class='app-stat']"):
        words = re.sub(r"\s+", " ", " ".join(tile.itertext())).replace("\u202f", " ").replace("\u00a0", " ").strip()
        code = next(each.text for each in tile.iter("span") if each.get("class") == "app-stat__code")
        found[code] = words
    return found


def shown(browser: FlaskClient, query: str = "", service: str = "") -> dict[str, str]:
    path = f"/admin/chiffres/services/{service}" if service else "/admin/"
    answer = browser.get(f"{path}?lang=en&{query}")
    assert answer.status_code == 200
    return tiles(answer.text)


class TestWhoComesIn:
    def test_an_administrator_sees_the_figures(self, group: Group, sign_in: SignIn) -> None:
        assert list(shown(sign_in(group.administrator))) == ["O1", "U2", "U3", "R1", "P1", "D1"]

    def test_a_clerk_is_sent_to_their_tray(self, group: Group, sign_in: SignIn) -> None:
        assert sign_in(group.clerk).get("/admin/").headers["Location"] == "/admin/pre-admissions"

    def test_an_auditor_is_sent_to_the_journal(self, group: Group, sign_in: SignIn) -> None:
        assert sign_in(group.auditor).get("/admin/").headers["Location"] == "/admin/journal"

    def test_a_stranger_is_sent_to_the_door(self, group: Group, client: FlaskClient) -> None:
        assert client.get("/admin/").headers["Location"].startswith("/admin/connexion")


class TestFigures:
    def test_it_moves_as_one_uses_the_portal(self, group: Group, sign_in: SignIn, client: FlaskClient) -> None:
        director = sign_in(group.director)
        before = shown(director)
        client.get("/")
        happens("nothing_shown")
        after = shown(director)
        assert re.search(r"U3 0 ", before["U3"])
        assert re.search(r"U3 1 ", after["U3"])

    def test_a_rate_shows_its_two_parts(self, group: Group, sign_in: SignIn) -> None:
        booked = {"establishment_id": group.north.id, "dimension": "open_online"}
        happens("appointment_booked", 45, **booked)
        happens("appointment_booked", 75, **booked, channel="phone", audience="staff")
        happens("appointment_booked", 30, establishment_id=group.north.id, channel="phone", audience="staff")
        administrator = sign_in(group.administrator)
        found = shown(administrator, service="appointments")
        assert "37.5%" in found["R2a"]
        assert "45 of 120" in found["R2a"]
        assert "R1 45 " in found["R1"]
        assert "37.5% (45 of 120)" in shown(administrator)["R1"], "the number, and the rate that goes with it"

    def test_a_rate_over_few_cases_says_so(self, group: Group, sign_in: SignIn) -> None:
        happens("appointment_booked", 3, establishment_id=group.north.id, dimension="open_online")
        assert "3 of 3: few cases" in shown(sign_in(group.administrator), service="appointments")["R2a"]

    def test_what_needs_the_hospitals_totals_is_not_fed(self, group: Group, sign_in: SignIn) -> None:
        assert "Not fed" in shown(sign_in(group.administrator), service="appointments")["R2b"]

    def test_each_figure_comes_with_its_definition(self, group: Group, sign_in: SignIn) -> None:
        administrator = sign_in(group.administrator)
        for code, words in (shown(administrator) | shown(administrator, service="billing")).items():
            assert f"Definition {code}, version 1." in words
            assert "Counts: " in words

    def test_a_figure_is_compared_with_the_equal_period_before(self, group: Group, sign_in: SignIn) -> None:
        happens("preadmission_submitted", 6, establishment_id=group.north.id, days_ago=2)
        happens("preadmission_submitted", 4, establishment_id=group.north.id, days_ago=9)
        happens("preadmission_submitted", 1, establishment_id=group.north.id, days_ago=14)
        administrator = sign_in(group.administrator)
        assert "P1 6 +50 % (4 before)" in shown(administrator, "period=7-days")["P1"]
        assert "P1 11 none before" in shown(administrator, "period=30-days")["P1"]

    def test_a_move_of_less_than_one_per_cent_is_not_written_as_none(self, group: Group, sign_in: SignIn) -> None:
        happens("preadmission_submitted", 199, establishment_id=group.north.id, days_ago=2)
        happens("preadmission_submitted", 200, establishment_id=group.north.id, days_ago=9)
        assert "P1 199 -0.5 % (200 before)" in shown(sign_in(group.administrator), "period=7-days")["P1"]

    def test_only_the_chosen_days_count(self, group: Group, sign_in: SignIn) -> None:
        happens("preadmission_submitted", 5, establishment_id=group.north.id, days_ago=10)
        happens("preadmission_submitted", 2, establishment_id=group.north.id, days_ago=11)
        day = civil_day(db.now() - timedelta(days=10), group.north.tz)
        assert "P1 5 " in shown(sign_in(group.administrator), f"from={day}&to={day}")["P1"]

    def test_services_on_offer_are_those_of_the_hospital(self, group: Group, sign_in: SignIn) -> None:
        director = sign_in(group.director)
        assert "O1 5 " in shown(director)["O1"]
        assert "O1 1 " in shown(director, f"establishment={group.south.finess}")["O1"]

    def test_active_users_are_distinct_people_of_the_month(self, group: Group, sign_in: SignIn) -> None:
        happens("session_opened", 3, pseudonym="anna")
        happens("session_opened", 1, pseudonym="bob", audience="professional")
        happens("session_opened", 1, pseudonym="agent", audience="staff")
        assert "U2 2 " in shown(sign_in(group.administrator))["U2"]


class TestOtherHospitals:
    @pytest.fixture
    def busy(self, group: Group) -> Group:
        for place, times in ((group.north, 31), (group.south, 57)):
            happens("preadmission_submitted", times, establishment_id=place.id)
        return group

    def test_their_figures_are_invisible(self, busy: Group, sign_in: SignIn) -> None:
        page = sign_in(busy.administrator).get("/admin/?lang=en").text
        assert "P1 31 " in tiles(page)["P1"]
        assert busy.south.name not in page

    def test_naming_one_in_the_address_finds_nothing(self, busy: Group, sign_in: SignIn) -> None:
        administrator = sign_in(busy.administrator)
        for path in ("/admin/", "/admin/chiffres/P1", "/admin/chiffres/P1/telecharger"):
            assert administrator.get(f"{path}?establishment={busy.south.finess}").status_code == 404

    def test_a_director_sees_both_or_one(self, busy: Group, sign_in: SignIn) -> None:
        director = sign_in(busy.director)
        assert "P1 88 " in shown(director)["P1"]
        assert "P1 57 " in shown(director, f"establishment={busy.south.finess}")["P1"]

    def test_what_concerns_the_whole_portal_is_the_same_everywhere(self, busy: Group, sign_in: SignIn) -> None:
        happens("visit_started", 9)
        director = sign_in(busy.director)
        for query in ("", f"establishment={busy.south.finess}"):
            assert "U3 9 " in shown(director, query)["U3"]
            assert "Counted for the whole portal" in shown(director, query)["U3"]


class TestAddress:
    @pytest.mark.parametrize(
        ("query", "reason"),
        [
            ("from=2026-11-20&to=2026-11-10", "The last day comes before the first one"),
            ("from=hier", "This is not a day"),
            ("from=2026-02-30", "This is not a day"),
            ("from=2999-01-01", "Choose a day between 2020 and today"),
            ("from=1998-01-01&to=1998-01-02", "Choose a day between 2020 and today"),
            ("from=2020-01-01&to=2026-11-01", "Choose three years at most"),
        ],
    )
    def test_days_that_make_no_sense_are_explained(
        self, group: Group, sign_in: SignIn, query: str, reason: str
    ) -> None:
        answer = sign_in(group.administrator).get(f"/admin/?lang=en&{query}")
        assert answer.status_code == 422
        assert reason in answer.text

    @pytest.mark.parametrize(
        "query", ["period=%00", "period=7-days&from=&to=", "establishment=", "period[]=1", "to=2999-01-01", "before=x"]
    )
    def test_odd_addresses_show_the_usual_page(self, group: Group, sign_in: SignIn, query: str) -> None:
        assert sign_in(group.administrator).get(f"/admin/?{query}").status_code == 200

    @pytest.mark.parametrize("finess", ["990000033", "' or 1=1 --", "%00", "99000001700000000000"])
    def test_a_hospital_that_does_not_exist_is_not_found(self, group: Group, sign_in: SignIn, finess: str) -> None:
        assert sign_in(group.administrator).get(f"/admin/?establishment={finess}").status_code == 404


class TestTheMenu:
    def entries(self, browser: FlaskClient, path: str, line: str) -> list[str]:
        lists = parsed(browser.get(path).text).iterfind(".//nav[@id='app-nav']/ul")
        found = {ul.get("aria-label", ""): ul for ul in lists}.get(line)
        return [] if found is None else [" ".join("".join(a.itertext()).split()) for a in found.iterfind(".//a")]

    def test_gathers_what_administers_under_one_entry(self, group: Group, sign_in: SignIn) -> None:
        director = sign_in(group.director)
        above = self.entries(director, "/admin/machines?lang=en", "")
        assert "Administration" in above
        assert "Other systems" not in above

    def test_opens_the_pages_of_the_entry_one_is_in(self, group: Group, sign_in: SignIn) -> None:
        director = sign_in(group.director)
        assert "Other systems" in self.entries(director, "/admin/agents?lang=en", "Administration")

    def test_gathers_what_an_admissions_clerk_opens_about_stays(self, group: Group, sign_in: SignIn) -> None:
        clerk = sign_in(group.clerk)
        assert self.entries(clerk, "/admin/pre-admissions?lang=en", "") == ["What waits", "Stays", "Communities"]
        assert self.entries(clerk, "/admin/pre-admissions?lang=en", "Stays") == [
            "Pre-admissions",
            "Invitations to stays",
            "Signatures",
            "Places at the maternity unit",
            "Exchanges of stays",
            "Satisfaction",
        ]

    def test_keeps_what_an_administrator_decides_of_stays_beside_them(self, group: Group, sign_in: SignIn) -> None:
        director = sign_in(group.director)
        assert "Calendar of stays" in self.entries(director, "/admin/prix-des-chambres?lang=en", "Stays")
        assert "Calendar of stays" not in self.entries(director, "/admin/agents?lang=en", "Administration")
        assert self.entries(director, "/admin/?lang=en", "Administration") == []


class TestCost:
    @pytest.mark.parametrize(
        "query", ["", "period=7-days", "from=2026-01-01&to=2026-11-20", "from=2024-01-01&to=2026-11-20"]
    )
    @pytest.mark.parametrize("establishment", ["", "&establishment=990000017"])
    def test_a_dashboard_takes_few_statements_whatever_the_period(
        self, app: Flask, group: Group, sign_in: SignIn, query: str, establishment: str
    ) -> None:
        director = sign_in(group.director)
        with executed(app) as statements:
            assert director.get(f"/admin/?{query}{establishment}").status_code == 200
        assert len(statements) <= MOST_STATEMENTS, statements

    def test_more_figures_take_no_more_statements(
        self, app: Flask, group: Group, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        director = sign_in(group.director)
        shown(director, service="billing")
        with executed(app) as usual:
            shown(director, service="billing")
        more = {
            f"X{n}": kpi.Definition(
                f"X{n}", "More", "More", "", _compute(f"more_{n}"), service="billing", events=(f"more_{n}",)
            )
            for n in range(30)
        }
        monkeypatch.setattr("portal.kpi.catalogue._definitions", {d.code: d for d in kpi.definitions()} | more)
        with executed(app) as statements:
            assert "X29" in shown(director, service="billing")
        assert len(statements) == len(usual)


def _compute(event: str) -> Callable[[kpi.Period], kpi.Figure]:
    return lambda period: kpi.Figure(kpi.counted(event, period))
