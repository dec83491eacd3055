"""What /fhir/metadata says of this room."""

from portal.web import fhir
from portal.web.fhir import Parameter, Resource

REQUESTER = "requester:identifier"
COMMON = (
    Parameter("_id", "token"),
    Parameter("_lastUpdated", "date"),
    Parameter("identifier", "token", "Yours, or our reference"),
    Parameter(REQUESTER, "token", "RPPS number"),
    Parameter("status", "token"),
)
TASKS = (*COMMON, Parameter("based-on", "reference"), Parameter("focus", "reference"))
OFFERS = (Parameter("topic", "token", "What is wanted: opinion, consultation…"),)


def declare() -> None:
    """Once, when the application is made."""
    fhir.offer(
        Resource(
            "ServiceRequest", [], ["read", "search-type", "create", "update"], COMMON, (), ["create", "update"],
            text="A practitioner's request to units of the machine's hospital. Sent once under your identifier"
            " (If-None-Exist, PUT by identifier, or a transaction Bundle); revoked by PUT. What a machine without"
            " system/ServiceRequest.read sees is what it sent.",
        )
    )  # fmt: skip
    fhir.offer(
        Resource(
            "Task", [], ["read", "search-type"], TASKS,
            text="What became of a request at one unit: state, delay, messages, date. Its $file/<id> gives a document.",
        )
    )  # fmt: skip
    fhir.offer(
        Resource(
            "Communication", [], ["create"], text="The practitioner's answer to a unit, about a Task: documents in it."
        )
    )
    fhir.offer(Resource("ActivityDefinition", [], ["read", "search-type"], OFFERS, text="What units take by referral."))
