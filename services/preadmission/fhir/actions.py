"""What the hospital's own system does with files: as an agent there would, by the same gestures."""

from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from portal import audit, calendar, db
from portal.db import session
from services.pieces import queries as pieces
from services.preadmission import actions, known_stays, states
from services.preadmission.actions import Stay, StayInThePast, traces
from services.preadmission.fhir import records, statuses
from services.preadmission.fhir.encounters import Identifier, Known, Systems, status
from services.preadmission.fhir.incoming import Told
from services.preadmission.fhir.models import EncounterIdentifier, EncounterVersion
from services.preadmission.models import Preadmission


class NobodyKnown(Exception):
    """The hospital has no patient under these identifiers."""


class SeveralKnown(Exception):
    """The identifiers lead to several patients, or an identifier to several files."""


class NoStaySaid(Exception):
    """The kind, the day or the unit of the stay is missing or unknown."""


class Differs(Exception):
    """What was said contradicts the file that exists: another patient."""


class IdentifierTaken(Exception):
    """Another file has this identifier."""


class NoWords(Exception):
    """The patient must be told why, or what to do: instructions are missing."""


class NotFromHere(Exception):
    """The file cannot go from its status to the one that was said."""


def alone(establishment_id: UUID, named: Identifier) -> None:
    """Let nobody else create what bears this identifier until the end of the transaction."""
    key = f"encounter {establishment_id} {named[0]}|{named[1]}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))


def hold_still(establishment_id: UUID, preadmission_id: UUID) -> None:
    """Let nobody else change it, so that its version is still the one that was read."""
    wanted = select(Preadmission.id).where(
        Preadmission.id == preadmission_id, Preadmission.establishment_id == establishment_id
    )
    session.execute(wanted.with_for_update(key_share=True))


def declare(establishment_id: UUID, told: Told, systems: Systems) -> Preadmission:
    """Invite a patient of the hospital to prepare a stay that its system knows.

    Raises NobodyKnown, SeveralKnown, NoStaySaid, NotFromHere (it is over already), IdentifierTaken, and as `start`.
    """
    if told.code not in ("", "CREATED", "IN_PROGRESS"):
        raise NotFromHere
    patient_id = _whom(establishment_id, told, systems)
    if patient_id is None:
        raise NobodyKnown
    unit = records.unit(establishment_id, told.uf)
    if not told.stay_kind or told.planned_on is None or unit is None:
        raise NoStaySaid
    made = known_stays.declare(patient_id, Stay(unit.id, told.planned_on, told.stay_kind))
    made.ipp, made.visit_number = told.ipp, told.visit_number
    traces.record("preadmission.known", made)
    _name(made, told)
    return made


def change(known: Known, told: Told, systems: Systems) -> None:
    """Bring a file to what was said: its day, its numbers, its status; nothing when it is so already.

    Raises Differs, NoWords, NotFromHere, IdentifierTaken, and as the gestures of agents.
    """
    file = known.preadmission
    if told.patient_id not in ("", str(file.patient_id)):
        raise Differs
    whom = _whom(file.establishment_id, told, systems) if told.patient else None
    # A number that nobody has yet is the one by which the hospital has just known this patient.
    if whom not in (None, file.patient_id):
        raise Differs
    if told.planned_on not in (None, file.planned_on):
        _move(file, told.planned_on or file.planned_on)
    _go_to(file, told)
    _name(file, told)
    if told.visit_number not in ("", file.visit_number):
        actions.integrate(file, told.ipp, told.visit_number)
    elif told.ipp not in ("", file.ipp, known.ipp):
        # A patient number alone: the hospital knows the person, not the stay yet.
        file.ipp = told.ipp


def cancel(file: Preadmission) -> None:
    """The stay will not be; again is the same. Raises TransitionRefused."""
    if status(file) != "CANCELLED":
        actions.cancel_there(file)


# -- who looked ----------------------------------------------------------------------------------------------------


def read(file: Preadmission, what: str = "encounter") -> None:
    """Write down that a machine read something of a person's file. what: encounter, patient, coverage…"""
    traces.record("preadmission.read", file, what=what)


def read_list(establishment_id: UUID, count: int) -> None:
    """Write down that a machine read a list of files."""
    audit.record("preadmission_list.read", establishment_id=establishment_id, count=count)


# -- what is done --------------------------------------------------------------------------------------------------


def _whom(establishment_id: UUID, told: Told, systems: Systems) -> UUID | None:
    found = records.patients(establishment_id, told.patient, systems.ipp) if told.patient else []
    if len(found) > 1:
        raise SeveralKnown
    return found[0] if found else None


def _move(file: Preadmission, planned_on: date) -> None:
    """The hospital is the master of its stays: their day is what it says, whatever the state of the file."""
    if planned_on < calendar.civil_day(db.now(), file.establishment.tz):
        raise StayInThePast(planned_on)
    if status(file) in ("CANCELLED", "REFUSED") or file.state == "closed":
        raise NotFromHere
    traces.lock(file)
    file.planned_on = planned_on
    file.version += 1
    traces.record("preadmission.moved", file)
    traces.notify(file)


def _go_to(file: Preadmission, told: Told) -> None:
    wanted = statuses.gesture(status(file), told.code or status(file))
    if wanted is None or (file.state == "draft" and wanted not in ("", "cancel")):
        raise NotFromHere
    if wanted == "accept":
        _accept(file)
    elif wanted == "reopen":
        actions.take(file)
    elif wanted == "cancel":
        actions.cancel_there(file, told.instructions)
        file.decision_reason = told.instructions
    elif wanted:
        if not told.instructions:
            raise NoWords
        _answer(file, wanted, told.instructions)


def _answer(file: Preadmission, wanted: str, words: str) -> None:
    if wanted == "refuse":
        actions.refuse(file, words)
        return
    today = calendar.civil_day(db.now(), file.establishment.tz)
    if file.state != "in_review":
        actions.take(file)
    actions.ask_again(file, states.usual_deadline(file, today))
    file.decision_reason = words


def _accept(file: Preadmission) -> None:
    """The hospital took the file as it is: what was still to be judged is accepted with it."""
    for piece in pieces.of_folder(file.id):
        if piece.state == "deposited" and piece.is_readable:
            actions.accept_piece(file, piece)
    actions.validate(file)


def _name(file: Preadmission, told: Told) -> None:
    """Remember how the other system identifies the stay, and which appointment it gave."""
    if told.visit_number and records.visit_of_another(file, told.visit_number):
        raise IdentifierTaken
    for system, value in told.identifiers:
        row = {
            "establishment_id": file.establishment_id, "system": system, "value": value, "preadmission_id": file.id,
        }  # fmt: skip
        session.execute(insert(EncounterIdentifier).values(row).on_conflict_do_nothing())
        held = session.get(EncounterIdentifier, (file.establishment_id, system, value), populate_existing=True)
        if held is None or held.preadmission_id != file.id:
            raise IdentifierTaken
    if told.appointment:
        records.give_versions(file.establishment_id)
        version = session.get_one(EncounterVersion, file.id)
        version.appointment = told.appointment
