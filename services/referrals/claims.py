"""What a practitioner finds when they come: the requests that their software sent before, and what waits for them."""

from sqlalchemy import select

from auth import guards
from auth.after_sign_in import JustSignedIn
from auth.models import Professional
from portal import db
from services.referrals import queries
from services.referrals.actions import leaving


def claim(who: JustSignedIn) -> None:
    """After each sign-in by Pro Santé Connect: what their software sent under their RPPS number is theirs."""
    with db.transaction(db.system("referrals.claim")) as current:
        professional = current.scalar(select(Professional).where(Professional.account_id == who.account_id))
        if professional:
            leaving.claim(professional)


def waiting() -> int:
    """How many requests wait for the signed-in practitioner."""
    return queries.to_do(guards.professional_id())
