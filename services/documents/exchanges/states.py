"""What an exchange may become. Each change leaves one row that nobody edits."""

from typing import Final

from portal import db
from portal.db import Actor
from services.documents.exchanges.models import Exchange, ExchangeChange
from services.documents.states import NotPossibleNow

NEW: Final = ""

# received: the unit has something to open; delivered: its correspondent has; closed: nobody writes for now.
EXCHANGE: Final = {
    NEW: {"received", "delivered"},
    "received": {"opened", "received", "delivered", "closed"},
    "opened": {"received", "delivered", "closed"},
    "delivered": {"read", "received", "delivered", "closed"},
    "read": {"received", "delivered", "closed"},
    "closed": {"opened", "received"},  # reopened by the unit, or by a mail that came all the same
}


def move(exchange: Exchange, to: str, by: Actor) -> ExchangeChange:
    """Change the state of an exchange and return the row that says so. Raises NotPossibleNow."""
    before = exchange.state or NEW
    if to not in EXCHANGE[before]:
        raise NotPossibleNow(before)
    exchange.state, exchange.changed_at = to, db.now()
    return ExchangeChange(
        exchange_id=exchange.id,
        establishment_id=exchange.establishment_id,
        from_state=before,
        to_state=to,
        actor=by.label,
        actor_name=by.name,
        at=exchange.changed_at,
    )
