"""What every change on the waiting list leaves: one immutable row, one line of audit, a message to write."""

from typing import cast
from uuid import uuid4

from sqlalchemy import Table, insert, select

from portal import audit, db, jobs
from portal.db import session
from services.appointments.waiting import states
from services.appointments.waiting.actions.facts import EntryClosed
from services.appointments.waiting.models import WaitingChange, WaitingEntry, WaitingOffer

_RECORD_CHANGE = insert(cast(Table, WaitingChange.__table__)).inline()


def lock(entry: WaitingEntry) -> WaitingEntry:
    """Hold an entry still, as it is now. Raises EntryClosed."""
    query = select(WaitingEntry).where(WaitingEntry.id == entry.id).with_for_update(key_share=True)
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None or not found.is_waiting:
        raise EntryClosed
    return found


def go_to(entry: WaitingEntry, to_state: str, what: str, why: str = "") -> None:
    """Change the state of a locked entry. what: the audit's verb; why: a code of `states`."""
    before = entry.state
    states.check(before, to_state)
    entry.state = to_state
    if to_state != states.WAITING:
        entry.closed_at = db.now()
    session.flush()
    record(entry, what, before, why)


def record(entry: WaitingEntry, what: str, from_state: str, why: str = "") -> None:
    actor = db.current_actor()
    session.execute(
        _RECORD_CHANGE,
        {
            "id": uuid4(),
            "entry_id": entry.id,
            "establishment_id": entry.establishment_id,
            "from_state": from_state,
            "to_state": entry.state,
            "by": actor.label,
            "by_name": actor.name,
            "at": db.now(),
            "reason": why,
        },
    )
    audit_record(entry, what)


def audit_record(entry: WaitingEntry, what: str, **details: str) -> None:
    """One line of audit."""
    audit.record(
        f"waiting_entry.{what}",
        patient_id=entry.patient_id,
        establishment_id=entry.establishment_id,
        object_kind="waiting_entry",
        object_id=entry.id,
        **details,
    )


def write_to_patient(offer: WaitingOffer) -> None:
    jobs.enqueue("appointments.tell_of_offer", offer_id=str(offer.id))
