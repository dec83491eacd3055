"""The ledger: balanced, written once, never changed, and always a sum of whole cents."""

import secrets
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, func, insert, select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from portal import db
from portal.db import Base, session
from portal.gateways.payments.means import MOVES_MONEY, Answer, Ending
from services.billing import actions, queries
from services.billing.actions import Silence
from services.billing.ledger.actions import Posting, Side, Unbalanced, post
from services.billing.ledger.models import LedgerEntry, LedgerLine
from services.billing.models import AttemptShare, Bill, PaymentAttempt, Receipt
from tests.conftest import Database
from tests.services.billing.conftest import Ground


def attempt_on(bill: Bill, cents: int) -> UUID:
    """An attempt whose payer is on the payment page, without the trip; never the live one of its bill."""
    made = PaymentAttempt(
        id=uuid4(), establishment_id=bill.establishment_id, source=bill.source, psp_ref=str(uuid4()),
        return_digest=secrets.token_bytes(32), amount_cents=cents, refdet=bill.refdet, exer=bill.exer,
        numcli="090909", mode="T", email="jeanne@exemple.test", state="expired",
    )  # fmt: skip
    made.shares.append(
        AttemptShare(bill_id=bill.id, establishment_id=bill.establishment_id, amount_cents=cents, live=False)
    )
    session.add(made)
    session.flush()
    return made.id


def heard(attempt_id: UUID, ending: Ending, lie: int = 0) -> Answer:
    """The provider's answer about an attempt; `lie` cents away from what was asked."""
    attempt = session.get_one(PaymentAttempt, attempt_id)
    return Answer(
        psp_ref=attempt.psp_ref or "", ending=ending, code=ending.value, amount_cents=attempt.amount_cents + lie,
        currency="EUR", reference=attempt.refdet, account=attempt.numcli, mode=attempt.mode,
    )  # fmt: skip


events = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([*Ending, None]), st.sampled_from([0, 0, 0, 1, -1])), max_size=14
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amounts=st.lists(st.integers(100, 9_999_999), min_size=4, max_size=4), heard_events=events)
def test_whatever_is_heard_in_whatever_order_the_ledger_is_balanced_and_complete(
    ground: Ground, amounts: list[int], heard_events: list[tuple[int, Ending | None, int]]
) -> None:
    with db.transaction(db.system("tests")):
        bill = ground.bill
        before = queries.standing(bill.id).paid_cents
        attempts = [attempt_on(bill, cents) for cents in amounts]
    paid: set[int] = set()
    for number, ending, lie in heard_events:
        with db.transaction(db.system("billing.settle")):
            answer = heard(attempts[number], ending, lie) if ending else Silence("not_yet", "P5")
            state = actions.hear(attempts[number], answer, tests_count=True)
        if ending in MOVES_MONEY and not lie:
            paid.add(number)
        assert (state in ("paid", "debit_accepted")) == (number in paid)
    with db.transaction(db.system("tests")) as current:
        assert queries.standing(bill.id).paid_cents == before + sum(amounts[number] for number in paid)
        debit, credit = current.execute(
            select(
                func.coalesce(func.sum(LedgerLine.debit_cents), 0), func.coalesce(func.sum(LedgerLine.credit_cents), 0)
            )
        ).one()
        assert debit == credit
        booked = current.scalar(select(func.count()).select_from(LedgerEntry))
        assert booked == current.scalar(select(func.count()).select_from(Receipt))


def write_line(entry_id: UUID, bill: Bill, debit: int, credit: int) -> None:
    session.execute(
        insert(LedgerLine).values(
            id=uuid4(),
            entry_id=entry_id,
            bill_id=bill.id,
            establishment_id=bill.establishment_id,
            kind="payment",
            account="receivable",
            debit_cents=debit,
            credit_cents=credit,
        )
    )


def write_entry(bill: Bill, lines: list[tuple[int, int]]) -> None:
    """An entry of 45.20 euros with these lines, in a transaction of its own."""
    with db.transaction(db.system("tests")):
        entry = LedgerEntry(
            id=uuid4(), establishment_id=bill.establishment_id, attempt_id=attempt_on(bill, 4520),
            psp="payfip", psp_ref=str(uuid4()), kind="payment", means="card", amount_cents=4520, account="090909",
        )  # fmt: skip
        session.add(entry)
        session.flush()
        for debit, credit in lines:
            write_line(entry.id, bill, debit, credit)


@pytest.mark.parametrize("lines", [[], [(4520, 0)], [(4520, 0), (0, 4519)], [(4519, 0), (0, 4519)]])
def test_an_entry_that_is_not_balanced_is_refused_at_commit(ground: Ground, lines: list[tuple[int, int]]) -> None:
    with pytest.raises(IntegrityError, match="not balanced"):
        write_entry(ground.bill, lines)


def test_a_line_added_to_a_balanced_entry_is_refused(ground: Ground) -> None:
    write_entry(ground.bill, [(4520, 0), (0, 4520)])
    entry_id = ground.entries()[0].id
    with pytest.raises(IntegrityError, match="not balanced"), db.transaction(db.system("tests")):
        write_line(entry_id, ground.bill, 1, 0)


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_line", "receipt", "psp_exchange", "payment_attempt_change"])
@pytest.mark.parametrize("gesture", ["update {} set id = id", "delete from {}"])
def test_what_is_written_is_never_changed(app: Flask, table: str, gesture: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), db.transaction(db.system("tests")) as current:
        current.execute(text(gesture.format(table)))


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_line"])
@pytest.mark.parametrize("gesture", ["update {} set id = id", "delete from {}", "truncate {} cascade"])
def test_not_even_the_owner_of_the_ledger_changes_it(database: Database, table: str, gesture: str) -> None:
    refusal = pytest.raises(psycopg.errors.InsufficientPrivilege, match="never changed")
    with psycopg.connect(database.owner_url) as owner, refusal:
        owner.execute(gesture.format(table))


def test_a_movement_is_written_once_whoever_brings_it(ground: Ground) -> None:
    sides = [Side("clearing:payfip:090909", debit=4520), Side("receivable", credit=4520, bill_id=ground.bill.id)]
    posting = Posting(ground.bill.establishment_id, "payfip", "one-idop", "payment", "090909", sides)
    with db.transaction(db.system("tests")):
        assert post(posting) is not None
        assert post(posting) is None
    assert len(ground.entries()) == 1


@pytest.mark.parametrize("credit", [4519, 0])
def test_two_sides_that_differ_are_not_posted(ground: Ground, credit: int) -> None:
    sides = [Side("bank", debit=4520), Side("fees", credit=credit)]
    with db.transaction(db.system("tests")), pytest.raises(Unbalanced):
        post(Posting(ground.bill.establishment_id, "stripe", "po_1", "payout", "x", sides))


def test_money_is_never_a_float() -> None:
    for table in Base.metadata.tables.values():
        for column in table.columns:
            if column.name.endswith("_cents"):
                assert isinstance(column.type, BigInteger), f"{table.name}.{column.name}"
