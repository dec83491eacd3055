"""A bill and all that hangs on it are closed to everybody else: row-level security, table by table."""

from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Insert, insert, select, text
from sqlalchemy.exc import ProgrammingError

from portal import db
from portal.db import ANONYMOUS, Actor, Base
from tests.factories import hospitals, people
from tests.services.billing.conftest import Ground, SignIn, pay

TABLES = ("bill", "payment_attempt", "payment_attempt_change", "ledger_entry", "ledger_line", "receipt", "psp_exchange")
FOR_STAFF_ALONE = {"psp_exchange"}


@pytest.fixture
def paid(sign_in: SignIn, ground: Ground) -> Ground:
    browser: FlaskClient = sign_in(ground.account)
    browser.get(pay(browser, ground))
    return ground


def strangers(ground: Ground) -> dict[str, Actor]:
    with db.transaction(db.system("tests")):
        elsewhere = hospitals.hospital("990000025", "Hôpital d’à côté")
        own, person = people.patient_with_account(birth_name="DURAND")
        there = people.agent(elsewhere.establishment.id, "billing")
        here = people.agent(ground.hospital.establishment.id, "appointments")
        doctor = people.professional()
    return {
        "another patient": people.as_patient(own, person),
        "an agent of another hospital": people.as_agent(there, elsewhere.establishment.id, "billing"),
        "an agent without the right": people.as_agent(here, ground.hospital.establishment.id, "appointments"),
        "a practitioner": people.as_professional(doctor),
        "nobody": ANONYMOUS,
    }


def copy_of(table: str) -> Insert:
    """A statement that writes an existing row again, under a new id where there is one."""
    into = Base.metadata.tables[table]
    with db.transaction(db.system("tests")) as current:
        row = dict(current.execute(select(into).limit(1)).mappings().one())
    return insert(into).inline().values({**row, "id": uuid4()} if "id" in row else row)


def seen(actor: Actor, *tables: str) -> set[str]:
    """The tables in which this actor sees something."""
    with db.transaction(actor) as current:
        return {table for table in tables if current.scalar(text(f"select exists (select from {table})"))}


def writes(actor: Actor, table: str) -> bool:
    """Whether this actor may write again a row that is there; row-level security says otherwise."""
    again = copy_of(table)
    try:
        with db.transaction(actor) as current:
            current.execute(again)
    except ProgrammingError as refused:
        return "row-level security" not in str(refused)
    return True


def test_strangers_see_nothing_and_write_nothing(paid: Ground) -> None:
    tables = (*TABLES, "receipt_counter")
    for name, actor in strangers(paid).items():
        assert seen(actor, *tables) == set(), name
        assert {table for table in tables if writes(actor, table)} == set(), name


def test_the_patient_and_the_billing_agent_see_their_own(paid: Ground) -> None:
    agent = people.as_agent(paid.account, paid.hospital.establishment.id, "billing")
    assert seen(agent, *TABLES) == set(TABLES)
    assert seen(people.as_patient(paid.account, paid.patient), *TABLES) == set(TABLES) - FOR_STAFF_ALONE


def test_a_patient_writes_no_bill_and_no_money(paid: Ground) -> None:
    actor = people.as_patient(paid.account, paid.patient)
    assert {table for table in TABLES if table != "payment_attempt" and writes(actor, table)} == set()


def test_a_patient_changes_no_attempt(paid: Ground) -> None:
    with db.transaction(people.as_patient(paid.account, paid.patient)) as current:
        current.execute(text("update payment_attempt set state = 'paid'"))
        current.execute(text("update bill set due_cents = 0"))
    assert paid.standing().bill.due_cents == 4520
