"""Figures unit by unit: exact on screen, adding up to the hospital, masked in what may be shown."""

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import product
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from auth.models import Account
from portal import db, kpi
from portal.establishments import Site, Unit
from portal.kpi import units
from tests.admin.conftest import Group
from tests.admin.test_dashboard import MOST_STATEMENTS, happens
from tests.english import in_english  # noqa: F401 - pages are read in English
from tests.factories import hospitals
from tests.ground import audited, prepared
from tests.pages import parsed
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]
BOOKED = "appointment_booked"


@pytest.fixture
def heart(group: Group) -> Unit:
    return _unit(group, "1101", "Cardiologie")


@pytest.fixture
def bones(group: Group) -> Unit:
    return _unit(group, "1102", "Orthopédie")


def _unit(group: Group, uf: str, name: str, *, south: bool = False) -> Unit:
    with prepared():
        place = group.south if south else group.north
        site = db.session.scalars(select(Site).where(Site.establishment_id == place.id)).first()
        assert site is not None
        return hospitals.unit(place, site, uf, name)


def told(event: str, unit: Unit | None, times: int, *, group: Group, **facts: Any) -> None:
    """As rooms tell it: for the hospital, and for the unit."""
    happens(event, times, establishment_id=group.north.id, **facts)
    if unit is not None:
        of_unit = {"dimension": units.dimension(unit.id, facts.get("dimension", ""))}
        happens(units.name(event), times, establishment_id=group.north.id, **(facts | of_unit))


def page(browser: FlaskClient, query: str = "", service: str = "appointments") -> str:
    answer = browser.get(f"/admin/chiffres/services/{service}/par-unite?{query}")
    assert answer.status_code == 200
    return answer.text


def table(answer: str, identifier: str = "units") -> list[list[str]]:
    found = next(each for each in parsed(answer).iterfind(".//table") if each.get("id") == identifier)
    return [[" ".join("".join(cell.itertext()).split()) for cell in row] for row in found.iterfind(".//tbody/tr")]


