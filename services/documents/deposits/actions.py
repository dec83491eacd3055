"""What patients and agents do about deposits; the pages live by the rules of `services.pieces`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from auth import acts
from auth.models import PatientRecord
from portal import audit, db, jobs, kpi
from portal.db import session
from portal.establishments import Unit
from services.documents.actions import PatientNotKnown
from services.documents.deposits.models import PIECE_KIND, Deposit, new_reference
from services.documents.deposits.queries import Deposited
from services.pieces import actions as pieces
from services.pieces.models import PiecePage


class Closed(Exception):
    """It was given up, or is no longer asked."""


@dataclass(frozen=True)
class Wish:
    """What somebody wants to send, or asks for. kind: one of `shelf.kinds.KINDS`."""

    kind: str
    title: str
    text: str = ""
    due_on: date | None = None


# -- the patient ---------------------------------------------------------------------------------------------------


def begin(patient_id: UUID, establishment_id: UUID, unit: Unit | None, wish: Wish) -> Deposit:
    """A patient prepares something for a hospital, or for one of its units: theirs alone until it is sent."""
    deposit = _write(patient_id, establishment_id, unit, wish)
    deposit.note = wish.text
    _add(deposit)
    _record("deposit.begun", deposit)
    return deposit


def put_pages(found: Deposited, file_ids: Sequence[UUID], *, rotation: int = 0) -> None:
    """Add received files. Raises Closed, and as `pieces.actions.add_pages`."""
    _check_open(found.deposit)
    pieces.add_pages(found.piece, file_ids, rotation=rotation)


def arrange(found: Deposited, page: PiecePage, gesture: str) -> None:
    """One gesture on a page (`pieces.actions.GESTURES`). Raises Closed, PieceTransitionRefused."""
    _check_open(found.deposit)
    pieces.GESTURES[gesture](page)


def send(found: Deposited) -> None:
    """All the pages are there: the hospital sees them from now on. Raises Closed, NoPage, PieceTransitionRefused."""
    deposit = found.deposit
    _check_open(deposit)
    pieces.deposit(found.piece)
    first = deposit.sent_at is None
    deposit.sent_at, deposit.account_id = deposit.sent_at or db.now(), db.current_actor().account_id
    session.flush()
    pieces.share(deposit.id, deposit.patient_id, deposit.establishment_id)
    _record("deposit.sent" if first else "deposit.sent_again", deposit)
    if first:
        _count("sent", deposit)
        acts.count("documents", deposit.establishment_id, deposit.patient_id)


def give_up(found: Deposited) -> None:
    """The patient throws away what they began and nobody asked for. Raises Closed when it was sent or asked."""
    deposit = found.deposit
    _check_open(deposit)
    if deposit.sent_at is not None or deposit.is_asked:
        raise Closed
    deposit.closed_at = db.now()
    pieces.purge(found.piece)
    _record("deposit.given_up", deposit)


# -- the hospital --------------------------------------------------------------------------------------------------


def ask(patient_id: UUID, unit: Unit, wish: Wish) -> Deposit:
    """A unit asks a patient that its hospital knows for a document; they are told. Raises PatientNotKnown."""
    if session.get(PatientRecord, (patient_id, unit.establishment_id)) is None:
        raise PatientNotKnown
    deposit = _write(patient_id, unit.establishment_id, unit, wish)
    deposit.asked_text, deposit.due_on = wish.text, wish.due_on
    deposit.asked_at, deposit.asked_by = db.now(), db.current_actor().name
    _add(deposit)
    jobs.enqueue("documents.tell_asked", deposit_id=str(deposit.id))
    _record("deposit.asked", deposit)
    _count("asked", deposit)
    return deposit


def no_longer_ask(found: Deposited) -> None:
    """The unit does not need it any more. Raises Closed when it is there already."""
    _check_open(found.deposit)
    if found.piece.is_there:
        raise Closed
    found.deposit.closed_at = db.now()
    session.flush()
    _record("deposit.no_longer_asked", found.deposit)


def accept(found: Deposited) -> None:
    """It is what was needed: it goes to the patient's record. Raises FileNotReadable, PieceTransitionRefused."""
    _check_open(found.deposit)
    pieces.accept(found.piece)
    _record("deposit.accepted", found.deposit)
    _count("accepted", found.deposit)
    jobs.enqueue("documents.tell_judged", deposit_id=str(found.deposit.id))


def refuse(found: Deposited, reason: str, note: str = "") -> None:
    """The patient is asked for another one. Raises PieceTransitionRefused."""
    _check_open(found.deposit)
    pieces.refuse(found.piece, reason, note)
    _record("deposit.refused", found.deposit, reason=reason)
    _count("refused", found.deposit)
    jobs.enqueue("documents.tell_judged", deposit_id=str(found.deposit.id))


def _write(patient_id: UUID, establishment_id: UUID, unit: Unit | None, wish: Wish) -> Deposit:
    return Deposit(
        id=uuid4(),
        reference=new_reference(),
        establishment_id=establishment_id,
        unit_id=unit.id if unit else None,
        patient_id=patient_id,
        kind=wish.kind,
        title=wish.title,
        note="",
        asked_text="",
        asked_by="",
        created_at=db.now(),
        masked=False,
    )


def _add(deposit: Deposit) -> None:
    session.add(deposit)
    session.flush()
    pieces.require(deposit.id, deposit.establishment_id, deposit.patient_id, {PIECE_KIND: True})


def _check_open(deposit: Deposit) -> None:
    session.refresh(deposit, ["closed_at"], with_for_update={"of": Deposit, "key_share": True})
    if deposit.closed_at is not None:
        raise Closed(deposit.id)


def _count(what: str, deposit: Deposit) -> None:
    kpi.count(
        f"deposit_{what}",
        establishment_id=deposit.establishment_id,
        unit_id=deposit.unit_id,
        dimension=deposit.kind,
    )


def _record(event: str, deposit: Deposit, **details: str) -> None:
    audit.record(
        event,
        patient_id=deposit.patient_id,
        establishment_id=deposit.establishment_id,
        object_kind="deposit",
        object_id=deposit.id,
        kind=deposit.kind,
        **details,
    )
