"""All that changes a pre-admission. Each gesture locks the file first: two people act one after the other."""

from dataclasses import asdict, dataclass
from datetime import date
from uuid import UUID, uuid4

from auth import records
from auth.mandates import queries as mandates
from portal import audit, calendar, catalog, db, kpi, notifications
from portal.db import session
from portal.establishments import Unit
from portal.files import StoredFile
from services.pieces import actions as piece_actions
from services.pieces import queries as piece_queries
from services.pieces.models import Piece
from services.preadmission import mails, states
from services.preadmission.models import PIECES, Preadmission, new_reference

SERVICE = RIGHT = "preadmission"


class UnitNotOpen(Exception):
    """The unit does not exist, or its hospital does not take pre-admissions online."""


class StayInThePast(Exception):
    """The planned day is over."""


class NotEditable(Exception):
    """The file has been sent: its answers cannot change any more."""


class Incomplete(Exception):
    """Steps or pieces are missing; `missing` names them."""

    def __init__(self, missing: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(missing)))
        self.missing = missing


class NothingToAskAgain(Exception):
    """No piece is refused: there is nothing for the patient to do."""


class PiecesNotSettled(Exception):
    """A piece is not judged, or a needed one is neither accepted nor waived."""


@dataclass(frozen=True)
class Stay:
    """unit_id: where the patient is expected. stay_kind: one of `models.STAY_KINDS`."""

    unit_id: UUID
    planned_on: date
    stay_kind: str


@dataclass(frozen=True)
class Contact:
    """How the patient is called and reached; strict identity traits are not theirs to type."""

    used_name: str
    phone: str
    email: str
    address: str


@dataclass(frozen=True)
class Coverage:
    """Compulsory and complementary cover. nir: 15 digits, key included, or empty."""

    amo_kind: str
    nir: str
    amc_kind: str
    amc_name: str
    amc_number: str


@dataclass(frozen=True)
class Relative:
    """Whom to call. Not the « personne de confiance », who is named in writing and signs."""

    relative_name: str
    relative_link: str
    relative_phone: str


# -- the patient ---------------------------------------------------------------------------------------------------


def start(patient_id: UUID, stay: Stay) -> Preadmission:
    """Open a draft and ask for its pieces. Raises UnitNotOpen, StayInThePast."""
    unit = _open_unit(stay)
    preadmission = Preadmission(
        id=uuid4(),
        establishment_id=unit.establishment_id,
        patient_id=patient_id,
        account_id=db.current_actor().account_id,
        reference=new_reference(),
        state="",
        **asdict(stay),
    )
    first = states.change(preadmission, "draft", db.current_actor())
    session.add(preadmission)
    session.flush()
    session.add(first)
    _tell(preadmission)
    piece_actions.ask(preadmission.id, unit.establishment_id, patient_id, PIECES)
    session.flush()
    return preadmission


def change_stay(preadmission: Preadmission, stay: Stay) -> None:
    """Another unit of the same hospital, another day. Raises UnitNotOpen, StayInThePast, NotEditable."""
    if _open_unit(stay).establishment_id != preadmission.establishment_id:
        raise UnitNotOpen(stay.unit_id)
    _fill(preadmission, stay, "stay")


def fill_contact(preadmission: Preadmission, contact: Contact) -> None:
    """Raises NotEditable."""
    _fill(preadmission, contact, "identity")


def fill_coverage(preadmission: Preadmission, coverage: Coverage) -> None:
    """Raises NotEditable."""
    _fill(preadmission, coverage, "coverage")


def fill_relative(preadmission: Preadmission, relative: Relative) -> None:
    """Raises NotEditable."""
    _fill(preadmission, relative, "relative")


def deposit_piece(preadmission: Preadmission, piece: Piece, file_id: UUID, expires_on: date | None = None) -> None:
    """Put a file in a draft, or again in a file sent back; the last piece asked again sends the file to the hospital.

    Raises NotEditable, FileNotReadable (not the actor's own upload), PieceTransitionRefused.
    """
    _lock(preadmission)
    again = preadmission.state == "to_complete"
    if not (preadmission.state == "draft" or (again and piece.is_to_redo)):
        raise NotEditable(preadmission.id)
    piece_actions.deposit(piece, file_id, staff_right=RIGHT, expires_on=expires_on)
    if again and not any(each.is_to_redo for each in piece_queries.of_folder(preadmission.id)):
        _move(preadmission, "completed")


def submit(preadmission: Preadmission) -> None:
    """Send the file: from now on the hospital sees it and knows the patient.

    Raises Incomplete, TransitionRefused (already sent), StayInThePast.
    """
    _lock(preadmission)
    if missing := missing_from(preadmission):
        raise Incomplete(missing)
    _refuse_past(preadmission.planned_on, preadmission.unit)
    row = states.change(preadmission, "submitted", db.current_actor())
    preadmission.submitted_at = row.at
    session.add(row)
    records.open_record(preadmission.patient_id, preadmission.establishment_id)
    piece_actions.share(preadmission.id, preadmission.patient_id, preadmission.establishment_id)
    _tell(preadmission)


def missing_from(preadmission: Preadmission) -> frozenset[str]:
    """Steps not filled, and `pieces` when a needed one was not sent."""
    steps = {"stay", "identity", "coverage", "relative"} - preadmission.steps_done
    pieces = piece_queries.of_folder(preadmission.id)
    lacking = any((piece.needed and not piece.is_there) or piece.is_to_redo for piece in pieces)
    return frozenset(steps | ({"pieces"} if lacking else set()))


