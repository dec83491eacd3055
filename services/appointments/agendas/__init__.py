"""Practitioners' agendas: weekly templates, one-off days, holidays, absences and the patients these leave stranded."""

from flask import Flask

from services.appointments.agendas import models  # noqa: F401 - sessions refer to templates


def register(app: Flask) -> None:
    """Nothing yet."""
