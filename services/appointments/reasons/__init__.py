"""Reasons for consultation, as the hospital describes them."""

from services.appointments.reasons import jobs, models  # noqa: F401 - jobs register, a table of its own
