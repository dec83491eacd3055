"""The patient does not want a request, or wants it after all: on their own pages, or with the sheet they were given."""

from datetime import date
from typing import Final

from sqlalchemy import select

from auth.records import as_system
from portal.db import session
from services.referrals import states
from services.referrals.actions import leaving
from services.referrals.models import Referral, ReferralTarget

REASONS: Final = ("no_wish", "followed_elsewhere", "no_sharing")
BY_REFERENCE: Final = "referrals.object_by_reference"
"""In whose name somebody without an account objects."""


def is_possible(target: ReferralTarget) -> bool:
    """Whether there is something left to object to: something is open there, or the unit named another one that the
    practitioner may still ask."""
    if target.state == "redirected":
        return leaving.waits_for_a_choice(target.referral_id) == target.id
    return target.state in states.LIVE


def object_(target: ReferralTarget, reason: str = "") -> None:
    """Every unit stops, those that were not asked yet too. reason: one of REASONS, or "". Raises NotPossibleNow,
    ValueError."""
    if reason and reason not in REASONS:
        raise ValueError(reason)
    referral_id = target.referral_id
    leaving.object_(target.referral, reason)
    session.flush()
    # A patient sees no unit that was not asked yet: the rest of the list ends in the portal's name.
    with as_system("referrals.object"):
        kept = select(ReferralTarget.id).where(
            ReferralTarget.referral_id == referral_id, ReferralTarget.state.in_(states.LIVE)
        )
        if session.scalar(kept.limit(1)) is not None:
            leaving.object_(session.get_one(Referral, referral_id), reason)
            session.flush()


def object_by_reference(reference: str, birth_on: date, reason: str = "") -> bool:
    """The same for whoever holds the sheet: its reference, and the birth date as the practitioner wrote it.

    Whether anything was stopped: never to be shown. Raises ValueError for an unknown reason.
    """
    if reason and reason not in REASONS:
        raise ValueError(reason)
    with as_system(BY_REFERENCE):
        found = session.scalar(
            select(Referral).where(Referral.reference == plain(reference), Referral.birth_on == birth_on)
        )
        if found is None:
            return False
        try:
            leaving.object_(found, reason)
        except states.NotPossibleNow:
            return False
        session.flush()
    return True


def take_back(target: ReferralTarget) -> None:
    """The patient agrees after all. Raises NotPossibleNow."""
    leaving.take_objection_back(target)


def plain(reference: str) -> str:
    """As it is written down: `BCDF-2345`, however people type it."""
    signs = "".join(sign for sign in reference.upper() if sign.isalnum())
    return f"{signs[:4]}-{signs[4:]}" if len(signs) == 8 else ""
