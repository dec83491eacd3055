"""The thread of a request at one unit: both sides write, with files; either opens them."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from portal import audit, db, files, jobs
from portal.db import session
from services.referrals import states
from services.referrals.actions import sending
from services.referrals.models import RIGHT, ReferralFile, ReferralMessage, ReferralTarget


class EmptyMessage(Exception):
    """Neither words nor a file."""


def write(
    target: ReferralTarget, text: str, *, file_ids: Sequence[UUID] = (), for_patient: bool = False, author: str = ""
) -> ReferralMessage:
    """Either side writes. What a unit asked for is answered by it: the unit's clock starts again.

    for_patient: the patient reads it too (the unit's alone). author: the practitioner whose software writes for
    them. Raises EmptyMessage, FileNotReadable, NotPossibleNow.
    """
    sending.lock(target)
    if target.received_at is None or target.state in ("withdrawn", "objected"):
        raise states.NotPossibleNow(target.state)
    message = add(target, text, file_ids, for_patient=for_patient, author=author)
    if message.sender == "professional":
        if target.state == "asked":
            session.add(states.move(target, "received", db.current_actor()))
            sending.start_clock(target)
        target.unit_seen_at, target.professional_seen_at = None, db.now()
        jobs.enqueue("referrals.tell_unit", target_id=str(target.id))
    else:
        target.professional_seen_at = None
        jobs.enqueue("referrals.tell_professional", target_id=str(target.id))
    _record("referral.written", target)
    return message


def add(
    target: ReferralTarget, text: str, file_ids: Sequence[UUID] = (), *, for_patient: bool = False, author: str = ""
) -> ReferralMessage:
    """One more message of whoever acts, or of the practitioner whose software acts (author). Raises EmptyMessage,
    FileNotReadable."""
    if not text.strip() and not file_ids:
        raise EmptyMessage
    actor = db.current_actor()
    sender = "professional" if author or actor.kind == "professional" else "unit"
    message = ReferralMessage(
        id=uuid4(),
        target_id=target.id,
        sender=sender,
        author_name=author or actor.name,
        text=text.strip(),
        for_patient=for_patient and sender == "unit",
        sent_at=db.now(),
    )
    session.add(message)
    session.flush()
    for position, file_id in enumerate(file_ids):
        files.attach(
            file_id,
            establishment_id=target.establishment_id,
            staff_right=RIGHT,
            professional_id=target.professional_id,
        )
        joined = ReferralFile(
            id=uuid4(), referral_id=target.referral_id, message_id=message.id, file_id=file_id, position=position
        )
        session.add(joined)
    session.flush()
    return message


def read_by_professional(target: ReferralTarget) -> None:
    """The practitioner opens their request."""
    target.professional_seen_at = db.now()
    _record("referral.read", target)


def hand_over_file(target: ReferralTarget, joined: ReferralFile) -> None:
    """Somebody takes a file of a request away."""
    audit.record(
        "referral_file.downloaded",
        patient_id=target.patient_id,
        establishment_id=target.establishment_id,
        object_kind="referral_file",
        object_id=joined.id,
    )


def _record(action: str, target: ReferralTarget) -> None:
    audit.record(
        action,
        patient_id=target.patient_id,
        establishment_id=target.establishment_id,
        object_kind="referral_target",
        object_id=target.id,
    )
