"""Ids and identifier systems of the directory's resources. Pure.

An id holds 64 signs at most (R4, `id`), so keys are written in base 32: a practitioner's role is
`<practitioner>.<unit>`.
"""

from base64 import b32decode, b32encode
from uuid import UUID

RPPS = "urn:oid:1.2.250.1.71.4.2.1"
STRUCTURES = "urn:oid:1.2.250.1.71.4.2.2"
FINESS = "https://finess.esante.gouv.fr"
SPECIALITIES = "https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale"
IDENTIFIER_TYPES = "http://interopsante.org/fhir/CodeSystem/fr-v2-0203"
FRENCH_TYPES = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
PLACE_TYPES = "http://interopsante.org/fhir/CodeSystem/fr-location-identifier-type"
PHYSICAL_TYPES = "http://terminology.hl7.org/CodeSystem/location-physical-type"
ORGANIZATION_TYPES = "http://terminology.hl7.org/CodeSystem/organization-type"
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
