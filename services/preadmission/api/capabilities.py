"""What /fhir/metadata says of this room."""

from portal.web import fhir
from portal.web.fhir import Parameter, Resource
from services.preadmission.fhir.naming import PROFILES

ENCOUNTERS = (
    Parameter("_id", "token"),
    Parameter("_lastUpdated", "date", "Ask for gt<meta.lastUpdated of the last bundle>: nothing is missed"),
    Parameter("preadmission-status", "token", "CREATED, IN_PROGRESS, READY, COMPLETED, REFUSED, CANCELLED"),
    Parameter("patient", "reference"),
    Parameter("patient.identifier", "token", "The hospital's patient number, or a qualified INS"),
    Parameter("identifier", "token", "Our reference, the visit number, or what was given at creation"),
    Parameter("date", "date", "The day on which the stay begins"),
)
_OF_A_STAY = Parameter("encounter", "reference")
_OF_A_PATIENT = Parameter("patient", "reference")


def declare() -> None:
    """Once, when the application is made."""
    fhir.offer(
        Resource(
            "Encounter",
            [PROFILES["Encounter"]],
            ["read", "search-type", "create", "update", "delete"],
            ENCOUNTERS,
            ["Encounter:patient", "Encounter:subject"],
            ["create", "update"],
            text="A pre-admission of the machine's hospital. Created: a stay that the hospital knows, to which its"
            " patient is invited. Updated: its day, its numbers, its status with instructions to the patient."
            " Deleted: cancelled.",
        )
    )
    fhir.offer(Resource(
        "Patient", [PROFILES["Patient"], PROFILES["PatientINS"]], ["read", "search-type"],
        (Parameter("_id", "token"), Parameter("identifier", "token")),
        text="Of a file of the machine's hospital; system/Patient.read beside system/Encounter.read.",
    ))  # fmt: skip
    fhir.offer(Resource(
        "RelatedPerson", [PROFILES["RelatedPerson"]], ["read", "search-type"], (_OF_A_PATIENT, _OF_A_STAY),
        text="People named in a file; system/Patient.read beside system/Encounter.read.",
    ))  # fmt: skip
    fhir.offer(Resource(
        "Coverage", [PROFILES["Coverage"]], ["read", "search-type"], (_OF_A_PATIENT, _OF_A_STAY),
        text="Who pays, with the insured person's number; system/Coverage.read.",
    ))  # fmt: skip
    fhir.offer(Resource(
        "Consent", [PROFILES["Consent"]], ["read", "search-type"], (_OF_A_PATIENT, Parameter("data", "reference")),
    ))  # fmt: skip
    fhir.offer(Resource(
        "DocumentReference", [PROFILES["DocumentReference"]], ["read", "search-type"],
        (_OF_A_STAY, _OF_A_PATIENT, Parameter("type", "token")),
        text="A page of a piece of a file; system/Binary.read.",
    ))  # fmt: skip
    fhir.offer(Resource("Binary", [], ["read"], text="A page as the patient sent it; system/Binary.read."))
