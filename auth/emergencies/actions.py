"""An agent opens one patient's file in an emergency, for an hour, saying why; somebody else judges it afterwards."""

from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import update

from auth.agents.administrators import as_the_system
from auth.models import EmergencyAccess, PatientRecord
from portal import audit, db, jobs, kpi
from portal.db import session

LIFE = timedelta(minutes=60)
KINDS = ("care", "stand_in", "call", "outage", "other")
"""Why a file is opened: somebody is being cared for, a colleague is away, somebody calls, another system is down."""


class NotOfThisHospital(Exception):
    """The agent does not work at this hospital, or the hospital does not know this patient."""


class AlreadyReviewed(Exception):
    """Somebody has judged this opening."""


class OwnOpening(Exception):
    """Nobody judges what they opened themselves."""


def open_file(establishment_id: UUID, patient_id: UUID, kind: str, reason: str) -> EmergencyAccess:
    """Open the file from the agent's next page on, and tell those who watch over such openings.

    reason: the agent's own words, read by the auditors alone. Raises NotOfThisHospital.
    """
    actor = db.current_actor()
    if establishment_id not in actor.establishments or actor.account_id is None:
        raise NotOfThisHospital
    if session.get(PatientRecord, (patient_id, establishment_id)) is None:
        raise NotOfThisHospital
    opened = EmergencyAccess(
        id=uuid4(),
        account_id=actor.account_id,
        establishment_id=establishment_id,
        patient_id=patient_id,
        kind=kind,
        reason=reason.strip(),
        opened_at=db.now(),
        ends_at=db.now() + LIFE,
    )
    session.add(opened)
    session.flush()
    _record("emergency.opened", opened, kind=kind)
    kpi.count("emergency_opened", establishment_id=establishment_id, dimension=kind)
    jobs.enqueue("emergencies.alert", access_id=str(opened.id))
    return opened


def look(opened: EmergencyAccess, what: str, object_id: UUID | None = None) -> None:
    """Write down what was looked at in the file: `file` or `document`."""
    _record("emergency.looked", opened, what=what, document=str(object_id) if object_id else None)


def end(opened: EmergencyAccess) -> None:
    """Close the file before its hour is over."""
    _record("emergency.ended", opened)
    access_id = opened.id
    # Those who open write only the opening: otherwise they could give themselves more than an hour.
    with as_the_system("emergencies.end"):
        session.execute(update(EmergencyAccess).where(EmergencyAccess.id == access_id).values(ends_at=db.now()))


def review(opened: EmergencyAccess, *, justified: bool, comment: str) -> None:
    """Judge an opening, once. Raises OwnOpening, AlreadyReviewed."""
    session.refresh(opened, with_for_update={"key_share": True})
    if opened.account_id == db.current_actor().account_id:
        raise OwnOpening
    if opened.reviewed_at is not None:
        raise AlreadyReviewed
    opened.reviewed_at, opened.reviewed_by = db.now(), db.current_actor().account_id
    opened.justified, opened.review = justified, comment.strip()
    session.flush()
    _record("emergency.reviewed", opened, outcome="justified" if justified else "not_justified")
    jobs.enqueue("emergencies.tell_review", access_id=str(opened.id))


def _record(event: str, opened: EmergencyAccess, **details: str | None) -> None:
    audit.record(
        event,
        patient_id=opened.patient_id,
        establishment_id=opened.establishment_id,
        object_kind="emergency_access",
        object_id=opened.id,
        **details,
    )
