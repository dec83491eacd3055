"""`parvis import bills`: a file loaded twice changes nothing, a wrong line is left out alone, a wrong file whole."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text

from portal import db, kpi
from portal.delimited import NotSuchAFile
from portal.kpi import Period
from services.billing import bill_file
from services.billing.bill_file import BillLine, Refusal
from services.billing.imports import jobs
from services.billing.models import Bill
from tests.ground import today
from tests.services.billing.conftest import Ground
from tests.writers import all_rolled_up

HEADER = ";".join(bill_file.COLUMNS)
FACTS = {
    "finess": "990000017", "source": "regie", "exer": "2026", "reference": "2026-00017", "refdet": "",
    "label": "Consultation", "unit": "Cardiologie", "care_on": "2026-09-14", "issued_on": "2026-10-01",
    "due_on": "2026-12-01", "total_cents": "10000", "amo_cents": "5480", "amc_cents": "0", "due_cents": "4520",
    "ipp": "8000001", "access_key": "",
}  # fmt: skip


def line(**changes: str) -> str:
    return ";".join((FACTS | changes).values())


Load = Callable[..., jobs.ImportReport]


@pytest.fixture
def load(ground: Ground, tmp_path: Path) -> Load:
    """Import a file made of these lines."""

    def loaded(*lines: str, header: str = HEADER, encoding: str = "utf-8") -> jobs.ImportReport:
        path = tmp_path / "bills.csv"
        path.write_bytes("\r\n".join([header, *lines, ""]).encode(encoding))
        return jobs.import_bills(path)

    return loaded


def bills() -> dict[str, Bill]:
    with db.transaction(db.system("tests")) as current:
        return {bill.reference: bill for bill in current.scalars(select(Bill))}


def counts(report: jobs.ImportReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.unchanged, report.refused


def test_a_bill_reaches_the_patient_the_hospital_knows_by_this_ipp(load: Load, ground: Ground) -> None:
    assert counts(load(line())) == (1, 0, 0, 0)
    bill = bills()["2026-00017"]
    assert bill.patient_id == ground.patient.id
    assert (bill.refdet, bill.due_cents, bill.label) == ("202600017", 4520, "Consultation")


def test_a_bill_of_somebody_unknown_waits_without_a_patient(load: Load) -> None:
    load(line(ipp="nobody"), line(reference="2026-00018", ipp=""))
    assert {bill.patient_id for ref, bill in bills().items() if ref.startswith("2026")} == {None}


def test_loading_twice_changes_nothing(load: Load) -> None:
    load(line(), line(reference="2026-00018"))
    assert counts(load(line(), line(reference="2026-00018"))) == (0, 0, 2, 0)
    assert len(bills()) == 3


def test_a_corrected_bill_is_brought_up_to_date(load: Load) -> None:
    load(line())
    assert counts(load(line(due_cents="1520", amc_cents="3000"))) == (0, 1, 0, 0)
    assert bills()["2026-00017"].due_cents == 1520


def test_a_bill_twice_in_the_file_takes_its_last_line(load: Load) -> None:
    report = load(line(), line(due_cents="1000"))
    assert counts(report) == (1, 1, 0, 0)
    assert bills()["2026-00017"].due_cents == 1000


def test_the_same_reference_of_two_hospitals_or_sources_or_years_is_another_bill(load: Load) -> None:
    assert load(line(), line(source="titre"), line(exer="2025")).added == 3


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"finess": "000000000"}, "finess"),
        ({"finess": ""}, "finess"),
        ({"source": "other"}, "source"),
        ({"exer": "26"}, "exer"),
        ({"reference": ""}, "reference"),
        ({"reference": "1", "refdet": ""}, "refdet"),
        ({"refdet": "é12345"}, "refdet"),
        ({"issued_on": "01/10/2026"}, "issued_on"),
        ({"care_on": "2026-02-30"}, "care_on"),
        ({"due_cents": "45,20"}, "due_cents"),
        ({"due_cents": "-1"}, "due_cents"),
        ({"due_cents": "٣"}, "due_cents"),
        ({"total_cents": "1e3"}, "total_cents"),
        ({"total_cents": "100"}, "add up"),
        ({"label": "x" * 201}, "label"),
        ({"label": "a;b"}, "cells"),
        ({"label": "a\x00b"}, "label"),
    ],
)
def test_a_wrong_line_is_refused_alone_with_its_reason(load: Load, changes: dict[str, str], why: str) -> None:
    report = load(line(reference="2026-00001"), line(**changes), line(reference="2026-00002"))
    assert counts(report) == (2, 0, 0, 1)
    assert report.refusals[0].line == 3
    assert why in report.refusals[0].why


@pytest.mark.parametrize("column", ["due_cents", "finess", "ipp"])
def test_a_file_without_a_needed_column_is_refused_before_anything_is_written(load: Load, column: str) -> None:
    with pytest.raises(NotSuchAFile, match=column):
        load(line(), header=HEADER.replace(column, "other"))
    assert len(bills()) == 1


def test_a_file_in_another_encoding_is_refused_whole(load: Load) -> None:
    with pytest.raises(NotSuchAFile, match="UTF-8"):
        load(line(), line(label="Échographie"), encoding="latin-1")
    assert len(bills()) == 1


def test_unknown_columns_and_a_byte_order_mark_are_ignored(load: Load) -> None:
    assert load(line() + ";whatever", header=HEADER + ";comment", encoding="utf-8-sig").added == 1


def test_a_broken_quote_is_one_refusal(tmp_path: Path) -> None:
    path = tmp_path / "bills.csv"
    path.write_text(f"{HEADER}\n{line(label=chr(34) + 'x' + chr(34) + 'y')}\n{line()}\n", encoding="utf-8")
    assert [type(found) for found in bill_file.read(path)] == [Refusal, BillLine]


def test_imported_bills_feed_the_online_payment_rate(load: Load, app: Flask) -> None:
    all_rolled_up()
    with db.transaction(db.system("tests")):
        assert kpi.definition("F2").compute(Period(today(), today())).value is None
    load(line(), line(reference="2026-00018"), line(reference="2026-00019", source="private"))
    all_rolled_up()
    with db.transaction(db.system("tests")) as current:
        figure = kpi.definition("F2").compute(Period(today(), today()))
        assert current.scalar(text("select count(*) from bill")) == 4
    assert (figure.numerator, figure.denominator, figure.fed) == (0, 2, True)
