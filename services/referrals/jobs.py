"""What happens to referrals later: the next unit is asked, each side is told that something waits, clocks run out."""

from uuid import UUID

from auth.mandates import queries as mandates
from auth.news import actions as news
from portal import db, jobs, notifications
from services.referrals import mails, standing
from services.referrals.actions import following, sending
from services.referrals.models import RIGHT, Referral, ReferralTarget
from services.referrals.states import OPEN

SHORT_HOURS = 48
"""A unit that answers within so many hours is told at once; the others read their tray, and the digest of the day."""


@jobs.task("referrals.reach_next")
def reach_next(referral_id: str) -> None:
    """Ask the next unit, once nobody answers any more where it was asked before."""
    with jobs.effect() as current:
        referral = current.get(Referral, UUID(referral_id))
        if referral is None:
            return
        if standing.may_go_on(referral.targets):
            sending.reach_next(referral)


@jobs.task("referrals.tell_professional")
def tell_professional(target_id: str) -> None:
    """Tell the practitioner that a unit answered: nothing of what, nor of whom."""
    with jobs.effect() as current:
        target = current.get(ReferralTarget, UUID(target_id))
        if target is None or target.referral.professional is None:
            return
        account = target.referral.professional.account
        mail = mails.unit_answered(f"/pro/orientations/{target.referral_id}")
        notifications.tell(mail, recipient=account.email, account_id=account.id, locale=account.locale)


@jobs.task("referrals.tell_patient")
def tell_patient(target_id: str) -> None:
    """Tell the patient, and those who act for them in medical matters, that something waits: they have an account when
    the hospital found who they are."""
    with jobs.effect() as current:
        target = current.get(ReferralTarget, UUID(target_id))
        if target is None or target.patient_id is None or target.received_at is None:
            return
        for to in mandates.accounts_to_tell(target.patient_id, "medical"):
            notifications.tell(
                mails.FOR_PATIENT,
                recipient=to.email,
                account_id=to.account_id,
                patient_id=target.patient_id,
                establishment_id=target.establishment_id,
                locale=to.locale,
            )


@jobs.task("referrals.tell_unit")
def tell_unit(target_id: str) -> None:
    """Tell the agents of the unit, at once when it answers within two days: nothing of what, nor of whom."""
    with jobs.effect() as current:
        target = current.get(ReferralTarget, UUID(target_id))
        if target is not None:
            _tell_agents(target, urgent=target.state in OPEN and target.answer_hours <= SHORT_HOURS)


@jobs.task("referrals.tell_late")
def tell_late(target_id: str) -> None:
    """A unit has not answered in time: its agents are told, and whoever its rules name."""
    with jobs.effect() as current:
        target = current.get(ReferralTarget, UUID(target_id))
        if target is None or target.state not in OPEN:
            return
        _tell_agents(target, urgent=True)
        if target.offer.escalate_to:
            notifications.tell(mails.not_answered(_path(target)), recipient=target.offer.escalate_to, account_id=None)


def _tell_agents(target: ReferralTarget, *, urgent: bool) -> None:
    news.tell_unit(target.unit_id, RIGHT, kind="referrals", path=_path(target), urgent=urgent)


def _path(target: ReferralTarget) -> str:
    return f"/admin/orientations/{target.id}"


# -- clocks --------------------------------------------------------------------------------------------------------


@jobs.periodic("*/15 * * * *", "referrals.escalate")
def escalate() -> None:
    """Whoever is late is told, or gives way to the next unit."""
    with jobs.reading():
        following.escalate_late(db.now())


@jobs.periodic("7,37 * * * *", "referrals.follow")
def follow() -> None:
    """Requests follow the visits and stays that they became."""
    after: UUID | None = None
    while True:
        with jobs.reading():
            found = following.agreed(after)
            following.look_at(found)
            after = found[-1].id if found else None
        if after is None:
            return
