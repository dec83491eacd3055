"""The mornings of the hospitals, each by its own clock."""

from auth.digests import mornings
from portal import db, jobs


@jobs.periodic("*/5 * * * *", "digests.tell")
def tell() -> None:
    """Every five minutes: late or repeated, it tells nobody twice."""
    with jobs.reading():
        mornings.tell(db.now())
