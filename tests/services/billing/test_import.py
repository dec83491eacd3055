"""`parvis import bills`: a file loaded twice changes nothing, a wrong line is left out alone, a wrong file whole."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from portal import db, kpi
from portal.delimited import NotSuchAFile
from portal.kpi import Period
from services.billing import bill_file
from services.billing import jobs as jobs_of_billing
from services.billing.access_keys import digest_of_birth, digest_of_key
from services.billing.bill_file import BillLine, Refusal
from services.billing.imports import actions, jobs
from services.billing.imports.models import BillImport, BillImportRemark
from services.billing.models import Bill
from tests.ground import today
from tests.services.billing import test_pes
from tests.services.billing.conftest import Ground, SignIn, at_the_bank, begin, pay
from tests.writers import all_rolled_up

HEADER = ";".join(bill_file.COLUMNS)
FACTS = {
    "finess": "990000017", "source": "regie", "exer": "2026", "reference": "2026-00017", "refdet": "",
    "label": "Consultation", "unit": "Cardiologie", "care_on": "2026-09-14", "issued_on": "2026-10-01",
    "due_on": "2026-12-01", "total_cents": "10000", "amo_cents": "5480", "amc_cents": "0", "due_cents": "4520",
    "ipp": "8000001", "access_key": "",
}  # fmt: skip


MORE = {"bill_source": "", "birth_on": "", "closed": ""}
KEY = "K7QH-42MZ"


def line(**changes: str) -> str:
    return ";".join((FACTS | changes).values())


def full(**changes: str) -> str:
    """A line with the optional columns too; its header is FULL."""
    return ";".join((FACTS | MORE | changes).values())


FULL = ";".join(bill_file.ALL)


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


# -- paying without an account -----------------------------------------------------------------------------------


def test_the_key_and_the_birth_date_are_kept_as_digests_alone(load: Load) -> None:
    load(full(access_key=KEY, birth_on="1970-03-04", bill_source="externes"), header=FULL)
    bill = bills()["2026-00017"]
    assert bill.access_digest == digest_of_key("2026-00017", "k7qh42mz")
    assert bill.birth_digest == digest_of_birth("2026-00017", date(1970, 3, 4))
    assert bill.bill_source == "externes"
    with db.transaction(db.system("tests")) as current:
        kept = current.scalar(text("select string_agg(b::text, '') from bill b"))
    assert "K7QH" not in kept
    assert "1970-03-04" not in kept


def test_a_later_file_without_key_birth_date_or_source_leaves_them(load: Load) -> None:
    load(full(access_key=KEY, birth_on="1970-03-04", bill_source="externes"), header=FULL)
    assert counts(load(line())) == (0, 0, 1, 0)
    assert bills()["2026-00017"].access_digest == digest_of_key("2026-00017", KEY)
    assert counts(load(full(access_key="ANOTHER4KEY"), header=FULL)) == (0, 1, 0, 0)
    assert bills()["2026-00017"].access_digest == digest_of_key("2026-00017", "ANOTHER4KEY")


@pytest.mark.parametrize(
    "key", ["1234567", "ABCDEFG", "123456789012", "AAAAAAAA", "AB-AB-AB-AB-AB", "2026-00017", "é" * 12]
)
def test_a_key_that_could_be_guessed_refuses_its_line(load: Load, key: str) -> None:
    report = load(full(access_key=key, reference="2026-00017"), header=FULL)
    assert counts(report) == (0, 0, 0, 1)
    assert "access_key" in report.refusals[0].why
    assert key not in report.refusals[0].why


@pytest.mark.parametrize("key", ["K7QH42MZ", "k7qh 42mz", "1234567890123", "KZQHBPMT"])
def test_a_key_of_forty_bits_is_taken(load: Load, key: str) -> None:
    assert load(full(access_key=key), header=FULL).added == 1


def test_a_source_that_nobody_described_is_noticed_once(load: Load) -> None:
    report = load(full(bill_source="new"), full(bill_source="new", reference="2026-00018"), header=FULL)
    assert counts(report) == (2, 0, 0, 0)
    assert ["new" in notice.why for notice in report.notices] == [True]


# -- bills that were paid, or are being paid ---------------------------------------------------------------------


def of_ground(ground: Ground, **changes: str) -> str:
    """A line about the bill of the ground, as the billing system knows it."""
    bill = ground.bill
    told = {"reference": bill.reference, "refdet": bill.refdet, "label": bill.label, "ipp": "", "exer": bill.exer}
    return full(**(told | changes))


def test_less_than_what_was_paid_is_taken_and_told(load: Load, sign_in: SignIn, ground: Ground) -> None:
    """The billing system knows what is due; what was paid stays paid, and somebody gives the rest back."""
    browser = sign_in(ground.account)
    browser.get(pay(browser, ground))
    report = load(of_ground(ground, due_cents="3000"), header=FULL)
    assert counts(report) == (0, 1, 0, 0)
    assert [(notice.reference, "3000" in notice.why, "4520" in notice.why) for notice in report.notices] == [
        (ground.bill.reference, True, True)
    ]
    standing = ground.standing()
    assert (standing.state, standing.overpaid_cents) == ("overpaid", 1520)


def test_less_than_what_is_being_paid_is_taken_and_told(load: Load, sign_in: SignIn, ground: Ground) -> None:
    page = begin(sign_in(ground.account), ground)
    report = load(of_ground(ground, due_cents="3000"), header=FULL)
    assert len(report.notices) == 1
    at_the_bank(page, "P")
    jobs_of_billing.settle(ground.attempts()[0].id)
    assert ground.standing().overpaid_cents == 1520


@pytest.mark.parametrize("due", ["4520", "5000"])
def test_as_much_as_was_paid_or_more_needs_nobody(load: Load, sign_in: SignIn, ground: Ground, due: str) -> None:
    browser = sign_in(ground.account)
    browser.get(pay(browser, ground))
    assert load(of_ground(ground, due_cents=due, amo_cents="0"), header=FULL).notices == []


def test_an_unpaid_bill_goes_down_without_a_word(load: Load, ground: Ground) -> None:
    report = load(of_ground(ground, due_cents="3000"), header=FULL)
    assert (report.changed, report.notices) == (1, [])
    assert ground.standing().left_cents == 3000


# -- closed elsewhere --------------------------------------------------------------------------------------------


def test_a_bill_paid_elsewhere_is_closed_once(load: Load, ground: Ground) -> None:
    closed = of_ground(ground, closed="paid_elsewhere")
    assert load(closed, header=FULL).closed == 1
    assert ground.standing().state == "closed_elsewhere"
    again = load(closed, header=FULL)
    assert (again.closed, again.unchanged, again.notices) == (0, 1, [])
    load(of_ground(ground), header=FULL)
    assert ground.standing().state == "closed_elsewhere"


@pytest.mark.parametrize("until", ["leaving", "paid"])
def test_a_bill_with_money_in_or_on_its_way_is_not_closed(
    load: Load, sign_in: SignIn, ground: Ground, until: str
) -> None:
    browser = sign_in(ground.account)
    begin(browser, ground) if until == "leaving" else browser.get(pay(browser, ground))
    report = load(of_ground(ground, closed="cancelled"), header=FULL)
    assert report.closed == 0
    assert [notice.reference for notice in report.notices] == [ground.bill.reference]
    assert ground.standing().bill.closed_reason == ""


def test_a_closed_bill_that_was_never_sent_before_is_kept_closed(load: Load) -> None:
    assert load(full(closed="cancelled"), header=FULL).closed == 1
    assert bills()["2026-00017"].closed_reason == "cancelled"


# -- what is written down ----------------------------------------------------------------------------------------


def test_each_file_is_written_down_with_its_counts(load: Load, ground: Ground) -> None:
    report = load(line(), line(exer="x"), line(finess="000000000"))
    with db.transaction(db.system("tests")) as current:
        found = current.get_one(BillImport, report.import_id)
        (place,) = found.places
        remarks = [(row.establishment_id, row.line, row.reference) for row in current.scalars(select(BillImportRemark))]
    assert (found.state, found.kind, found.file_name, found.actor) == (
        "done",
        "csv",
        "bills.csv",
        "system:billing.import",
    )
    assert (place.establishment_id, place.added, place.refused, found.refused) == (
        ground.hospital.establishment.id,
        1,
        1,
        1,
    )
    assert sorted(remarks, key=lambda row: row[1]) == [
        (ground.hospital.establishment.id, 3, "2026-00017"),
        (None, 4, ""),
    ]


def test_a_file_that_is_none_is_written_down_as_stopped(load: Load) -> None:
    with pytest.raises(NotSuchAFile):
        load(line(), header="finess;reference")
    with db.transaction(db.system("tests")) as current:
        (found,) = current.scalars(select(BillImport))
    assert (found.state, found.why.startswith("missing columns")) == ("stopped", True)


def test_a_thousand_remarks_are_kept_and_all_are_counted(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "REMARKS_KEPT", 5)
    monkeypatch.setattr(jobs, "_BATCH", 4)
    report = load(*(line(exer="x") for _ in range(11)))
    assert (report.refused, len(report.refusals)) == (11, 5)
    with db.transaction(db.system("tests")) as current:
        assert current.scalar(select(func.count()).select_from(BillImportRemark)) == 5


def test_a_file_cut_in_the_middle_is_taken_up_where_it_was(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line(reference=f"2026-{number:05}") for number in range(1, 8)]
    monkeypatch.setattr(jobs, "_BATCH", 3)
    merged, real = [], actions.merge_lines

    def cut(*what: object, **more: object) -> actions.Tally:
        if len(merged) == 1:
            raise KeyboardInterrupt
        merged.append(real(*what, **more))  # type: ignore[arg-type]  # passed on as it came
        return merged[-1]

    monkeypatch.setattr(actions, "merge_lines", cut)
    with pytest.raises(KeyboardInterrupt):
        load(*lines)
    assert len(bills()) == 1 + 3
    monkeypatch.setattr(actions, "merge_lines", real)
    assert counts(load(*lines)) == (4, 0, 3, 0)


def test_batches_change_nothing_about_the_result(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bill in two batches: added by the first, changed by the second."""
    monkeypatch.setattr(jobs, "_BATCH", 2)
    report = load(line(), line(reference="2026-00018"), line(due_cents="1000"), line(reference="2026-00019"))
    assert counts(report) == (3, 1, 0, 0)
    assert bills()["2026-00017"].due_cents == 1000


