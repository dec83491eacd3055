"""Which bill a letter is about, and which bills a browser has opened. For system jobs: the payer is nobody here."""

import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select

from portal import db
from portal.db import session
from services.billing import access_keys
from services.billing.actions import digest
from services.billing.guests.models import BillOpening
from services.billing.models import Bill
from services.billing.queries import Standing, read_standings, standings
from services.billing.sources.models import BillSource

ACCESS: Any = func.coalesce(
    select(BillSource.access)
    .where(
        BillSource.establishment_id == Bill.establishment_id,
        BillSource.kind == Bill.source,
        BillSource.code.in_((Bill.bill_source, Bill.source)),
    )
    .order_by((BillSource.code == Bill.bill_source).desc())
    .limit(1)
    .correlate(Bill)
    .scalar_subquery(),
    "key",
)
"""What opens a bill to its payer: the `access` of `sources.source_of`, read in the very statement that looks for the
bill, so that one closed to guests costs what an unknown one does."""


@dataclass(frozen=True)
class Found:
    """A bill that what was typed opens."""

    bill_id: UUID
    establishment_id: UUID
    patient_id: UUID | None


def spellings(reference: str) -> tuple[str, str, str]:
    """How the reference typed may be written in the billing system; always as many, found or not."""
    typed = reference.strip()
    together = "".join(typed.split())
    return typed, together, together.upper()


def counted_as(reference: str) -> str:
    """One name for all spellings of a reference, under which tries are counted."""
    return "".join(sign for sign in reference.upper() if sign.isalnum())


def with_key(reference: str, key: str) -> Sequence[Found]:
    """The bills that this key opens; () when it opens none, whatever the reason."""
    digests = [each for spelt in spellings(reference) for each in access_keys.digests_of_key(spelt, key)]
    return _of_one_hospital(Bill.access_digest, digests, ACCESS != "none")


def with_birth(reference: str, due_cents: int, born_on: date) -> Sequence[Found]:
    """The bills of this exact amount about somebody born that day, where letters bear no key."""
    digests = [each for spelt in spellings(reference) for each in access_keys.digests_of_birth(spelt, born_on)]
    return _of_one_hospital(Bill.birth_digest, digests, ACCESS == "amount_birth", Bill.due_cents == due_cents)


def _of_one_hospital(column: Any, digests: Collection[bytes], *conditions: ColumnElement[bool]) -> Sequence[Found]:
    """One statement, found or not. What points at two hospitals points at nobody's bill: neither is shown."""
    rows = session.execute(
        select(Bill.id, Bill.establishment_id, Bill.patient_id, column).where(column.in_(digests), *conditions)
    ).all()
    found = [Found(*facts) for *facts, kept in rows if _is_among(kept, digests)]
    return found if len({each.establishment_id for each in found}) == 1 else ()


def _is_among(kept: bytes, digests: Collection[bytes]) -> bool:
    """Compared in constant time, each of them."""
    return any([hmac.compare_digest(bytes(kept), each) for each in digests])  # noqa: C419 - never stops at the first


def some_letters_bear_no_key() -> bool:
    """Whether any source lets payers in by amount and birth date: only then are they asked for."""
    return bool(
        session.scalar(select(exists().where(BillSource.access == "amount_birth", BillSource.is_active.is_(True))))
    )


def with_a_digest(moment: datetime) -> int:
    """Open bills older than this whose letter lets its reader in. As the system."""
    is_known = Bill.access_digest.is_not(None) | Bill.birth_digest.is_not(None)
    old = Bill.created_at < moment, Bill.closed_reason == ""
    return session.scalar(select(func.count()).select_from(Bill).where(is_known, *old)) or 0


# -- what a browser has opened -----------------------------------------------------------------------------------


def opened(token: str) -> list[Standing]:
    """The bills that the holder of this cookie may see and pay now, newest first."""
    live = select(BillOpening.bill_id).where(BillOpening.digest == digest(token), BillOpening.expires_at > db.now())
    return read_standings(standings(Bill.id.in_(live))) if token else []


def bills_named(reference: str) -> Sequence[Found]:
    """Every bill with this reference, to write down that somebody guesses at its key."""
    rows = session.execute(
        select(Bill.id, Bill.establishment_id, Bill.patient_id).where(Bill.reference.in_(spellings(reference)))
    )
    return [Found(*facts) for facts in rows]
