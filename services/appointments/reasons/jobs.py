"""What is counted again on schedule."""

from portal import jobs
from services.appointments.reasons import actions


@jobs.periodic("27 * * * *", "appointments.recount_reasons")
def recount() -> None:
    """Count again what was booked while a limit was being set."""
    with jobs.reading():
        actions.recount()
