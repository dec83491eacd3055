"""Ids and identifier systems. Pure.

An id holds 64 signs at most (R4, `id`), so keys are written in base 32: a slot is `<session>.<reason>.<cell>`, a
schedule and a practitioner's role `<practitioner>.<unit>`.
"""

from base64 import b32decode, b32encode
from uuid import UUID

from services.appointments.slots import MAX_CELLS, Slot

RPPS = "urn:oid:1.2.250.1.71.4.2.1"
STRUCTURES = "urn:oid:1.2.250.1.71.4.2.2"
SPECIALITIES = "https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale"
SLOT_KINDS = "https://mos.esante.gouv.fr/NOS/TRE_R314-TypeCreneau/FHIR/TRE-R314-TypeCreneau"
IDENTIFIER_TYPES = "http://interopsante.org/fhir/CodeSystem/fr-v2-0203"
PLACE_TYPES = "http://interopsante.org/fhir/CodeSystem/fr-location-identifier-type"
ACTS = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
APPOINTMENT_KINDS = "http://terminology.hl7.org/CodeSystem/v2-0276"
CANCELLATIONS = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
_PEOPLE_OF_ALL_KINDS = "8"
"""National numbers of people: 8 and the RPPS, 11 digits."""


class NotAnId(ValueError):
    """Not an id that we gave."""


def short(key: UUID) -> str:
    return b32encode(key.bytes).decode().rstrip("=").lower()


def long(text: str) -> UUID:
    """Raises NotAnId."""
    try:
        found = UUID(bytes=b32decode(text.upper() + "======")) if len(text) == 26 and text.isascii() else None
    except ValueError as error:
        raise NotAnId(text[:64]) from error
    if found is None or short(found) != text:  # one key, one id
        raise NotAnId(text[:64])
    return found


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


def pair_id(practitioner_id: UUID, unit_id: UUID) -> str:
    return f"{short(practitioner_id)}.{short(unit_id)}"


def pair_of(text: str) -> tuple[UUID, UUID]:
    """The practitioner and the unit. Raises NotAnId."""
    practitioner, dot, unit = text.partition(".")
    if not dot:
        raise NotAnId(text[:64])
    return long(practitioner), long(unit)


def national_number(rpps: str) -> str:
    """`8` and the RPPS, as national directories and the SAS write it."""
    return rpps if len(rpps) == 12 else _PEOPLE_OF_ALL_KINDS + rpps


def rpps_of(value: str) -> str:
    """The 11 digits, whichever way they were written."""
    return value[1:] if len(value) == 12 and value.startswith(_PEOPLE_OF_ALL_KINDS) else value


def system(base: str, what: str) -> str:
    """Our own identifier systems: `<base>/identifiers/appointment`."""
    return f"{base}/identifiers/{what}"
