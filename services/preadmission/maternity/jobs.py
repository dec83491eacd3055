"""What happens later to places that are kept."""

from portal import db, jobs
from services.preadmission.maternity import actions, queries
from services.preadmission.maternity.models import MaternityWish


@jobs.periodic("41 * * * *", "maternity.expire")
def expire_offers() -> None:
    """Free the places that nobody accepted in time; a second run finds them free."""
    actor = db.system("maternity.expire")
    with db.transaction(actor):
        late = queries.unanswered()
    for wish_id in late:
        with db.transaction(actor) as current:
            actions.expire(current.get_one(MaternityWish, wish_id))
