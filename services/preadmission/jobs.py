"""What happens to pre-admissions later."""

from portal import db, jobs
from services.preadmission import actions, queries
from services.preadmission.calendars import queries as calendars
from services.preadmission.models import Preadmission


@jobs.periodic("23 * * * *", "preadmission.lapse")
def lapse_overdue() -> None:
    """Close the files whose stay is over: those that nobody settled lapse, the accepted ones are done.

    One transaction a file; a second run finds them closed, so it needs no done-mark.
    """
    actor = db.system("preadmission.lapse")
    with db.transaction(actor):
        overdue, over = queries.overdue(), calendars.stays_over()
    for preadmission_id in overdue:
        with db.transaction(actor) as current:
            actions.lapse(current.get_one(Preadmission, preadmission_id))
    for preadmission_id in over:
        with db.transaction(actor) as current:
            actions.close(current.get_one(Preadmission, preadmission_id))
