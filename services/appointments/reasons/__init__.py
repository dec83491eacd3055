"""Reasons for consultation, as the hospital describes them."""

from services.appointments.reasons import models  # noqa: F401 - a table of its own
