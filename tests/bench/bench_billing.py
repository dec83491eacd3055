"""billing.settle: payments booked a second by `actions.hear` (entry, lines, receipt, audit, figures, message, in one
transaction with PayFiP's answer in hand). billing.notify: notifications of PayFiP answered a second by the whole
application, the network left out; asking PayFiP is a job's work, its time is not in it. Both against the same
statements sent straight through psycopg.

The statements are not a copy that could drift: one of each is recorded, then played again for other attempts.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

import psycopg
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from portal import db
from portal.db import session
from portal.gateways.payments import Exchange
from portal.gateways.payments.means import Answer, Ending
from services.billing import actions
from services.billing.models import AttemptShare, Bill, PaymentAttempt
from tests.bench.harness import application, ground, interleaved, report
from tests.bench.replay import Statements, recorded
from tests.factories import billing, hospitals, people

NAMES = ("billing.settle", "billing.notify")
A_ROUND = 150
ROUNDS = 4
_EVIDENCE = Exchange("recupererDetailPaiementSecurise", "<request/>" * 60, "<answer/>" * 90, 200, 40, "done")

Act = Callable[[PaymentAttempt], None]


def run() -> None:
    with ground() as place:
        app = application(place.settings)
        with app.app_context(), psycopg.connect(place.settings.database_url.get_secret_value()) as connection:
            attempts = _fill(1 + 2 * ROUNDS * A_ROUND)
            browser = app.test_client()
            # First, while every attempt still waits for its result: it asks for a job, and settles nothing.
            _measure("billing.notify", "requests/s", app, connection, attempts, lambda made: _notify(browser, made))
            _measure("billing.settle", "settlements/s", app, connection, attempts, _settle)
            _check(len(attempts))


def _measure(
    name: str, unit: str, app: Flask, connection: Any, attempts: Sequence[PaymentAttempt], act: Act
) -> None:  # fmt: skip
    first, theirs = attempts[0], iter(attempts[1:])
    with recorded(app) as statements:
        act(first)
    ours, limit = interleaved(
        lambda: _rate(theirs, act),
        lambda: _rate(theirs, lambda made: _play(connection, statements, first, made)),
        ROUNDS,
    )
    report(name, ours, unit, limit, note=f"1 client, {len(statements)} statements each")


def _fill(count: int) -> list[PaymentAttempt]:
    with db.transaction(db.system("bench")):
        where = hospitals.hospital().establishment
        _account, patient = people.patient_with_account()
        return [_attempt(billing.bill(where, patient)) for _ in range(count)]


def _attempt(owed: Bill) -> PaymentAttempt:
    share = AttemptShare(
        bill_id=owed.id, establishment_id=owed.establishment_id, amount_cents=owed.due_cents, live=True
    )
    made = PaymentAttempt(
        id=uuid4(), establishment_id=owed.establishment_id, source=owed.source, psp_ref=str(uuid4()), shares=[share],
        return_digest=secrets.token_bytes(32), amount_cents=owed.due_cents, refdet=owed.refdet, exer=owed.exer,
        numcli="090909", mode="T", email="jeanne@exemple.test", state="awaiting",
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def _notify(browser: FlaskClient, made: PaymentAttempt) -> None:
    answer = browser.post("/callbacks/payfip", data={"idop": made.psp_ref})
    if answer.status_code != 200:
        raise RuntimeError(f"a notification was answered {answer.status_code}")


def _rate(attempts: Iterator[PaymentAttempt], settle: Any) -> float:
    mine = list(islice(attempts, A_ROUND))
    began = time.perf_counter()
    for made in mine:
        settle(made)
    return len(mine) / (time.perf_counter() - began)


def _settle(made: PaymentAttempt) -> None:
    answer = Answer(
        psp_ref=made.psp_ref or "", ending=Ending.PAID, code="P", amount_cents=made.amount_cents, currency="EUR",
        reference=made.refdet, account=made.numcli, mode=made.mode, number="123456789012-tip", paid_at=made.created_at,
    )  # fmt: skip
    with db.transaction(db.system("billing.settle")):
        actions.hear(made.id, answer, _EVIDENCE, tests_count=True)


def _play(connection: Any, statements: Statements, example: PaymentAttempt, made: PaymentAttempt) -> None:
    """The recorded statements for another attempt, in one transaction; ids drawn there are drawn again."""
    changes: dict[Any, Any] = {
        example.id: made.id, example.shares[0].bill_id: made.shares[0].bill_id, example.psp_ref: made.psp_ref,
        example.establishment_id: made.establishment_id,
    }  # fmt: skip
    for statement, parameters in statements:
        if isinstance(parameters, list):
            connection.cursor().executemany(statement, [_changed(one, changes) for one in parameters])
            continue
        cursor = connection.execute(statement, _changed(parameters, changes))
        rows = cursor.fetchall() if cursor.description else []
        if "receipt_counter" in statement:
            changes["number"] = rows[0][0]
    connection.commit()


def _changed(parameters: dict[str, Any], changes: dict[Any, Any]) -> dict[str, Any]:
    return {name: _value(name, value, changes) for name, value in parameters.items()}


def _value(name: str, value: Any, changes: dict[Any, Any]) -> Any:
    if name == "number" and isinstance(value, int):  # the receipt's; the entry's is the bank's
        return changes["number"]
    if name == "code" and isinstance(value, str) and len(value) == 10:
        return secrets.token_hex(5)
    if isinstance(value, UUID):
        known = ("establishment_id", "patient_id", "account_id")
        return value if name.startswith(known) else changes.setdefault(value, uuid4())
    if isinstance(value, str):  # a job's arguments and an audit's details are JSON
        return changes.get(value, value).replace(*(str(each) for each in next(iter(changes.items()))))
    return value


def _check(count: int) -> None:
    """Whichever way, each attempt was settled once, and the ledger is balanced."""
    with db.transaction(db.system("bench")) as current:
        counted = text("select (select count(*) from ledger_entry), (select count(*) from receipt),"
                       " (select sum(debit_cents) - sum(credit_cents) from ledger_line)")  # fmt: skip
        entries, receipts, difference = current.execute(counted).one()
    if (entries, receipts, difference) != (count, count, 0):
        raise RuntimeError(f"{count} attempts made {entries} entries, {receipts} receipts, {difference} cents apart")
