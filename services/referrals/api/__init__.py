"""Referrals for the software of practices and of the hospital, below /fhir: sent, followed, answered, taken back."""

from flask import Flask

from services.referrals.api import capabilities, following, sending


def register(app: Flask) -> None:
    """Add the addresses below /fhir, and say in /fhir/metadata what they do."""
    for pages in (sending.pages, following.pages):
        app.register_blueprint(pages)
    capabilities.declare()
