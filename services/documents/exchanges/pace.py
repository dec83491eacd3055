"""How fast threads go, for the figures: when a unit first answers, and how soon messages are read."""

from datetime import timedelta
from typing import Final

from sqlalchemy import func, select

from portal import db, kpi
from portal.db import session
from portal.kpi import delays
from services.documents.exchanges.models import Exchange, ExchangeMessage

SOON: Final = timedelta(hours=72)


def count_first_answer(exchange: Exchange) -> None:
    """Before a unit's message is written: office hours since somebody wrote to it, when it is its first in the
    thread. Nothing for a thread that the unit began."""
    query = select(ExchangeMessage.sender, func.min(ExchangeMessage.sent_at))
    first = dict(session.execute(query.where(ExchangeMessage.exchange_id == exchange.id).group_by("sender")).all())
    if first and "unit" not in first:
        place = exchange.establishment
        spent = place.office.worked(min(first.values()), db.now())
        delays.count_delay(
            "exchange_first_answer", spent, establishment_id=exchange.establishment_id, unit_id=exchange.unit_id
        )


def count_to_read(exchange: Exchange) -> None:
    """A unit wrote to somebody who reads it here; a bare address of MSSanté sends receipts, counted elsewhere."""
    if exchange.kind != "address":
        kpi.count(
            "exchange_to_read",
            establishment_id=exchange.establishment_id,
            dimension=exchange.kind,
            unit_id=exchange.unit_id,
        )


def count_reading(exchange: Exchange, ours: str) -> None:
    """Before a thread is opened by the side for which something waited: each message of the other side that it reads
    now, read within three days or later. ours: what that side's messages are signed (`unit`, or its kind)."""
    by_unit, now = ours == "unit", db.now()
    read = "opened" if by_unit else "read"
    # What the page shows anyway: nothing is asked twice.
    last = max((change.at for change in exchange.changes if change.to_state == read), default=None)
    for message in exchange.messages:
        if (message.sender == "unit") != by_unit and (last is None or message.sent_at > last):
            soon = "soon" if now - message.sent_at <= SOON else "later"
            kpi.count(
                "exchange_read",
                establishment_id=exchange.establishment_id,
                channel="portal",
                dimension=f"{'unit' if by_unit else 'correspondent'}_{soon}",
                unit_id=exchange.unit_id,
            )
