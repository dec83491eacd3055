"""What /fhir/metadata says of this room."""

from portal.web import fhir
from portal.web.fhir import Parameter, Resource
from services.appointments.fhir import resources

_WHO = (
    Parameter("schedule.actor:Practitioner.identifier", "token", "8 and the RPPS, or the RPPS"),
    Parameter("schedule.actor:PractitionerRole.specialty", "token", "TRE_R38"),
)
TIMES = (
    Parameter("start", "date", "At most 400 days; without an end, fourteen days"),
    Parameter("status", "token", "free without a pass; busy and busy-tentative with system/Slot.read"),
    Parameter("schedule", "reference"),
    Parameter("service-type", "token", "The hospital's reason"),
    Parameter("specialty", "token", "TRE_R38"),
    *_WHO,
)
APPOINTMENTS = (
    Parameter("_id", "token"),
    Parameter("_lastUpdated", "date"),
    Parameter("identifier", "token"),
    Parameter("date", "date"),
    Parameter("status", "token"),
    Parameter("patient.identifier", "token"),
    Parameter("practitioner.identifier", "token"),
    Parameter("practitioner", "reference"),
    Parameter("location", "reference"),
    Parameter("service-type", "token"),
)
_MADE_FOR = "Made for the includes of searches."


def declare() -> None:
    """Once, when the application is made."""
    fhir.offer(
        Resource(
            "Slot",
            [*resources.PROFILES["Slot"], *resources.TAKEN],
            ["read", "search-type"],
            TIMES,
            ["Slot:schedule", "Schedule:actor"],
            text="Times for a reason, where booking takes them. Slot.comment is where a patient books online.",
        )
    )
    fhir.offer(
        Resource(
            "Appointment",
            resources.PROFILES["Appointment"],
            ["read", "search-type", "create", "update"],
            APPOINTMENTS,
            ["Appointment:practitioner", "Appointment:location"],
            ["create", "update"],
            text="Of the machine's hospital. Created or updated by PUT on an identifier; what is proposed or pending"
            " takes its time at once. A time that is not free is answered 409, with the nearest ones.",
        )
    )
    fhir.offer(Resource("Schedule", resources.PROFILES["Schedule"], ["read"], text=_MADE_FOR))