def lines(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig")), delimiter=";"))


class TestPage:
    def test_each_unit_has_its_value_its_parts_and_its_past(
        self, group: Group, heart: Unit, bones: Unit, sign_in: SignIn
    ) -> None:
        opened: dict[str, Any] = {"group": group, "dimension": "open_online", "days_ago": 1}
        told(BOOKED, heart, 30, **opened)
        told(BOOKED, heart, 30, **opened, channel="phone")
        told(BOOKED, bones, 9, **opened)
        told(BOOKED, bones, 1, **opened, channel="phone")
        told(BOOKED, None, 5, **opened)
        told(BOOKED, heart, 1, **(opened | {"days_ago": 8}))
        found = table(page(sign_in(group.administrator), "figure=R2a&period=7-days"))
        assert found == [
            ["Orthopédie (1102)", "9", "10", "90%", "–"],
            ["Cardiologie (1101)", "30", "60", "50%", "-50 points (100% before)"],
            ["Without a unit", "5", "5", "100%", "–"],
            ["The whole hospital", "44", "75", "58.7%", "-41.3 points (100% before)"],
        ]

    def test_counts_add_up_to_the_hospital(self, group: Group, heart: Unit, bones: Unit, sign_in: SignIn) -> None:
        for unit, times in ((heart, 7), (bones, 12), (None, 3)):
            told(BOOKED, unit, times, group=group, days_ago=1)
        found = table(page(sign_in(group.administrator), "figure=R1&period=7-days"))
        values = {row[0]: int(row[1]) for row in found}
        assert list(values) == ["Orthopédie (1102)", "Cardiologie (1101)", "Without a unit", "The whole hospital"]
        assert values.pop("The whole hospital") == sum(values.values()) == 22

    def test_a_unit_that_closed_keeps_its_past(self, group: Group, heart: Unit, sign_in: SignIn) -> None:
        told(BOOKED, heart, 7, group=group, days_ago=1)
        with prepared():
            db.session.get_one(Unit, heart.id).closes_on = date(2026, 1, 31)
        found = table(page(sign_in(group.administrator), "figure=R1&period=7-days"))
        assert found[0][:2] == ["Cardiologie (1101), until Jan 31, 2026", "7"]

    def test_the_drawing_has_its_table(self, group: Group, heart: Unit, sign_in: SignIn) -> None:
        told(BOOKED, heart, 7, group=group, days_ago=1)
        (drawing,) = parsed(page(sign_in(group.administrator), "figure=R1")).iterfind(".//figure")
        assert "".join(drawing.find("figcaption").itertext()).strip() == "Appointments booked online, by unit"
        assert ["".join(cell.itertext()) for cell in drawing.iterfind(".//tbody/tr/*")] == ["Cardiologie", "7"]

    def test_the_figure_is_chosen_on_the_page(self, group: Group, sign_in: SignIn) -> None:
        shown = parsed(page(sign_in(group.administrator), "figure=R7", service="appointments"))
        offered = {
            each.get("value"): each.get("selected") is not None
            for each in shown.iterfind(".//select[@name='figure']/option")
        }
        assert offered["R7"]
        assert "R2b" not in offered

    def test_nothing_told_is_said(self, group: Group, sign_in: SignIn) -> None:
        assert "Nothing was counted at any unit" in page(sign_in(group.administrator))

    def test_every_service_that_knows_its_units_leads_to_them(self, group: Group, sign_in: SignIn) -> None:
        director = sign_in(group.director)
        for service, has in (
            ("appointments", True), ("preadmission", True), ("documents", True), ("messages", True),
            ("referrals", True), ("billing", False), ("portal", False),
        ):  # fmt: skip
            shown = director.get(f"/admin/chiffres/services/{service}").text
            assert (f"/admin/chiffres/services/{service}/par-unite" in shown) is has, service
            answer = director.get(f"/admin/chiffres/services/{service}/par-unite")
            assert answer.status_code == (200 if has else 404)

    def test_another_hospital_is_neither_shown_nor_named(self, group: Group, heart: Unit, sign_in: SignIn) -> None:
        told(BOOKED, heart, 7, group=group, days_ago=1)
        director = sign_in(group.director)
        assert "Cardiologie" in page(director, "figure=R1")
        assert "Cardiologie" not in page(director, "figure=R1&establishment=990000025")
        path = "/admin/chiffres/services/appointments/par-unite?establishment=990000025"
        assert sign_in(group.administrator).get(path).status_code == 404

    @pytest.mark.parametrize("who", ["clerk", "auditor"])
    def test_only_administrators_come_in(self, group: Group, sign_in: SignIn, who: str) -> None:
        browser = sign_in(getattr(group, who))
        for path in ("par-unite", "par-unite/csv"):
            assert browser.get(f"/admin/chiffres/services/appointments/{path}").status_code == 403

    def test_days_that_make_no_sense_are_said(self, group: Group, sign_in: SignIn) -> None:
        wrong = "/admin/chiffres/services/appointments/par-unite?from=2026-03-02&to=2026-03-01"
        assert sign_in(group.administrator).get(wrong).status_code == 422

    def test_it_takes_few_statements_however_many_units(self, app: Flask, group: Group, sign_in: SignIn) -> None:
        for number in range(8):
            told(BOOKED, _unit(group, f"12{number:02}", f"Unité {number}"), 2, group=group, days_ago=1)
        director = sign_in(group.director)
        page(director, "figure=R2a")
        with executed(app) as statements:
            found = table(page(director, "figure=R2a&period=13-months"))
        assert len(found) == 9
        assert len(statements) <= MOST_STATEMENTS, statements


class TestOneFigure:
    def test_it_can_be_looked_at_in_one_unit(
        self, app: Flask, group: Group, heart: Unit, bones: Unit, sign_in: SignIn
    ) -> None:
        told(BOOKED, heart, 7, group=group, days_ago=1)
        told(BOOKED, bones, 5, group=group, days_ago=1)
        browser = sign_in(group.administrator)
        browser.get("/admin/chiffres/R1")
        with executed(app) as statements:
            shown = browser.get(f"/admin/chiffres/R1?unit={heart.id}&period=7-days").text
        assert len(statements) <= MOST_STATEMENTS, statements
        assert "Hôpital du Nord, Cardiologie" in shown
        (chosen,) = (
            each
            for each in parsed(shown).iterfind(".//select[@name='unit']/option")
            if each.get("selected") is not None
        )
        assert chosen.get("value") == str(heart.id)
        file = lines(browser.get(f"/admin/chiffres/R1/telecharger?unit={heart.id}&period=7-days"))
        assert sum(int(each["Numerator"]) for each in file) == 7
        assert {each["Hospital"] for each in file} == {"Hôpital du Nord, Cardiologie"}

    def test_a_unit_of_somebody_else_is_not_found(self, group: Group, heart: Unit, sign_in: SignIn) -> None:
        theirs = _unit(group, "2101", "Urologie", south=True)
        browser = sign_in(group.administrator)
        for code, unit in (("R1", theirs.id), ("R1", "nonsense"), ("U3", heart.id), ("R2b", heart.id)):
            assert browser.get(f"/admin/chiffres/{code}?unit={unit}").status_code == 404, code

    def test_choosing_another_hospital_leaves_the_unit(self, group: Group, heart: Unit, sign_in: SignIn) -> None:
        answer = sign_in(group.director).get(f"/admin/chiffres/R1?unit={heart.id}&establishment=990000025")
        assert answer.status_code == 200
        assert "Hôpital du Sud" in answer.text


class TestFiles:
    @pytest.fixture
    def final(self, group: Group, heart: Unit, bones: Unit) -> Unit:
        """The first quarter of 2026 is closed: 200 at one unit, 5 at another, 60 at a third."""
        third = _unit(group, "1103", "Urologie")
        at = datetime(2026, 2, 3, 9, tzinfo=UTC)
        for unit, times in ((heart, 200), (bones, 5), (third, 60)):
            told(BOOKED, unit, times, group=group, at=at)
        happens("nothing_shown", at=datetime(2026, 1, 2, tzinfo=UTC))
        with prepared():
            for month in (1, 2, 3):
                kpi.closing.close(date(2026, month, 1))
        return third

    def test_what_may_be_shown_hides_a_small_unit_and_another(self, group: Group, final: Unit, sign_in: SignIn) -> None:
        found = lines(sign_in(group.administrator).get("/admin/chiffres/services/appointments/par-unite/csv?figure=R1"))
        assert {(each["From"], each["To"]) for each in found} == {("2026-01-01", "2026-03-31")}
        values = {each["Unit"]: (each["Value"], each["Remark"]) for each in found}
        assert values["The whole hospital"] == ("265", "")
        assert values["Orthopédie (1102)"] == ("", "Hidden")
        hidden = [unit for unit, (value, _remark) in values.items() if not value]
        assert len(hidden) >= 2
        shown = sum(int(value) for unit, (value, _remark) in values.items() if value and unit != "The whole hospital")
        assert 265 - shown >= 25, "what is left is of several units, and of many people"
        assert {each["Use"] for each in found} == {"May be shown"}

    def test_nothing_is_shared_of_a_quarter_that_may_still_move(
        self, group: Group, heart: Unit, sign_in: SignIn
    ) -> None:
        told(BOOKED, heart, 40, group=group, days_ago=1)
        path = "/admin/chiffres/services/appointments/par-unite/csv?figure=R1"
        assert lines(sign_in(group.administrator).get(path)) == []

    def test_delays_are_not_shared(self, group: Group, final: Unit, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        path = "/admin/chiffres/services/appointments/par-unite/csv?figure=R4a"
        assert browser.get(path).status_code == 404
        assert browser.get(f"{path}&use=internal").status_code == 200
        assert "may be shown" not in page(browser, "figure=R4a")
        minutes = "/admin/chiffres/services/referrals/par-unite/csv?figure=L4"
        assert browser.get(minutes).status_code == 404, "one call of forty minutes would be told"
        assert browser.get(f"{minutes}&use=internal").status_code == 200

    def test_the_hospital_itself_takes_exact_numbers_away(
        self, group: Group, heart: Unit, bones: Unit, sign_in: SignIn
    ) -> None:
        told(BOOKED, heart, 3, group=group, days_ago=1)
        told(BOOKED, bones, 4, group=group, days_ago=8)
        path = "/admin/chiffres/services/appointments/par-unite/csv?figure=R1&period=7-days&use=internal"
        found = lines(sign_in(group.administrator).get(path))
        assert [(each["Unit code"], each["Numerator"]) for each in found] == [
            ("1101", "3"), ("1102", "0"), ("", "3"), ("1101", "0"), ("1102", "4"), ("", "4"),
        ]  # fmt: skip
        assert {each["Use"] for each in found} == {"Internal use"}

    def test_every_file_is_written_down(self, group: Group, final: Unit, sign_in: SignIn) -> None:
        sign_in(group.administrator).get("/admin/chiffres/services/appointments/par-unite/csv?figure=R1")
        assert audited().count("figures.exported") == 1

    def test_the_workbook_and_the_pdf_hold_the_same(self, group: Group, final: Unit, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        base = "/admin/chiffres/services/appointments/par-unite"
        with zipfile.ZipFile(io.BytesIO(browser.get(f"{base}/xlsx?figure=R1").get_data())) as workbook:
            words = b"".join(workbook.read(name) for name in workbook.namelist()).decode()
        for line in lines(browser.get(f"{base}/csv?figure=R1")):
            assert line["Unit"] in words
            assert line["Remark"] in words
        assert browser.get(f"{base}/pdf?figure=R1").data.startswith(b"%PDF")

    def test_what_is_hidden_in_one_figure_is_not_told_by_another(
        self, group: Group, heart: Unit, bones: Unit, sign_in: SignIn
    ) -> None:
        """Visits missed in all, less those missed after a reminder, would be the three missed without one."""
        third = _unit(group, "1103", "Urologie")
        for month, (unit, alone) in product((1, 2, 3), ((heart, 1), (bones, 50), (third, 50))):
            at = datetime(2026, month, 3, 9, tzinfo=UTC)
            for dimension, times in (
                ("missed_reminded", 40), ("came_reminded", 60), ("missed_alone", alone), ("came_alone", 60)
            ):  # fmt: skip
                told("appointment_outcome", unit, times, group=group, at=at, dimension=dimension)
        happens("nothing_shown", at=datetime(2026, 1, 2, tzinfo=UTC))
        with prepared():
            for month in (1, 2, 3):
                kpi.closing.close(date(2026, month, 1))
        browser = sign_in(group.administrator)
        for figure in ("R7", "R8a", "R8b"):
            found = lines(browser.get(f"/admin/chiffres/services/appointments/par-unite/csv?figure={figure}"))
            values = {each["Unit"]: each["Value"] for each in found}
            assert values["The whole hospital"]
            assert values["Cardiologie (1101)"] == "", figure

    def test_a_rate_is_shared_with_its_parts(self, group: Group, final: Unit, sign_in: SignIn) -> None:
        found = lines(
            sign_in(group.administrator).get("/admin/chiffres/services/appointments/par-unite/csv?figure=R2a")
        )
        assert found
        assert all(each["Remark"] for each in found if not each["Value"])

    def test_the_whole_group_is_judged_before_any_unit(
        self, app: Flask, group: Group, heart: Unit, sign_in: SignIn
    ) -> None:
        """A hospital whose figure is hidden tells nothing of its units either."""
        told(BOOKED, heart, 5, group=group, at=datetime(2026, 2, 3, 9, tzinfo=UTC))
        happens("nothing_shown", at=datetime(2026, 1, 2, tzinfo=UTC))
        with prepared():
            for month in (1, 2, 3):
                kpi.closing.close(date(2026, month, 1))
        found = lines(sign_in(group.administrator).get("/admin/chiffres/services/appointments/par-unite/csv?figure=R1"))
        assert {each["Value"] for each in found} == {""}
