"""Where a request is, for the practitioner who sent it: what waits for them, what waits for a unit. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

from services.referrals.models import ReferralTarget
from services.referrals.states import OPEN, SENT_ELSEWHERE

STANDINGS: Final = ("to_do", "waiting", "accepted", "ended")
"""to_do: the practitioner answers, chooses, or learns that nobody is left; in the order of a list."""


def standing(targets: Sequence[ReferralTarget]) -> str:
    """One of STANDINGS, for the units of one request."""
    states = {each.state for each in targets}
    if "asked" in states or proposal(targets) is not None:
        return "to_do"
    if "accepted" in states:
        return "accepted"
    if states & {"received", "waiting"}:
        return "waiting"
    return "to_do" if nobody_left(targets) and any(is_news(each) for each in targets) else "ended"


def proposal(targets: Sequence[ReferralTarget]) -> ReferralTarget | None:
    """The unit that named another one, while the practitioner has neither agreed nor left it."""
    asked = {each.offer_id for each in targets}
    return next((each for each in targets if each.state == "redirected" and each.proposed_id not in asked), None)


def nobody_left(targets: Iterable[ReferralTarget]) -> bool:
    """No unit of the list takes the patient, and the practitioner has not ended it themselves."""
    return all(each.state in (*SENT_ELSEWHERE, "redirected") for each in targets)


def may_go_on(targets: Sequence[ReferralTarget]) -> bool:
    """Whether the next unit of the list is asked: nobody else owes an answer, gave one, or named another unit that the
    practitioner has still to choose."""
    busy = (*OPEN, "accepted", "completed", "objected")
    return proposal(targets) is None and not any(each.state in busy for each in targets)


def is_news(target: ReferralTarget) -> bool:
    """Whether something happened there that the practitioner has not read."""
    seen = target.professional_seen_at
    return target.received_at is not None and (seen is None or seen < target.changed_at)
