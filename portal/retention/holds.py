"""Legal holds: nothing of a subject is erased while one stands on it, its file or its patient."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import Select, exists, select, text

from portal import audit, db
from portal.db import session
from portal.retention.models import LegalHold, LegalHoldLift

ONE_AT_A_TIME: Final = text("select pg_advisory_xact_lock(hashtext('parvis.retention'))")
"""A hold waits for the batch that is being erased, and a batch for the hold that is being set."""


class AlreadyHeld(Exception):
    """A hold stands on this subject already."""


class NotHeld(Exception):
    """This hold has been lifted."""


def hold(
    subject_id: UUID, *, establishment_id: UUID, object_kind: str, patient_id: UUID, label: str, reason: str
) -> LegalHold:
    """Keep a subject from every erasure. label: its number, as people say it. Raises AlreadyHeld."""
    session.execute(ONE_AT_A_TIME)
    if holds_on([subject_id]):
        raise AlreadyHeld(subject_id)
    actor = db.current_actor()
    made = LegalHold(
        id=uuid4(), establishment_id=establishment_id, object_kind=object_kind, subject_id=subject_id,
        patient_id=patient_id, label=label, reason=reason, set_by=actor.label, set_by_name=actor.name,
    )  # fmt: skip
    session.add(made)
    session.flush()
    _record("legal_hold.set", made)
    return made


def lift(held: LegalHold, reason: str) -> LegalHoldLift:
    """End a hold. Raises NotHeld."""
    session.execute(ONE_AT_A_TIME)
    session.refresh(held, ["lift"])
    if held.lift is not None:
        raise NotHeld(held.id)
    actor = db.current_actor()
    made = LegalHoldLift(
        id=uuid4(), hold_id=held.id, establishment_id=held.establishment_id, reason=reason,
        lifted_by=actor.label, lifted_by_name=actor.name,
    )  # fmt: skip
    session.add(made)
    session.flush()
    session.refresh(held, ["lift"])
    _record("legal_hold.lifted", held)
    return made


def holds_on(subjects: Collection[UUID]) -> Sequence[LegalHold]:
    """The holds that stand on any of these."""
    return session.scalars(_standing().where(LegalHold.subject_id.in_(subjects)).order_by(LegalHold.set_at)).all()


def holds_at(establishment_ids: frozenset[UUID]) -> Sequence[LegalHold]:
    """Those that stand at these hospitals, the latest first."""
    wanted = _standing().where(LegalHold.establishment_id.in_(establishment_ids))
    return session.scalars(wanted.order_by(LegalHold.set_at.desc()).limit(200)).all()


def hold_at(establishment_ids: frozenset[UUID], hold_id: UUID) -> LegalHold | None:
    return session.scalar(
        select(LegalHold).where(LegalHold.id == hold_id, LegalHold.establishment_id.in_(establishment_ids))
    )


def _standing() -> Select[LegalHold]:
    return select(LegalHold).where(~exists().where(LegalHoldLift.hold_id == LegalHold.id))


def _record(event: str, held: LegalHold) -> None:
    audit.record(
        event, patient_id=held.patient_id, establishment_id=held.establishment_id, object_kind=held.object_kind,
        object_id=held.subject_id,
    )  # fmt: skip
