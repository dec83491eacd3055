"""A mistake that somebody saw: told, then corrected or not, and answered."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import insert

from portal import audit, db, notifications
from portal.db import session
from portal.notifications import Mail
from services.offer import mails
from services.offer.models import ErrorReport, ErrorReportChange
from services.offer.states import TRANSITIONS


class AlreadyEnded(Exception):
    """Somebody answered this report meanwhile."""


@dataclass(frozen=True)
class Subject:
    """What a report is about. kind: among models.REPORTED. path: of its page."""

    kind: str
    object_id: UUID
    establishment_id: UUID
    name: str
    path: str


def report(subject: Subject, mistake: str, words: str, email: str = "", locale: str = "fr") -> UUID:
    """Tell the hospital of a mistake. mistake: among models.MISTAKES. email: where to answer, "" for no answer."""
    actor, report_id = db.current_actor(), uuid4()
    # A patient's or a visitor's report is nobody's: it says nothing about who they are.
    account_id = actor.account_id if actor.kind in ("professional", "staff") else None
    # Whoever reports may not read reports: nothing is asked back (RETURNING).
    row = insert(ErrorReport).inline().values(
        id=report_id, establishment_id=subject.establishment_id, kind=subject.kind, about_id=subject.object_id,
        about_name=subject.name, mistake=mistake, words=words, email=email, locale=locale, audience=actor.kind,
        account_id=account_id, state="received", answer="", created_at=db.now(),
    )  # fmt: skip
    session.execute(row)
    audit.record(
        "offer_report.received",
        establishment_id=subject.establishment_id,
        object_kind="offer_report",
        object_id=report_id,
        mistake=mistake,
    )
    return report_id


def answer(found: ErrorReport, gesture: str, words: str, path: str) -> None:
    """Correct or decline (states.TRANSITIONS), and tell whoever left an address. words: to them, never about anybody's
    health. path: of the page that they reported. Raises AlreadyEnded."""
    session.refresh(found, with_for_update={"key_share": True})
    former = found.state
    sources, state = TRANSITIONS[gesture]
    if former not in sources:
        raise AlreadyEnded
    found.state, found.answer, found.ended_at = state, words, db.now()
    actor = db.current_actor()
    session.add(
        ErrorReportChange(
            id=uuid4(), report_id=found.id, establishment_id=found.establishment_id, from_state=former, to_state=state,
            actor=actor.label, actor_name=actor.name,
        )
    )  # fmt: skip
    session.flush()
    audit.record(
        f"offer_report.{state}",
        establishment_id=found.establishment_id,
        object_kind="offer_report",
        object_id=found.id,
    )
    mail: Mail = mails.answered(found, path)
    notifications.tell(mail, recipient=found.email, locale=found.locale)
