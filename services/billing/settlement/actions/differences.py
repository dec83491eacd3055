"""Writing in the work list: every step of a difference leaves its row."""

from datetime import date
from uuid import UUID, uuid4

import structlog
from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from portal import db, kpi
from portal.db import session
from services.billing.settlement import states
from services.billing.settlement.comparing import Finding
from services.billing.settlement.models import SettlementDifference, SettlementDifferenceChange

log = structlog.get_logger(__name__)

_GAPS = ("not_in_ledger", "unknown_reference")
"""Money that a provider holds and that we have not written down (figure F4b, which must stay at zero)."""


def open_(establishment_id: UUID, finding: Finding, *, bill_id: UUID | None = None) -> None:
    """Put a difference in the work list. One found again is brought up to date; closed by the machine, it reopens."""
    table = SettlementDifference
    facts = {
        "psp": finding.psp, "account": finding.account, "day": finding.day, "reference": finding.reference,
        "bill_id": bill_id, "file_cents": finding.file_cents, "ledger_cents": finding.ledger_cents,
    }  # fmt: skip
    added = session.scalar(
        upsert(table)
        .values(
            id=uuid4(), establishment_id=establishment_id, kind=finding.kind, subject=finding.subject, state="open",
            note="", decided_by="", found_at=db.now(), **facts,
        )
        .on_conflict_do_nothing(index_elements=["establishment_id", "kind", "subject"])
        .returning(table.id)
    )  # fmt: skip
    if added is None:
        _again(establishment_id, finding, facts)
        return
    log.warning("settlement.difference", kind=finding.kind, difference_id=str(added))
    if finding.kind in _GAPS:
        kpi.count(
            "payment_gap_found", establishment_id=establishment_id, channel=finding.psp, quantity=finding.file_cents
        )


def _again(establishment_id: UUID, finding: Finding, facts: dict[str, object]) -> None:
    found = held(establishment_id, finding.kind, finding.subject)
    if found is None:
        return
    amounts = found.file_cents, found.ledger_cents
    for name, value in facts.items():
        setattr(found, name, value)
    is_new = amounts != (finding.file_cents, finding.ledger_cents)
    if found.state == "closed" and (is_new or found.decided_by.startswith("system:")):
        move(found, "open", "found_again")


def held(establishment_id: UUID, kind: str, subject: str) -> SettlementDifference | None:
    table = SettlementDifference
    return session.scalar(
        select(table)
        .where(table.establishment_id == establishment_id, table.kind == kind, table.subject == subject)
        .with_for_update(key_share=True)
    )


def move(found: SettlementDifference, after: str, why: str) -> bool:
    """One state to the next, with its immutable row; False when that step does not exist."""
    if not states.allowed(found.state, after):
        return False
    actor = db.current_actor()
    session.execute(
        insert(SettlementDifferenceChange)
        .inline()
        .values(
            id=uuid4(), difference_id=found.id, establishment_id=found.establishment_id, before=found.state,
            after=after, why=why, actor=actor.label, actor_name=actor.name if actor.kind != "system" else "",
        )
    )  # fmt: skip
    found.state, found.note, found.decided_at = after, why, db.now()
    found.decided_by = actor.label
    return True


def of_bill(kind: str, subject: str, day: date, reference: str, file_cents: int, ledger_cents: int) -> Finding:
    """A difference about a bill rather than about a counter."""
    return Finding(kind, subject, "", "", day, reference, file_cents, ledger_cents)
