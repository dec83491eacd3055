"""The page of a service: all its figures with what they mean, and what became of things there."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from admin import figure_drawings, figure_services
from auth.models import Account
from portal import kpi
from tests.admin.conftest import Group
from tests.admin.test_dashboard import MOST_STATEMENTS, happens, tiles
from tests.english import in_english  # noqa: F401 - pages are read in English
from tests.ground import audited
from tests.pages import parsed
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]


def page(browser: FlaskClient, code: str, query: str = "") -> str:
    answer = browser.get(f"/admin/chiffres/services/{code}?{query}")
    assert answer.status_code == 200
    return answer.text


def charts(answer: str) -> list[str]:
    """The titles of the drawings."""
    found = parsed(answer).iterfind(".//figcaption")
    return [" ".join("".join(each.itertext()).split()) for each in found]


def figures(answer: str, title: str) -> list[list[str]]:
    """The table of the drawing whose title begins so."""
    drawing = next(
        each
        for each in parsed(answer).iterfind(".//figure")
        if "".join(each.find("figcaption").itertext()).strip().startswith(title)
    )
    return [[" ".join("".join(cell.itertext()).split()) for cell in row] for row in drawing.iterfind(".//tbody/tr")]


class TestPage:
    def test_every_figure_of_the_catalogue_is_on_the_page_of_its_service(self, group: Group, sign_in: SignIn) -> None:
        director = sign_in(group.director)
        shown = [code for each in figure_services.services() for code in tiles(page(director, each.code))]
        assert sorted(shown) == sorted(each.code for each in kpi.definitions())

    @pytest.mark.parametrize("code", ["nothing", "%00", "<script>", ".."])
    def test_an_unknown_service_is_not_found(self, group: Group, sign_in: SignIn, code: str) -> None:
        assert sign_in(group.director).get(f"/admin/chiffres/services/{code}").status_code == 404

    @pytest.mark.parametrize("who", ["clerk", "auditor"])
    def test_only_administrators_come_in(self, group: Group, sign_in: SignIn, who: str) -> None:
        assert sign_in(getattr(group, who)).get("/admin/chiffres/services/billing").status_code == 403

    def test_codes_come_in_the_order_of_their_numbers(self) -> None:
        codes = [each.code for each in figure_services.SERVICES["appointments"].definitions]
        assert codes.index("R2a") < codes.index("R9") < codes.index("R10")

    @pytest.mark.parametrize(
        "code", ["portal", "offer", "appointments", "preadmission", "billing", "messages", "security"]
    )
    def test_it_takes_few_statements_whatever_its_figures(
        self, app: Flask, group: Group, sign_in: SignIn, code: str
    ) -> None:
        director = sign_in(group.director)
        page(director, code)
        with executed(app) as statements:
            page(director, code, "period=13-months")
        assert len(statements) <= MOST_STATEMENTS, statements


class TestDrawings:
    def test_nothing_is_drawn_of_nothing(self, group: Group, sign_in: SignIn) -> None:
        assert charts(page(sign_in(group.director), "referrals")) == []

    def test_columns_say_what_came_through_each_channel(self, group: Group, sign_in: SignIn) -> None:
        booked = {"event": "appointment_booked", "establishment_id": group.north.id, "days_ago": 1}
        for channel, times in (("web", 12), ("phone", 5), ("pigeon", 2)):
            happens(**booked, times=times, channel=channel)
        rows = figures(page(sign_in(group.director), "appointments", "period=7-days"), "Appointments booked")
        assert rows[-2][1:] == ["12", "5", "2", "19"], "a channel that we have no word for is still counted"

    def test_what_nobody_filled_in_is_shown_apart(self, group: Group, sign_in: SignIn) -> None:
        at = {"establishment_id": group.north.id, "days_ago": 1}
        happens("appointment_due", 10, dimension="kept", **at)
        happens("appointment_due", 2, dimension="by_patient", **at)
        happens("appointment_outcome", 6, dimension="seen_reminded", **at)
        happens("appointment_outcome", 2, dimension="missed_alone", **at)
        happens("appointment_outcome_taken_back", 1, dimension="missed_alone", **at)
        rows = figures(page(sign_in(group.director), "appointments", "period=7-days"), "What became of appointments")
        assert rows[-2][1:] == ["6", "1", "3", "2", "12"]

    def test_a_funnel_says_what_each_step_keeps(self, group: Group, sign_in: SignIn) -> None:
        for event, times in (("started", 40), ("submitted", 30), ("accepted", 24), ("integrated_alone", 12)):
            happens(f"preadmission_{event}", times, establishment_id=group.north.id)
        rows = figures(page(sign_in(group.director), "preadmission"), "From the draft")
        assert [row[1:] for row in rows] == [
            ["40", "100%", "100%"], ["30", "75%", "75%"], ["24", "60%", "80%"], ["12", "30%", "50%"],
        ]  # fmt: skip

    def test_delays_show_the_half_and_the_nine_in_ten(self, group: Group, sign_in: SignIn) -> None:
        answered = {"event": "preadmission_first_answer", "establishment_id": group.north.id, "days_ago": 1}
        happens(**answered, times=8, dimension="le_1h")
        happens(**answered, times=2, dimension="le_4h")
        rows = figures(page(sign_in(group.director), "preadmission", "period=7-days"), "How long files wait")
        assert rows[-2][1:] == ["0.6", "3"]

    def test_hours_of_the_week_are_those_of_the_whole_months(self, group: Group, sign_in: SignIn) -> None:
        for day, times in ((2, 12), (9, 3), (31, 1)):
            at = datetime(2026, 3, day, 8, 30, tzinfo=UTC)
            happens("appointment_booked", times, establishment_id=group.north.id, at=at)
        answer = page(sign_in(group.director), "appointments", "from=2026-03-10&to=2026-03-20")
        assert "When patients and practitioners book By hour of the hospital’s clock, March 2026" in charts(answer)
        monday, tuesday, *rest = figures(answer, "When patients and practitioners book")
        assert (monday[0], monday[10], tuesday[11]) == ("Mon", "15", "1")
        assert [set(line[1:]) for line in rest] == [{"0"}] * 5

    def test_a_hospital_sees_no_other_ones(self, group: Group, sign_in: SignIn) -> None:
        happens("preadmission_started", 40, establishment_id=group.south.id)
        assert "From the draft to the hospital’s system" not in charts(
            page(sign_in(group.administrator), "preadmission")
        )

    def test_each_drawing_has_its_own_name_on_its_page(self) -> None:
        for drawings in (figure_drawings.HOME, *figure_drawings.OF_SERVICES.values()):
            codes = [each.code for each in drawings]
            assert len(codes) == len(set(codes))


class TestHoursFile:
    @pytest.fixture
    def march(self, group: Group) -> None:
        """Closed: enough at one hospital, too few at the other."""
        at = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
        happens("appointment_booked", 12, establishment_id=group.north.id, at=at)
        happens("appointment_booked", 6, establishment_id=group.north.id, at=at.replace(hour=9, day=9))
        happens("appointment_booked", 3, establishment_id=group.south.id, at=at)
        kpi.close_months(date(2026, 5, 6))
        happens("appointment_booked", 40, establishment_id=group.north.id, at=at.replace(month=4))

    def test_it_holds_closed_months_in_bands_and_nothing_of_few(
        self, march: None, group: Group, sign_in: SignIn
    ) -> None:
        director = sign_in(group.director)
        address = "/admin/chiffres/services/appointments/heures.csv?from=2026-03-01&to=2026-04-30"
        assert address.replace("&", "&amp;") in page(director, "appointments", address.partition("?")[2])
        answer = director.get(address)
        assert answer.mimetype == "text/csv"
        _head, *lines = [line.split(";")[1:] for line in answer.text.strip().splitlines()]
        found = {(name, month, day, first): many for name, month, day, first, _last, many, _remark in lines}
        assert {month for _name, month, _day, _first in found} == {"2026-03"}
        assert found.pop((group.north.name, "2026-03", "Mon", "08:00")) == "18"
        assert found.pop((group.south.name, "2026-03", "", "")) == ""
        assert set(found.values()) == {"0"}
        assert len(found) == 7 * 6 - 1
        assert audited()[-1] == "figures.exported"

    def test_each_reads_their_own_hospitals(self, march: None, group: Group, sign_in: SignIn) -> None:
        answer = sign_in(group.administrator).get("/admin/chiffres/services/appointments/heures.csv?period=this-year")
        assert group.south.name not in answer.text
        assert sign_in(group.clerk).get("/admin/chiffres/services/appointments/heures.csv").status_code == 403

    @pytest.mark.parametrize("code", ["billing", "nothing"])
    def test_only_of_what_is_kept_by_hour(self, group: Group, sign_in: SignIn, code: str) -> None:
        assert sign_in(group.director).get(f"/admin/chiffres/services/{code}/heures.csv").status_code == 404


class TestPeriods:
    def test_bars_are_what_was_asked_while_they_can_be_told_apart(self, group: Group, sign_in: SignIn) -> None:
        happens("account_created", at=datetime(2026, 1, 20, 12, tzinfo=UTC))
        director = sign_in(group.director)
        days = "from=2026-01-01&to=2026-03-31"
        for grain, bars in (("day", 90), ("week", 14), ("month", 3)):
            chart = figures(page(director, "portal", f"{days}&grain={grain}"), "Enrolled users")
            assert len(chart) == bars

    def test_the_same_days_last_year_may_stand_beside(self, group: Group, sign_in: SignIn) -> None:
        answer = page(sign_in(group.director), "billing", "from=2026-03-01&to=2026-03-31&compared=year")
        assert "compared with Mar 1, 2025 – Mar 31, 2025" in answer

    def test_the_choice_follows_from_page_to_page(self, group: Group, sign_in: SignIn) -> None:
        answer = page(sign_in(group.director), "billing", "period=13-months&grain=month&compared=year")
        assert "/admin/chiffres/F1?period=13-months&amp;grain=month&amp;compared=year" in answer