def cancel(preadmission: Preadmission) -> None:
    """The patient gives the file up. Raises TransitionRefused."""
    _lock(preadmission)
    _move(preadmission, "cancelled_by_patient")


# -- the agent -----------------------------------------------------------------------------------------------------


def look(preadmission: Preadmission) -> None:
    """An agent opens the file: written down, since the patient may ask who did."""
    _record("preadmission.opened", preadmission)


def reveal_nir(preadmission: Preadmission) -> None:
    """An agent reads the whole beneficiary number, to enter it in the hospital's system: written down."""
    _record("nir.revealed", preadmission, reason="admission")


def take(preadmission: Preadmission) -> None:
    """An agent takes the file in hand. Raises TransitionRefused."""
    _lock(preadmission)
    _move(preadmission, "in_review")
    preadmission.agent_name = db.current_actor().name


def accept_piece(preadmission: Preadmission, piece: Piece) -> None:
    """Raises TransitionRefused, PieceTransitionRefused, FileNotReadable."""
    _in_review(preadmission)
    piece_actions.accept(piece)


def refuse_piece(preadmission: Preadmission, piece: Piece, reason: str) -> None:
    """Raises TransitionRefused, PieceTransitionRefused."""
    _in_review(preadmission)
    piece_actions.refuse(piece, reason)


def waive_piece(preadmission: Preadmission, piece: Piece) -> None:
    """Raises TransitionRefused, PieceTransitionRefused."""
    _in_review(preadmission)
    piece_actions.waive(piece)


def ask_again(preadmission: Preadmission, complete_by: date) -> None:
    """Send the file back for its refused pieces, in one message. Raises NothingToAskAgain, TransitionRefused."""
    _lock(preadmission)
    if not any(piece.is_to_redo for piece in piece_queries.of_folder(preadmission.id)):
        raise NothingToAskAgain
    _move(preadmission, "to_complete")
    preadmission.complete_by = complete_by
    _notify(preadmission)


def validate(preadmission: Preadmission) -> None:
    """Accept the file: the patient goes straight to the ward. Raises PiecesNotSettled, TransitionRefused."""
    _in_review(preadmission)
    for piece in piece_queries.of_folder(preadmission.id):
        settled = piece.state in ("accepted", "waived")
        if not settled and (piece.needed or piece.state != "awaited"):
            raise PiecesNotSettled
    _move(preadmission, "validated")
    _notify(preadmission)


def refuse(preadmission: Preadmission, reason: str) -> None:
    """Refuse the whole file. reason: the agent's words to the patient. Raises TransitionRefused."""
    _in_review(preadmission)
    _move(preadmission, "refused", reason)
    preadmission.decision_reason = reason
    _notify(preadmission)


def open_piece(piece: Piece) -> StoredFile:
    """Give a piece's file to whoever reads it; written down. Raises FileNotReadable."""
    return piece_actions.hand_over(piece)


# -- the clock -----------------------------------------------------------------------------------------------------


def lapse(preadmission: Preadmission) -> None:
    """The day of the stay is over and the file was never settled. Raises TransitionRefused."""
    _lock(preadmission)
    _move(preadmission, "lapsed")


# -- shared --------------------------------------------------------------------------------------------------------


def _open_unit(stay: Stay) -> Unit:
    unit = session.get(Unit, stay.unit_id)
    if unit is None or SERVICE not in catalog.open_codes(unit.establishment_id):
        raise UnitNotOpen(stay.unit_id)
    _refuse_past(stay.planned_on, unit)
    return unit


def _refuse_past(planned_on: date, unit: Unit) -> None:
    if planned_on < calendar.civil_day(db.now(), unit.establishment.tz):
        raise StayInThePast(planned_on)


def _fill(preadmission: Preadmission, answers: Stay | Contact | Coverage | Relative, step: str) -> None:
    _lock(preadmission)
    if preadmission.state != "draft":
        raise NotEditable(preadmission.id)
    for name, value in asdict(answers).items():
        setattr(preadmission, name, value)
    _record("preadmission.filled", preadmission, step=step)


def _lock(preadmission: Preadmission) -> None:
    session.flush()
    session.refresh(preadmission, ["state"], with_for_update={"key_share": True})


def _in_review(preadmission: Preadmission) -> None:
    """An agent's decision takes the file in hand by itself."""
    _lock(preadmission)
    if preadmission.state != "in_review":
        take(preadmission)


def _move(preadmission: Preadmission, to_state: str, reason: str = "") -> None:
    session.add(states.change(preadmission, to_state, db.current_actor(), reason))
    _tell(preadmission)
    session.flush()


def _tell(preadmission: Preadmission) -> None:
    """Write the state just entered in the audit and in the figures."""
    event = states.EVENTS[preadmission.state]
    _record(f"preadmission.{event}", preadmission)
    kpi.count(f"preadmission_{event}", establishment_id=preadmission.establishment_id)


def _record(event: str, preadmission: Preadmission, **details: str) -> None:
    audit.record(
        event,
        patient_id=preadmission.patient_id,
        establishment_id=preadmission.establishment_id,
        object_kind="preadmission",
        object_id=preadmission.id,
        **details,
    )


def _notify(preadmission: Preadmission) -> None:
    to = mandates.address_for(
        preadmission.patient_id,
        "administrative",
        masked=preadmission.masked,
        account_id=preadmission.account_id,
        email=preadmission.email,
    )
    if to is not None:
        notifications.tell(
            mails.NEWS,
            recipient=to.email,
            account_id=to.account_id,
            patient_id=preadmission.patient_id,
            locale=to.locale,
        )
