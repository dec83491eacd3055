"""What is kept of old requests: that they were asked and when, not what they were about."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal import audit
from portal.db import session
from services.lines import states
from services.lines.models import Callback


def forget_words(callback_id: UUID, before: datetime) -> bool:
    """Erase the words of a request closed before that moment. False when it is not so."""
    found = session.scalar(select(Callback).where(Callback.id == callback_id).with_for_update(key_share=True))
    if found is None or found.state in states.OPEN or found.closed_at is None or found.closed_at >= before:
        return False
    found.about = found.patient_name = found.number = ""
    found.patient_born_on = None
    session.flush()
    audit.record(
        "callback.forgotten", establishment_id=found.establishment_id, object_kind="callback", object_id=found.id
    )
    return True
