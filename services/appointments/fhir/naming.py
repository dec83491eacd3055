"""Ids and identifier systems. Pure.

An id holds 64 signs at most (R4, `id`), so keys are written in base 32: a slot is `<session>.<reason>.<cell>`, a
schedule and a practitioner's role `<practitioner>.<unit>`.
"""

from uuid import UUID

from services.appointments.slots import MAX_CELLS, Slot
from services.offer.fhir.naming import RPPS as RPPS
from services.offer.fhir.naming import NotAnId as NotAnId
from services.offer.fhir.naming import long as long
from services.offer.fhir.naming import national_number as national_number
from services.offer.fhir.naming import pair_id as pair_id
from services.offer.fhir.naming import pair_of as pair_of
from services.offer.fhir.naming import rpps_of as rpps_of
from services.offer.fhir.naming import short as short
from services.offer.fhir.naming import system as system

SLOT_KINDS = "https://mos.esante.gouv.fr/NOS/TRE_R314-TypeCreneau/FHIR/TRE-R314-TypeCreneau"
ACTS = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
APPOINTMENT_KINDS = "http://terminology.hl7.org/CodeSystem/v2-0276"
CANCELLATIONS = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"


def slot_id(slot: Slot, reason_id: UUID) -> str:
    return f"{short(slot.session_id)}.{short(reason_id)}.{slot.first_cell}"


def slot_of(text: str) -> tuple[Slot, UUID]:
    """The slot, and for which reason. Raises NotAnId."""
    parts = text.split(".")
    if len(parts) != 3 or not (parts[2].isascii() and parts[2].isdecimal()) or len(parts[2]) > 2:
        raise NotAnId(text[:64])
    cell = int(parts[2])
    if cell >= MAX_CELLS or str(cell) != parts[2]:
        raise NotAnId(text[:64])
    return Slot(long(parts[0]), cell), long(parts[1])


def taken_id(session_id: UUID, first_cell: int) -> str:
    """Of a stretch of a session that is not free."""
    return f"{short(session_id)}.taken.{first_cell}"


def taken_of(text: str) -> tuple[UUID, int] | None:
    """The session and the first cell of such a stretch; None for the id of something else. Raises NotAnId."""
    session, word, cell = text.partition(".taken.")
    if not word:
        return None
    if not (cell.isascii() and cell.isdecimal()) or str(int(cell[:3])) != cell:
        raise NotAnId(text[:64])
    return long(session), int(cell)
