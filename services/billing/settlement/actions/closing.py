"""What an accountant decides: a difference explained or closed, a day checked."""

from collections.abc import Collection
from uuid import UUID, uuid4

from portal import audit, db
from portal.db import session
from services.billing.settlement import queries
from services.billing.settlement.actions import differences
from services.billing.settlement.models import SettlementDay, SettlementDifference
from services.billing.settlement.queries import CounterDay


class Unknown(Exception):
    """No such difference or day at these hospitals, or not in a state where this can be done."""


def decide(places: Collection[UUID], difference_id: UUID, after: str, why: str) -> SettlementDifference:
    """Explain a difference, close it, or open it again; why: in the agent's words. Raises Unknown."""
    seen = queries.difference_at(places, difference_id)
    found = differences.held(seen.establishment_id, seen.kind, seen.subject) if seen else None
    if found is None or not differences.move(found, after, why):
        raise Unknown(difference_id)
    audit.record(
        "payments.difference_decided",
        establishment_id=found.establishment_id,
        object_kind="settlement_difference",
        object_id=found.id,
        after=after,
    )
    return found


def close_day(places: Collection[UUID], key: CounterDay) -> None:
    """An agent has checked this day: the three totals agree, or each difference has its explanation.

    Raises Unknown otherwise.
    """
    row = queries.day_row(key) if key.establishment_id in places else None
    if row is None or not row.may_be_closed:
        raise Unknown(key)
    actor, totals = db.current_actor(), row.totals
    session.add(
        SettlementDay(
            id=uuid4(),
            establishment_id=key.establishment_id,
            psp=key.psp,
            account=key.account,
            day=key.day,
            told_cents=totals.told_cents,
            ledger_cents=totals.ledger_cents,
            file_cents=totals.file_cents,
            explained=row.explained,
            closed_by=actor.label,
            closed_by_name=actor.name,
        )
    )
    session.flush()
    audit.record(
        "payments.day_closed",
        establishment_id=key.establishment_id,
        day=str(key.day),
        psp=key.psp,
        account=key.account,
        ledger_cents=totals.ledger_cents,
    )
