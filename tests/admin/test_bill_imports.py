"""Files of bills in the back office: what became of each, and sending one; each agent sees their hospitals' part."""

from collections.abc import Callable
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError
from werkzeug.test import TestResponse

from admin import routes_bill_imports
from auth.models import Account
from portal import db
from portal.db import ANONYMOUS, Actor
from services.billing.bill_file import COLUMNS
from services.billing.imports import actions, jobs
from services.billing.imports.jobs import ImportReport
from services.billing.imports.models import BillImport
from services.billing.models import Bill
from tests.admin.conftest import Group
from tests.english import in_english as in_english
from tests.factories import people
from tests.ground import audited, prepared, rows
from tests.services.billing import test_pes
from tests.services.billing.test_import import line
from tests.statements import executed

SignIn = Callable[..., FlaskClient]
PAGE = "/admin/factures/imports"
HEADER = ";".join(COLUMNS)
NORTH, SOUTH, NOWHERE = "990000017", "990000025", "123456789"
TABLES = ("bill_import", "bill_import_place", "bill_import_remark")


def content(*lines: str, header: str = HEADER) -> bytes:
    return "\r\n".join([header, *lines, ""]).encode()


@pytest.fixture
def agent(group: Group) -> Account:
    with prepared():
        return people.agent(group.north.id, "billing", name="Bérénice Billot")


@pytest.fixture
def browser(agent: Account, sign_in: SignIn) -> FlaskClient:
    return sign_in(agent)


@pytest.fixture
def nightly(group: Group) -> ImportReport:
    """A file of both hospitals, with a wrong line of each and one of nobody's."""
    return jobs.import_bills(
        content(
            line(reference="N-000001"),
            line(reference="N-000002", exer="x"),
            line(finess=SOUTH, reference="S-000001"),
            line(finess=SOUTH, reference="S-000002", issued_on="yesterday"),
            line(finess=NOWHERE, reference="X-000001"),
        ),
        "nuit.csv",
    )


def send(browser: FlaskClient, file: bytes, name: str = "factures.csv", **more: str) -> TestResponse:
    return browser.post(
        f"{PAGE}/envoyer", data={"file": (BytesIO(file), name), **more}, content_type="multipart/form-data"
    )


# -- looking -----------------------------------------------------------------------------------------------------


def test_before_the_first_file_the_page_says_how_bills_arrive(browser: FlaskClient) -> None:
    page = browser.get(PAGE)
    assert page.status_code == 200
    assert "No file yet" in page.text


def test_a_file_is_listed_with_its_counts_and_opened(browser: FlaskClient, nightly: ImportReport) -> None:
    listed = browser.get(PAGE).text
    assert "nuit.csv" in listed
    assert "Command line" in listed
    report = browser.get(f"{PAGE}/{nightly.import_id}").text
    assert "N-000002" in report
    assert "exer is not a year of four digits." in report
    assert "No hospital of yours has the FINESS number 123456789." in report


def test_each_hospital_sees_its_own_part(browser: FlaskClient, nightly: ImportReport) -> None:
    """Nor is the reference of a line of nobody's shown: it may be another hospital's, misspelt."""
    for page in (PAGE, f"{PAGE}/{nightly.import_id}"):
        seen = browser.get(page).text
        assert "Hôpital du Sud" not in seen
        assert "S-000002" not in seen
        assert "X-000001" not in seen


def test_a_file_of_another_hospital_alone_is_not_there(browser: FlaskClient, group: Group) -> None:
    other = jobs.import_bills(content(line(finess=SOUTH)), "sud.csv")
    assert "sud.csv" not in browser.get(PAGE).text
    assert browser.get(f"{PAGE}/{other.import_id}").status_code == 404


def test_a_stopped_file_says_why(browser: FlaskClient, group: Group) -> None:
    answer = send(browser, content(line(), header="finess;reference"))
    assert answer.status_code == 422
    assert "it lacks the columns source" in answer.text
    (stopped,) = rows(BillImport)
    report = browser.get(f"{PAGE}/{stopped.id}").text
    assert "was not read to its end" in report


def test_pages_take_few_statements(app: Flask, browser: FlaskClient, nightly: ImportReport) -> None:
    for page in (PAGE, f"{PAGE}/{nightly.import_id}", f"{PAGE}/envoyer"):
        browser.get(page)
        with executed(app) as statements:
            assert browser.get(page).status_code == 200
        assert len(statements) <= 12, statements


@pytest.mark.parametrize("right", ["appointments", "administration", "audit"])
def test_only_billing_agents_come_in(group: Group, sign_in: SignIn, right: str) -> None:
    with prepared():
        other = people.agent(group.north.id, right)
    assert sign_in(other).get(PAGE).status_code in (403, 404)


# -- sending -----------------------------------------------------------------------------------------------------


def test_an_agent_sends_a_file_and_reads_its_report(browser: FlaskClient, agent: Account) -> None:
    answer = send(browser, content(line(), line(reference="2026-00018", due_cents="-1")))
    assert answer.status_code == 303
    report = browser.get(answer.location).text
    assert "factures.csv" in report
    assert "Bérénice Billot" in report
    assert "due_cents is not a whole number of cents." in report
    assert [bill.reference for bill in rows(Bill)] == ["2026-00017"]
    (found,) = rows(BillImport)
    assert (found.account_id, found.actor) == (agent.id, f"staff:{agent.id}")
    assert "bills.import_began" in audited()


