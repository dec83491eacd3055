"""Canonical addresses, code systems and ids. Pure."""

from uuid import UUID

GUIDE = "http://hl7.fr/fhir/fr/preadmission"
CORE = "https://hl7.fr/ig/fhir/core"
PROFILES = {
    "Encounter": f"{GUIDE}/StructureDefinition/preadmission-encounter-fr",
    "Coverage": f"{GUIDE}/StructureDefinition/preadmission-coverage-fr",
    "DocumentReference": f"{GUIDE}/StructureDefinition/preadmission-documentreference-fr",
    "Consent": f"{GUIDE}/StructureDefinition/preadmission-consent-fr",
    "Patient": f"{CORE}/StructureDefinition/fr-core-patient",
    "PatientINS": f"{CORE}/StructureDefinition/fr-core-patient-ins",
    "RelatedPerson": f"{CORE}/StructureDefinition/fr-core-related-person",
}
STATUS = f"{GUIDE}/StructureDefinition/statut-preadmission-fr"
# The guide names this extension in two ways: by its id, and in its search parameter and examples as above.
STATUS_NAMES = (STATUS, f"{GUIDE}/StructureDefinition/hl7.fhir.fr.preadmission.statut-preadmission")
STATUSES = f"{GUIDE}/CodeSystem/preadmission-status-code-system"
INSTRUCTIONS = f"{GUIDE}/StructureDefinition/encounter-agent-instructions"
DOCUMENT_TYPES = f"{GUIDE}/CodeSystem/document-type-cs"
AMC = f"{GUIDE}/StructureDefinition/fr-coverage-amc-extended"
RELIABILITY = f"{CORE}/StructureDefinition/fr-core-identity-reliability"
RELIABILITIES = f"{CORE}/CodeSystem/fr-core-cs-v2-0445"
IDENTIFIER_TYPES = f"{CORE}/CodeSystem/fr-core-cs-identifier-type"
INS_TYPES = f"{CORE}/CodeSystem/fr-core-cs-v2-0203"
GIVEN_NAMES = f"{CORE}/StructureDefinition/fr-core-patient-birth-list-given-name"
INSEE = f"{CORE}/StructureDefinition/fr-core-address-insee-code"
BIRTH_PLACE = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
MUNICIPALITIES = "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM"
ACTS = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ACT_REASONS = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
CONSENT_ACTIONS = "http://terminology.hl7.org/CodeSystem/consentaction"
CONSENT_SCOPES = "http://terminology.hl7.org/CodeSystem/consentscope"
HL7_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
CONTACT_ROLES = "http://terminology.hl7.org/CodeSystem/v2-0131"
ROLES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
RPPS = "urn:oid:1.2.250.1.71.4.2.1"
NIR = "urn:oid:1.2.250.1.213.1.4.8"
FINESS = "https://finess.esante.gouv.fr"
LOINC = "http://loinc.org"

COVERS = ("amo", "amc")
PEOPLE = ("relative", "trust", "holder-1", "holder-2", "third", "protector")


def system(base: str, what: str) -> str:
    """Our own identifier systems: `<base>/identifiers/preadmission`."""
    return f"{base}/identifiers/{what}"


def key_of(text: str) -> UUID | None:
    """A key of ours, None for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return None


def part_id(part: str, preadmission_id: UUID) -> str:
    """Of what a file holds beside itself: `amo-<file>`, `trust-<file>`."""
    return f"{part}-{preadmission_id}"


def part_of(text: str, known: tuple[str, ...]) -> tuple[str, UUID] | None:
    """The part and the file that such an id names, when the part is known."""
    for part in known:
        if text.startswith(f"{part}-") and (key := key_of(text[len(part) + 1 :])) is not None:
            return (part, key) if str(key) == text[len(part) + 1 :] else None
    return None