def test_two_files_at_once_with_the_same_bills_wait_for_each_other(
    app: Flask, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In opposite orders, new bills and known ones alike: neither is lost, and nobody waits for ever."""
    monkeypatch.setattr(jobs, "_BATCH", 40)
    told = [line(reference=f"2026-{number:05}") for number in range(1, 81)]
    files = ["\n".join([HEADER, *order]).encode() for order in (told, told[::-1])]
    for _again in range(2):
        with ThreadPoolExecutor(2) as both:
            reports = list(both.map(jobs.import_bills, files))
        assert [report.added + report.changed + report.unchanged for report in reports] == [80, 80]
    assert len(bills()) == 81


def test_the_staging_never_holds_a_committed_row(load: Load) -> None:
    load(line(), full(reference="2026-00018").rsplit(";", 3)[0])
    with db.transaction(db.system("tests")) as current:
        assert current.scalar(text("select count(*) from bill_staging")) == 0


def test_backslashes_and_quotes_arrive_as_they_are(load: Load) -> None:
    load(line(label='"a \\N ""b"" \\t \\\\."', unit="C:\\new"))
    bill = bills()["2026-00017"]
    assert (bill.label, bill.unit) == ('a \\N "b" \\t \\\\.', "C:\\new")


def test_pes_and_csv_give_the_same_report(ground: Ground, tmp_path: Path) -> None:
    path = tmp_path / "titres.xml"
    path.write_bytes(test_pes.file(test_pes.piece(), test_pes.piece(number="5", kind="05"), test_pes.piece(number="x")))
    report = jobs.import_bills(path)
    assert (report.added, report.refused, report.left_out) == (1, 1, 1)
    assert bills()["1234"].source == "titre"
    again = jobs.import_bills(path)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 1)


@given(st.lists(st.sampled_from(["17", "18", "19"]), min_size=1, max_size=8), st.integers(1, 4))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_order_each_line_is_counted_once(
    load: Load, monkeypatch: pytest.MonkeyPatch, numbers: list[str], batch: int
) -> None:
    monkeypatch.setattr(jobs, "_BATCH", batch)
    report = load(*(line(reference=f"2026-000{number}", due_cents=f"{place}") for place, number in enumerate(numbers)))
    assert report.added + report.changed + report.unchanged == len(numbers)
    last = {number: place for place, number in enumerate(numbers)}
    assert {number: bills()[f"2026-000{number}"].due_cents for number in last} == last


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
