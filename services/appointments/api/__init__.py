"""Free times and appointments for other systems, in FHIR R4: the shared-agenda guide (GAP) and the SAS's view."""

from flask import Flask

from services.appointments.api import appointments, capabilities, directory, times
from services.offer.api import also


def register(app: Flask) -> None:
    """Add the addresses below /fhir, and say in /fhir/metadata what they do."""
    for pages in (times.pages, appointments.pages, directory.pages):
        app.register_blueprint(pages)
    also.read("reasons", directory.read_reason)
    capabilities.declare()