def test_the_same_file_again_changes_nothing(browser: FlaskClient) -> None:
    send(browser, content(line()))
    again = send(browser, content(line()))
    assert "0 bills added, 0 changed, 1 as they were, 0 lines refused" in browser.get(again.location).text


def test_lines_of_a_hospital_without_the_right_are_refused(browser: FlaskClient) -> None:
    answer = send(browser, content(line(), line(finess=SOUTH, reference="S-1000001")))
    assert "No hospital of yours has the FINESS number 990000025." in browser.get(answer.location).text
    assert [bill.reference for bill in rows(Bill)] == ["2026-00017"]


def test_titres_are_sent_the_same_way(browser: FlaskClient, group: Group) -> None:
    silent = test_pes.file(test_pes.piece(), header=test_pes.HEADER.replace('<FinJur V="990000017"/>', ""))
    refused = send(browser, silent, "titres.xml")
    assert refused.status_code == 422
    assert "choose it below" in refused.text
    taken = send(browser, silent, "titres.xml", establishment_id=str(group.north.id))
    assert taken.status_code == 303
    assert [(bill.source, bill.reference, bill.ipp) for bill in rows(Bill)] == [("titre", "1234", "")]


def test_titres_of_another_hospital_are_not_taken(browser: FlaskClient, group: Group) -> None:
    there = test_pes.file(test_pes.piece(), header=test_pes.HEADER.replace(NORTH, SOUTH))
    answer = send(browser, there, "titres.xml")
    assert answer.status_code == 303
    assert rows(Bill) == []


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (b"", "Choose a file of bills that is not empty."),
        (b"\xff\xfe\x00", "well-formed XML"),
        (content(line(label="\u00c9")).decode().encode("latin-1"), "not encoded in UTF-8"),
        (b'<!DOCTYPE a [<!ENTITY a "a">]><a/>', "it holds a DTD"),
        (b"%PDF-1.7 \x00\x01", "it lacks the columns"),
    ],
    ids=["empty", "broken", "latin-1", "dtd", "pdf"],
)
def test_what_is_no_file_of_bills_is_told_in_words(browser: FlaskClient, file: bytes, said: str) -> None:
    answer = send(browser, file)
    assert answer.status_code == 422
    assert said in answer.text
    assert rows(Bill) == []


def test_a_large_file_is_for_the_command_line(browser: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes_bill_imports, "MAX_BYTES", 100)
    answer = send(browser, content(line()))
    assert answer.status_code == 422
    assert "larger than 10 MB" in answer.text
    assert rows(BillImport) == []


def test_no_file_at_all_is_told_in_words(browser: FlaskClient) -> None:
    answer = browser.post(f"{PAGE}/envoyer", data={}, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert "Choose a file of bills" in answer.text


def test_a_hostile_name_is_shown_as_text(browser: FlaskClient) -> None:
    answer = send(browser, content(line()), "<script>alert(1)</script>.csv")
    assert "<script>alert" not in browser.get(answer.location).text


# -- row-level security ------------------------------------------------------------------------------------------


def _seen(actor: Actor) -> dict[str, int]:
    with db.transaction(actor) as current:
        return {table: current.scalar(text(f"select count(*) from {table}")) or 0 for table in TABLES}


def test_who_sees_which_part_of_a_report(group: Group, agent: Account, nightly: ImportReport) -> None:
    everything = {"bill_import": 1, "bill_import_place": 1, "bill_import_remark": 2}
    assert _seen(people.as_agent(agent, group.north.id, "billing")) == everything
    assert _seen(people.as_agent(agent, group.south.id, "billing")) == everything
    assert _seen(db.system("tests")) == {"bill_import": 1, "bill_import_place": 2, "bill_import_remark": 3}


def test_strangers_see_no_report_and_write_none(group: Group, agent: Account, nightly: ImportReport) -> None:
    with prepared():
        own, person = people.patient_with_account()
        doctor = people.professional()
    strangers = (
        ANONYMOUS,
        people.as_patient(own, person),
        people.as_professional(doctor),
        people.as_agent(agent, group.north.id, "appointments"),
    )
    for actor in strangers:
        assert set(_seen(actor).values()) == {0}
        with pytest.raises(ProgrammingError, match="row-level security"), db.transaction(actor):
            actions.begin("x.csv", "csv", b"", 0)


def test_an_agent_writes_neither_counts_nor_remarks(group: Group, agent: Account, nightly: ImportReport) -> None:
    here = people.as_agent(agent, group.north.id, "billing")
    with db.transaction(db.system("tests")) as current:
        import_id = current.scalar(select(BillImport.id))
    for statement in (
        f"insert into bill_import_place (import_id, establishment_id) values ('{import_id}', '{group.north.id}')",
        "insert into bill_import_remark (id, import_id, establishment_id, kind, line, reference, why)"
        f" values (gen_random_uuid(), '{import_id}', '{group.north.id}', 'refused', 1, '', '')",
    ):
        with pytest.raises(ProgrammingError, match="row-level security"), db.transaction(here) as current:
            current.execute(text(statement))
    with db.transaction(here) as current:
        assert current.execute(text("update bill_import set file_name = ''")).rowcount == 0  # type: ignore[attr-defined]  # a cursor's
