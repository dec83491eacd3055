"""The directory for other systems, in FHIR R4, open to everybody: what is public, and nothing else.

Rooms above add their own HealthcareService resources (a reason for consultation) with `also.read`.
"""

from flask import Flask

from services.offer.api import capabilities, reading, searching


def register(app: Flask) -> None:
    """Add the addresses below /fhir, and say in /fhir/metadata what they do."""
    app.register_blueprint(reading.pages)
    app.register_blueprint(searching.pages)
    capabilities.declare()
