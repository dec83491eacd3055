"""What was exchanged is forgotten: the words soon, the facts later."""

from datetime import timedelta

from sqlalchemy import delete, update

from portal import audit, db
from portal.db import session
from services.appointments.exchanges import states
from services.appointments.exchanges.models import Delivery, SiuAppointment, SiuMessage

BODIES_KEPT = timedelta(days=30)
FACTS_KEPT = timedelta(days=400)


def forget() -> None:
    """Empty the bodies of old messages, and delete what is older than a year or so."""
    now = db.now()
    session.execute(
        update(SiuMessage).where(SiuMessage.received_at < now - BODIES_KEPT, SiuMessage.body != "").values(body="")
    )
    old = now - FACTS_KEPT
    gone = session.connection().execute(delete(SiuMessage).where(SiuMessage.received_at < old)).rowcount
    settled = Delivery.state != states.WAITING
    gone += session.connection().execute(delete(Delivery).where(Delivery.changed_at < old, settled)).rowcount
    session.execute(delete(SiuAppointment).where(SiuAppointment.said_at < old, SiuAppointment.end_at < old))
    if gone:
        audit.record("exchange.forgotten", count=int(gone))
