"""Trying a counter: the provider tells the name that it knows behind it. A call to the outside, nothing is changed."""

from dataclasses import dataclass
from uuid import UUID

from portal import db
from portal.gateways import DoorError, Refused
from services.billing import jobs
from services.billing.sources import queries


@dataclass(frozen=True)
class Trial:
    """What came of it. name: the provider's, "" when it was not told. code: the provider's own word for its refusal.
    is_away: nobody understandable answered."""

    psp: str
    account: str = ""
    name: str = ""
    code: str = ""
    is_away: bool = False

    @property
    def outcome(self) -> str:
        """For the audit: done, away, or the refusal."""
        return "away" if self.is_away else f"refused: {self.code}" if self.code else "done"


def of_counter(establishment_id: UUID, psp: str, account: str, mode: str) -> Trial:
    """Ask the provider, with no transaction open. account, mode: the counter's; Stripe's follow from its key."""
    with db.transaction(db.system("billing.try_counter")):
        counter = queries.same_counter(establishment_id, psp, account, mode)
        if psp == "stripe":
            found = queries.stripe_counter(establishment_id)
            if found is None:
                return Trial(psp, code="no_key")
            counter = found
    try:
        return Trial(psp, counter.account, name=jobs.means(psp).name_of(counter))
    except Refused as refusal:
        return Trial(psp, counter.account, code=refusal.code)
    except DoorError:
        return Trial(psp, counter.account, is_away=True)
