"""Unusual accesses are kept by a job and judged by an auditor; the chain is verified when one asks for it."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from auth.oversight.models import TO_REVIEW, UnusualAccess
from auth.oversight.rules import Found
from portal import audit, db, jobs
from portal.db import session

MOST_FILES = 50


class OwnAccess(Exception):
    """Nobody judges what they did themselves."""


def keep_findings(establishment_id: UUID, week_on: date, found: Iterable[tuple[str, Found]]) -> int:
    """Keep what the rules found in a week; what is known already stays as it is. Returns how many are new."""
    rows = [
        {
            "id": uuid4(),
            "establishment_id": establishment_id,
            "week_on": week_on,
            "rule": rule,
            "account_id": each.account_id,
            "times": each.times,
            "usual": each.usual,
            "patient_ids": list(each.patient_ids[:MOST_FILES]),
            "state": TO_REVIEW,
        }
        for rule, each in found
    ]
    kept = 0
    if rows:
        statement = insert(UnusualAccess).on_conflict_do_nothing().returning(UnusualAccess.id)
        kept = len(session.scalars(statement, rows).all())
    audit.record("unusual_accesses.sought", establishment_id=establishment_id, week=week_on.isoformat(), found=kept)
    return kept


def judge(access: UnusualAccess, state: str, comment: str) -> None:
    """Say what an unusual access was: `explained` or `reported`, with why. Raises OwnAccess."""
    session.scalar(select(UnusualAccess.id).where(UnusualAccess.id == access.id).with_for_update(key_share=True))
    me = db.current_actor().account_id
    if access.account_id == me:
        raise OwnAccess
    access.state, access.comment = state, comment.strip()
    access.reviewed_by, access.reviewed_at = me, db.now()
    session.flush()
    audit.record(
        "unusual_access.judged",
        establishment_id=access.establishment_id,
        object_kind="unusual_access",
        object_id=access.id,
        outcome=state,
        rule=access.rule,
    )


def ask_for_verification(establishment_ids: Iterable[UUID]) -> None:
    """Have the chain of the audit recomputed now. establishment_ids: whose auditors see that it was asked."""
    me = db.current_actor().account_id
    for establishment_id in establishment_ids:
        audit.record("chain.verification_asked", establishment_id=establishment_id)
    jobs.enqueue("oversight.verify_chain", lock="oversight.verify_chain", account_id=str(me or ""))
