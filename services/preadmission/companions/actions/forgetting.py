"""The end of the data: who signed, what and when goes with the file it was for; the audit keeps that it existed."""

from uuid import UUID

from sqlalchemy import delete, select

from portal import audit
from portal.db import session
from services.preadmission.companions.models import Companion


def forget(preadmission_id: UUID) -> int:
    """Delete the companions of a file, with their changes and evidence; return how many there were. As the system;
    twice does nothing more."""
    gone = session.scalars(select(Companion.id).where(Companion.preadmission_id == preadmission_id)).all()
    # Changes and signatures go with their companion, in the database itself.
    session.execute(delete(Companion).where(Companion.id.in_(gone)))
    if gone:
        audit.record("companion.forgotten", object_kind="preadmission", object_id=preadmission_id, companions=len(gone))
    return len(gone)
