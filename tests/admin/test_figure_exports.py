"""Figures that leave: masked unless they stay in the hospital, in files that machines and people read."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pikepdf
import pypdfium2
import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.models import Account
from portal import db
from portal.kpi import closing
from tests.admin.conftest import Group
from tests.admin.test_dashboard import happens
from tests.english import in_english as in_english
from tests.ground import audited, prepared, today
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]
BASE = "/admin/chiffres/exports"
THIS = today().replace(day=1)
LAST = (THIS - timedelta(days=1)).replace(day=1)
BEFORE = (LAST - timedelta(days=1)).replace(day=1)


def noon(month: date) -> datetime:
    return datetime(month.year, month.month, 15, 12, tzinfo=db.now().tzinfo)


def query(group: Group, **chosen: str) -> str:
    facts = {
        "lang": "en", "figures": "preadmission", "establishment": group.north.finess, "from": f"{BEFORE:%Y-%m}",
        "to": f"{LAST:%Y-%m}", "grain": "1", "use": "shared",
    } | chosen  # fmt: skip
    return "&".join(f"{name}={value}" for name, value in facts.items())


def rows(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline=""), delimiter=";"))


def value_of(found: list[dict[str, str]], code: str, month: date) -> dict[str, str]:
    return next(row for row in found if row["Code"] == code and row["From"] == month.isoformat())


@pytest.fixture
def sent(group: Group) -> Group:
    """Pre-admissions sent to the north: seven the month before last, thirty-seven last month."""
    happens("preadmission_submitted", 7, establishment_id=group.north.id, at=noon(BEFORE))
    happens("preadmission_submitted", 37, establishment_id=group.north.id, at=noon(LAST))
    return group


class TestMasks:
    def test_a_small_number_does_not_leave(self, sent: Group, sign_in: SignIn) -> None:
        found = rows(sign_in(sent.administrator).get(f"{BASE}/csv?{query(sent)}"))

        few, many = value_of(found, "P1", BEFORE), value_of(found, "P1", LAST)
        assert (few["Numerator"], few["Value"], few["Remark"]) == ("", "", "< 11")
        assert (many["Numerator"], many["Value"], many["Remark"]) == ("37", "37", "")
        assert many["Use"] == "May be shown"

    def test_it_does_not_leave_by_difference_either(self, sent: Group, sign_in: SignIn) -> None:
        browser = sign_in(sent.director)
        quarters = query(sent, grain="3", **{"from": f"{THIS.year - 1}-01"})
        group = query(sent, establishment="")
        answers = [row for asked in (quarters, group) for row in rows(browser.get(f"{BASE}/csv?{asked}"))]

        assert not {"44", "7"} & {row["Numerator"] for row in answers if row["Code"] == "P1"}

    def test_exact_numbers_are_for_the_hospitals_own_use(self, sent: Group, sign_in: SignIn) -> None:
        found = rows(sign_in(sent.administrator).get(f"{BASE}/csv?{query(sent, use='internal')}"))

        assert value_of(found, "P1", BEFORE)["Numerator"] == "7"
        assert {row["Use"] for row in found} == {"Internal use"}

    def test_exact_numbers_of_the_group_are_for_those_who_administer_all_of_it(
        self, sent: Group, sign_in: SignIn
    ) -> None:
        asked = query(sent, use="internal", establishment="")

        refused = sign_in(sent.administrator).get(f"{BASE}?{asked}")
        assert refused.status_code == 422
        assert "for those who administer all its hospitals" in refused.text
        assert sign_in(sent.director).get(f"{BASE}/csv?{asked}").status_code == 200

    def test_the_group_hospital_by_hospital_is_for_them_alone_even_masked(self, sent: Group, sign_in: SignIn) -> None:
        asked = query(sent, establishment="")
        browser = sign_in(sent.administrator)

        for path in ("", "/csv", "/xlsx", "/pdf", "/preuves"):
            assert browser.get(f"{BASE}{path}?{asked}").status_code == 403, path
        assert "The whole group" not in browser.get(f"{BASE}?{query(sent)}").text

    def test_a_hospital_is_masked_the_same_whoever_asks(self, sent: Group, sign_in: SignIn) -> None:
        happens("preadmission_submitted", 4, establishment_id=sent.south.id, at=noon(BEFORE))
        for grain in ("1", "3"):
            asked = query(sent, grain=grain, **{"from": f"{THIS.year - 1}-01"})
            one, other = (
                [(row["Code"], row["From"], row["Numerator"], row["Remark"])
                 for row in rows(sign_in(who).get(f"{BASE}/csv?{asked}"))]
                for who in (sent.administrator, sent.director)
            )  # fmt: skip
            assert one == other


class TestFiles:
    def test_a_line_says_its_definition_its_version_and_its_sources(self, sent: Group, sign_in: SignIn) -> None:
        row = value_of(rows(sign_in(sent.administrator).get(f"{BASE}/csv?{query(sent)}")), "P1", LAST)

        assert row["Version"] == "1"
        assert row["Counted from these events"] == "preadmission_submitted"
        assert row["Counts"]
        assert row["Hospital"] == "Hôpital du Nord"

    def test_the_workbook_holds_numbers_definitions_and_what_it_is(self, sent: Group, sign_in: SignIn) -> None:
        answer = sign_in(sent.administrator).get(f"{BASE}/xlsx?{query(sent)}")
        book = zipfile.ZipFile(io.BytesIO(answer.get_data()))
        figures = book.read("xl/worksheets/sheet1.xml").decode()

        assert [name in book.read("xl/workbook.xml").decode() for name in ("Figures", "Definitions", "About")] == [
            True
        ] * 3
        assert "<v>37</v>" in figures
        assert "<v>7</v>" not in figures
        assert "&lt; 11" in figures

    def test_the_pdf_is_tagged_with_tables_that_are_walked_through(self, sent: Group, sign_in: SignIn) -> None:
        answer = sign_in(sent.administrator).get(f"{BASE}/pdf?{query(sent)}")
        data = answer.get_data()
        words = " ".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(data))
        document = pikepdf.open(io.BytesIO(data))
        tree = document.Root.StructTreeRoot.K[0]

        assert "May be shown" in words
        assert "< 11" in words
        tables = [each for each in tree.K if each.S == "/Table"]
        assert tables
        head, first = ([str(cell.S) for cell in row.K] for row in list(tables[0].K)[:2])
        assert set(head) == {"/TH"}
        assert (first[0], set(first[1:])) == ("/TH", {"/TD"})
        assert all(
            int(mark) == at
            for at, mark in enumerate(each.K[0] for each in document.Root.StructTreeRoot.ParentTree.Nums[1])
        )

    def test_taking_figures_away_is_written_down(self, sent: Group, sign_in: SignIn) -> None:
        sign_in(sent.administrator).get(f"{BASE}/csv?{query(sent)}")

        assert "figures.exported" in audited()

    @pytest.mark.parametrize("who", ["clerk", "auditor"])
    def test_only_administrators_take_them_away(self, group: Group, sign_in: SignIn, who: str) -> None:
        browser = sign_in(getattr(group, who))
        for path in ("", "/csv", "/preuves"):
            assert browser.get(f"{BASE}{path}?{query(group)}").status_code == 403

    def test_another_hospital_is_not_found(self, group: Group, sign_in: SignIn) -> None:
        asked = query(group, establishment=group.south.finess)

        assert sign_in(group.administrator).get(f"{BASE}?{asked}").status_code == 404


class TestPage:
    def test_it_shows_what_the_file_will_hold(self, app: Flask, sent: Group, sign_in: SignIn) -> None:
        browser = sign_in(sent.administrator)
        with executed(app) as statements:
            page = browser.get(f"{BASE}?{query(sent)}").text

        assert "&lt; 11" in page
        assert len(statements) <= 12

    @pytest.mark.parametrize("asked", ["from=2026-03&to=2026-01", "from=x&to=y&grain=9&use=no", "figures=%00", ""])
    def test_whatever_is_asked_it_answers(self, group: Group, sign_in: SignIn, asked: str) -> None:
        assert sign_in(group.administrator).get(f"{BASE}?{asked}").status_code in (200, 422)


class TestEvidence:
    def test_months_that_are_not_final_prove_nothing(self, sent: Group, sign_in: SignIn) -> None:
        answer = sign_in(sent.administrator).get(f"{BASE}/preuves?{query(sent)}")

        assert answer.status_code == 303

    def test_the_same_bytes_each_time_each_with_its_hash(self, group: Group, sign_in: SignIn) -> None:
        month = (LAST - timedelta(days=70)).replace(day=1)
        happens("preadmission_submitted", 41, establishment_id=group.north.id, at=noon(month))
        with prepared():
            closing.close(month)
        browser = sign_in(group.administrator)
        asked = query(group, **{"from": f"{month:%Y-%m}"})

        first, second = (browser.get(f"{BASE}/preuves?{asked}").get_data() for _time in range(2))

        assert first == second
        archive = zipfile.ZipFile(io.BytesIO(first))
        manifest = dict(reversed(line.split("  ")) for line in archive.read("MANIFEST.sha256").decode().splitlines())
        assert {name: hashlib.sha256(archive.read(name)).hexdigest() for name in manifest} == manifest
        assert f"P1;1;{group.north.finess};{month.isoformat()};" in archive.read("series.csv").decode()
        assert [each["month"] for each in json.loads(archive.read("closed_months.json"))] == [f"{month:%Y-%m}"]
