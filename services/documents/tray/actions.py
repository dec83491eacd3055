"""What agents decide about several letters at once, and about what was refused at the door."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from portal import audit, db, files, kpi
from portal.db import session
from services.documents import actions, cda, jobs
from services.documents.actions import Outcome
from services.documents.jobs import Parcel, Prepared
from services.documents.models import ArrivalDecision, Document, DocumentArrival
from services.documents.parcels import Letter
from services.documents.states import NotPossibleNow
from services.documents.tray import queries
from services.documents.tray.returning import ways

_IN_MESSAGES: Final = frozenset({"his", "fhir"})
"""Channels of documents that a message of the hospital's systems carries."""


class StillRefused(Exception):
    """Looked at anew, a parcel is refused as before, or for the reason that is the argument."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotKept(Exception):
    """The bytes of this parcel were not kept: its sender alone has them."""


# -- several letters -----------------------------------------------------------------------------------------------


def assign_together(documents: Sequence[Document], patient_id: UUID, reason: str) -> int:
    """Give letters that describe one person to the patient that an agent recognised; how many were still there.

    Raises PatientNotKnown.
    """
    return sum(_is_done(partial(actions.assign, each, patient_id, reason)) for each in documents)


def discard_together(documents: Sequence[Document], reason: str) -> int:
    """Set several letters aside; how many were still there."""
    return sum(_is_done(partial(actions.discard, each, reason)) for each in documents)


def _is_done(decision: Callable[[], None]) -> bool:
    """False when a colleague did it first."""
    try:
        decision()
    except NotPossibleNow:
        return False
    return True


# -- what was refused ----------------------------------------------------------------------------------------------


def look_again(arrival: DocumentArrival, *, production: bool) -> list[Outcome]:
    """Scan and read a refused parcel anew: the scanner is back, a limit is higher, or the portal reads more now.

    Raises NotKept, StillRefused, NotPossibleNow.
    """
    _check_undecided(arrival)
    _check_came_alone(arrival)
    data = _bytes_of(arrival)
    prepared = jobs.prepare(_parcel(arrival, data), production=production)
    return _release(arrival, prepared, "released")


def take_as_file(arrival: DocumentArrival, title: str, *, production: bool) -> list[Outcome]:
    """Put a refused PDF or photograph in the tray as a plain file, under a title: somebody will say whose it is.

    Raises NotKept, StillRefused (it is of no type that people open), NotPossibleNow.
    """
    _check_undecided(arrival)
    data = _bytes_of(arrival)
    letter = _plain_letter(arrival, title, data)
    prepared = jobs.prepare(_parcel(arrival, data), production=production, letter=letter)
    return _release(arrival, prepared, "tray")


def send_back(arrival: DocumentArrival) -> bool:
    """Refuse a parcel: whoever sent it is told, when the portal can. False when an agent must tell them.

    Raises NotPossibleNow.
    """
    _check_undecided(arrival)
    way = ways().get(arrival.channel)
    if way is not None:
        way(arrival, arrival.reason)
    _decide(arrival, "returned", arrival.reason)
    return way is not None


def drop(arrival: DocumentArrival, reason: str) -> None:
    """Nothing will be done with a refused parcel; it stays written down, with why. Raises NotPossibleNow."""
    _check_undecided(arrival)
    _decide(arrival, "discarded", reason)


def _check_undecided(arrival: DocumentArrival) -> None:
    if (made := session.get(ArrivalDecision, arrival.id)) is not None:
        raise NotPossibleNow(made.outcome)


def _check_came_alone(arrival: DocumentArrival) -> None:
    """The message around a document says who it is about and who may see it, and is not kept: without it, nothing may
    be filed. Its sender sends both again. Raises StillRefused."""
    if arrival.channel in _IN_MESSAGES:
        raise StillRefused(arrival.reason)


def _bytes_of(arrival: DocumentArrival) -> bytes:
    stored = queries.stored_of(arrival)
    if stored is None:
        raise NotKept
    try:
        return files.read_set_aside(stored)
    except files.FileNotReadable:
        raise NotKept from None


def _parcel(arrival: DocumentArrival, data: bytes) -> Parcel:
    return Parcel(arrival.establishment_id, arrival.channel, arrival.name, data, files.from_bytes([data]))


def _plain_letter(arrival: DocumentArrival, title: str, data: bytes) -> Letter:
    own = f"2.25.{arrival.id.int}"
    header = cda.Header(
        unique_id=own, set_id=own, version=1, replaces=None, type_code="", type_label="", title=title,
        created_at=arrival.received_at, confidentiality="N", patient=cda.Patient(), author=cda.Author(),
        custodian=cda.Organization(), level="FILE", media_type="", warnings=(cda.CdaWarning.INS_MISSING,),
    )  # fmt: skip
    return Letter(arrival.name, data, header, None)


def _release(arrival: DocumentArrival, prepared: Prepared, outcome: str) -> list[Outcome]:
    if prepared.refusal or prepared.stored_id is None:
        raise StillRefused(prepared.refusal)
    _decide(arrival, outcome, arrival.reason)
    return jobs.settle(prepared)


def _decide(arrival: DocumentArrival, outcome: str, reason: str) -> None:
    """Raises NotPossibleNow when a colleague has just decided."""
    actor = db.current_actor()
    try:
        with session.begin_nested():
            session.add(
                ArrivalDecision(
                    arrival_id=arrival.id,
                    establishment_id=arrival.establishment_id,
                    outcome=outcome,
                    reason=reason,
                    actor=actor.label,
                    actor_name=actor.name,
                )
            )
            session.flush()
    except IntegrityError:
        raise NotPossibleNow(outcome) from None
    audit.record(
        "parcel.decided",
        establishment_id=arrival.establishment_id,
        object_kind="parcel",
        object_id=arrival.id,
        outcome=outcome,
        reason=reason,
    )
    kpi.count("parcel_decided", establishment_id=arrival.establishment_id, dimension=outcome)
