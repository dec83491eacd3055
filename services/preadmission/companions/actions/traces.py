"""What every change of a companion leaves behind: a lock first, then its row and the audit."""

from collections.abc import Iterator
from contextlib import contextmanager

from portal import audit, db
from portal.db import session
from services.preadmission.companions import states
from services.preadmission.companions.models import Companion


def lock(companion: Companion) -> None:
    """Two people act one after the other."""
    session.flush()
    session.refresh(companion, _COLUMNS, with_for_update={"key_share": True})


_COLUMNS = [column.key for column in Companion.__table__.columns]
"""Not the hospital besides: a row that is joined cannot be locked."""


def move(companion: Companion, to_state: str, reason: str = "") -> None:
    """Raises TransitionRefused."""
    session.add(states.change(companion, to_state, db.current_actor(), reason))
    session.flush()
    record(f"companion.{states.EVENTS[to_state]}", companion)


def record(event: str, companion: Companion, **details: str | int) -> None:
    """Write in the audit what was done about a companion, in the file of the patient."""
    audit.record(
        event,
        patient_id=companion.patient_id,
        establishment_id=companion.establishment_id,
        object_kind="companion",
        object_id=companion.id,
        role=companion.role,
        **details,
    )


@contextmanager
def as_system() -> Iterator[None]:
    """Read and write what a companion may not see of the file. Facts are raised outside: an exception inside ends the
    request with the transaction."""
    actor = db.current_actor()
    if actor.kind == "system":
        yield
        session.flush()
        return
    db.act_as(db.system("preadmission.companions"))
    yield
    db.act_as(actor)
