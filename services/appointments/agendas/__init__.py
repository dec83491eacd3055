"""Practitioners' agendas: weekly templates, one-off days, holidays, absences and the patients these leave stranded."""

from flask import Flask

from services.appointments.agendas import jobs, models  # noqa: F401 - jobs registers, sessions refer to templates


def register(app: Flask) -> None:
    """Nothing to add to the patients' pages: agents see agendas, patients the time they open."""
