"""Systems of codes and identifiers, and ours."""

from typing import Final

RPPS: Final = "urn:oid:1.2.250.1.71.4.2.1"
"""National numbers of professionals: `8` and the eleven digits of the RPPS, or those alone."""
FHIR_RPPS: Final = "https://rpps.esante.gouv.fr"
FORMS: Final = "http://terminology.hl7.org/CodeSystem/definition-use"


def system(base: str, what: str) -> str:
    """Our own systems: `<base>/identifiers/referral`."""
    return f"{base}/identifiers/{what}"


def rpps_of(system_: str, value: str) -> str:
    """The eleven digits; "" when it is no national number."""
    if system_ not in (RPPS, FHIR_RPPS):
        return ""
    number = value[1:] if len(value) == 12 and value.startswith("8") else value
    return number if len(number) == 11 and number.isascii() and number.isdecimal() else ""
