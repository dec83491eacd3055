"""What happens by itself: every quarter of an hour, one counts which departments show a waiting time."""

from portal import db, jobs
from services.attendance import actions


@jobs.periodic("*/15 * * * *", "attendance.count_quarter")
def count_quarter() -> None:
    """A second run of the same job counts nothing."""
    with jobs.effect():
        actions.count_quarter(db.now())
