"""Appending events to the ledger."""

from datetime import datetime
from uuid import UUID

from portal import db
from portal.kpi import keys, units
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
    unit_id: UUID | None = None,
) -> None:
    """Append one event in the current transaction. quantity: cents, bytes… summed in the roll-up.

    at: when it happened, for what is told afterwards (imports); it is late when its month is closed. unit_id:
    where in the hospital, kept for the events of `units.EVENTS`.
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
    if unit_id is not None and event in units.EVENTS:
        of_unit = {"unit_event": units.name(event), "unit_dimension": units.dimension(unit_id, dimension)}
        db.write_later(_INSERT_TWICE, told | of_unit | {"at": at})
    elif at is None:
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
# At one instant, so that the two are never counted in two days.
_INSERT_TWICE = (
    "insert into kpi_event (event, establishment_id, channel, audience, dimension, quantity, pseudonym, at)"
    " select k.event, cast(:establishment_id as uuid), cast(:channel as text), cast(:audience as text), k.dimension,"
    " cast(:quantity as bigint), k.pseudonym, coalesce(cast(:at as timestamptz), t.at)"
    " from (select clock_timestamp() as at offset 0) t cross join (values"
    " (cast(:event as text), cast(:dimension as text), cast(:pseudonym as text)),"
    " (cast(:unit_event as text), cast(:unit_dimension as text), '')) k(event, dimension, pseudonym)"
)
