"""Pre-admissions for the hospital's own system, in FHIR R4: it polls the portal (French pre-admission guide)."""

from flask import Flask

from services.preadmission.api import capabilities, encounters, inside
from services.preadmission.fhir import jobs  # noqa: F401 - its task


def register(app: Flask) -> None:
    """Add the addresses below /fhir, and say in /fhir/metadata what they do."""
    for pages in (encounters.pages, inside.pages):
        app.register_blueprint(pages)
    capabilities.declare()
