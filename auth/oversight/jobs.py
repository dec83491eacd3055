"""What the clock does for those who watch over accesses."""

from datetime import date, timedelta
from uuid import UUID

import structlog

from auth.agents import administrators
from auth.oversight import actions, campaigns, mails, weeks
from auth.oversight.rules import RULES
from portal import db, establishments, jobs
from portal.audit import verifying
from portal.calendar import civil_day
from portal.establishments import Establishment

log = structlog.get_logger(__name__)


@jobs.periodic("41 2 * * 0", "oversight.verify_weekly")
def verify_weekly() -> None:
    """Recompute the chain of the audit, each Sunday before dawn."""
    _verify(None)


@jobs.task("oversight.verify_chain")
def verify_chain(account_id: str) -> None:
    """The same, because an auditor asked."""
    _verify(UUID(account_id) if account_id else None)


def _verify(asked_by: UUID | None) -> None:
    """Keep what was found, and tell every auditor when the chain does not hold. Twice does no harm."""
    with jobs.reading():
        found = verifying.verify(asked_by)
        if found.broken_batch is not None:
            log.error("audit.chain_broken", batch=found.broken_batch)
            for hospital in establishments.establishments():
                administrators.tell(hospital.id, mails.chain_broken(), right="audit")


@jobs.periodic("37 5 * * 1", "oversight.seek_unusual")
def seek_unusual() -> None:
    """Each Monday, look at the week that ended, one job a hospital."""
    with jobs.reading():
        for hospital in establishments.establishments():
            first = weeks.monday(civil_day(db.now(), hospital.tz)) - timedelta(days=7)
            jobs.enqueue("oversight.seek_at", establishment_id=str(hospital.id), first=first.isoformat())


@jobs.task("oversight.seek_at")
def seek_at(establishment_id: str, first: str) -> None:
    """Look at one week of one hospital, keep what is unusual, and tell its auditors that something waits."""
    with jobs.effect() as current:
        hospital = current.get_one(Establishment, UUID(establishment_id))
        week = weeks.gathered(hospital, date.fromisoformat(first))
        found = [(rule.code, each) for rule in RULES for each in rule.find(week)]
        kept = actions.keep_findings(hospital.id, week.first, found)
        if kept:
            administrators.tell(hospital.id, mails.unusual_found(hospital.name, kept), right="audit")


@jobs.periodic("9 5 * * *", "oversight.review_rights")
def review_rights() -> None:
    """Open the reviews of rights that are due, and remind of those that wait."""
    with jobs.reading():
        for hospital in establishments.establishments():
            campaigns.look_after(hospital)
