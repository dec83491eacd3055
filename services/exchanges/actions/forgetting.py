"""What was exchanged is forgotten: the words soon, the facts later."""

from datetime import timedelta

from sqlalchemy import delete, update

from portal import audit, db
from portal.db import session
from services.exchanges import states, subjects
from services.exchanges.models import Delivery, HisMessage

BODIES_KEPT = timedelta(days=30)
FACTS_KEPT = timedelta(days=400)


def forget() -> None:
    """Empty the bodies of old messages, and delete what is older than a year or so."""
    now = db.now()
    session.execute(
        update(HisMessage).where(HisMessage.received_at < now - BODIES_KEPT, HisMessage.body != "").values(body="")
    )
    old = now - FACTS_KEPT
    gone = session.connection().execute(delete(HisMessage).where(HisMessage.received_at < old)).rowcount
    settled = Delivery.state != states.WAITING
    gone += session.connection().execute(delete(Delivery).where(Delivery.changed_at < old, settled)).rowcount
    for subject in subjects.every():
        subject.forget(old)
    if gone:
        audit.record("exchange.forgotten", count=int(gone))
