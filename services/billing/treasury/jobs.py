"""The nightly seal."""

from datetime import timedelta

from portal import db, establishments, jobs
from portal.calendar import civil_day
from services.billing.treasury import actions


@jobs.periodic("7 * * * *", "billing.seal_treasury")
def seal_all() -> None:
    """Seal each hospital's days that are over. Every hour: it is just past midnight somewhere, and a night when no
    worker ran is made up for. A transaction for each hospital."""
    with jobs.reading():
        places = list(establishments.establishments())
    for place in places:
        with db.transaction(db.system("billing.seal_treasury")):
            actions.seal(place, civil_day(db.now(), place.tz) - timedelta(days=1))
