"""Files of payments as a provider and a hospital send them, and days of the demonstration that somebody compared."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from portal import db
from portal.calendar import civil_day
from portal.db import session
from portal.establishments import Establishment
from services.billing.ledger.models import LedgerEntry
from services.billing.settlement import actions as settlement
from services.billing.settlement import payment_file
from services.billing.settlement.payment_file import COLUMNS, PaymentLine
from services.billing.treasury import actions as treasury
from tests.factories.demonstration import World

HEADER = ";".join(COLUMNS)


def row(**facts: Any) -> str:
    """One line of a file: by default, a payment by PayFiP of the hospital of the tests."""
    usual = {
        "finess": "990000017", "kind": "online", "psp": "payfip", "account": "090909", "psp_ref": "", "number": "",
        "reference": "", "source": "", "exer": "", "amount_cents": "4520", "means": "card", "on": "2026-11-20",
        "note": "",
    }  # fmt: skip
    return ";".join(str({**usual, **facts}[name]) for name in COLUMNS)


def content(rows: Iterable[str]) -> bytes:
    """A whole file."""
    return "\r\n".join([HEADER, *rows, ""]).encode()


def row_of(entry: LedgerEntry, place: Establishment, **facts: Any) -> str:
    """What the provider's daily file says of a payment of the ledger."""
    return row(
        finess=place.finess, psp=entry.psp, account=entry.account, psp_ref=entry.psp_ref, number=entry.number,
        amount_cents=entry.amount_cents, on=civil_day(entry.moved_at or entry.booked_at, place.tz), **facts,
    )  # fmt: skip


def demonstrate(world: World) -> None:
    """Most payments are in a file; one of them tells another amount, and one nobody knows. Past days are sealed."""
    place = world.north.establishment
    entries = session.scalars(
        select(LedgerEntry)
        .where(LedgerEntry.establishment_id == place.id, LedgerEntry.kind == "payment", LedgerEntry.psp == "payfip")
        .order_by(LedgerEntry.moved_at, LedgerEntry.id)
    ).all()
    if not entries:
        return
    today = civil_day(db.now(), place.tz)
    rows = [row_of(entry, place) for entry in entries]
    rows[0] = (
        row_of(entries[0], place)
        if len(rows) == 1
        else row_of(entries[0], place).replace(f";{entries[0].amount_cents};", f";{entries[0].amount_cents + 100};", 1)
    )
    rows.append(row(finess=place.finess, psp_ref="0b1c4b0e-9f5e-4bd6-8f0f-d6b3a4a7c111", number="778899001122-tip",
                    account=entries[0].account, amount_cents=2850, on=today - timedelta(days=2)))  # fmt: skip
    _read(rows, place)
    settlement.compare(place, today - timedelta(days=60), today)
    treasury.seal(place, today)  # all was written down just now: sealed a little early, so that the page shows one


def _read(rows: list[str], place: Establishment) -> None:
    data, run = content(rows), uuid4()
    lines = [line for line in payment_file.read(data) if isinstance(line, PaymentLine)]
    stored = settlement.store(lines, {place.finess: place.id}, run)
    settlement.keep_file("rapprochement-payfip.csv", "0" * 64, run, stored)
