"""Appending events to the ledger."""

from datetime import datetime
from uuid import UUID

from portal import db
from portal.kpi import keys
from portal.kpi.models import GROUP_WIDE


def count(
    event: str,
    *,
    establishment_id: UUID | None = None,
    channel: str = "web",
    audience: str = "",
    dimension: str = "",
    quantity: int = 0,
    account_id: UUID | None = None,
    at: datetime | None = None,
) -> None:
    """Append one event in the current transaction. quantity: cents, bytes… summed in the roll-up.

    at: when it happened, for what is told afterwards (imports); it is late when its month is closed.
    """
    told = {
        "event": event,
        "establishment_id": establishment_id or GROUP_WIDE,
        "channel": channel,
        "audience": audience or db.current_actor().kind,
        "dimension": dimension,
        "quantity": quantity,
        "pseudonym": keys.pseudonym(account_id, at or db.now()) if account_id else "",
    }
    if at is None:
        db.write_later(_INSERT, told)
    else:
        db.write_later(_INSERT_AT, told | {"at": at})


# As text, for the same reason as the audit's lines.
_INSERT = (
    "insert into kpi_event (event, establishment_id, channel, audience, dimension, quantity, pseudonym)"
    " values (:event, :establishment_id, :channel, :audience, :dimension, :quantity, :pseudonym)"
)
_INSERT_AT = (
    "insert into kpi_event (event, establishment_id, channel, audience, dimension, quantity, pseudonym, at)"
    " values (:event, :establishment_id, :channel, :audience, :dimension, :quantity, :pseudonym, :at)"
)
