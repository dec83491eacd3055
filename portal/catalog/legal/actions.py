"""To publish a version of a legal page, to keep the yearly plan, to report what cannot be used and to answer."""

from typing import Any
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l
from sqlalchemy import insert, text

from portal import audit, db, kpi, notifications
from portal.catalog.legal import queries
from portal.catalog.legal.content import plain
from portal.catalog.legal.models import AccessibilityAction, AccessibilityReport, LegalPage
from portal.db import session
from portal.notifications import Mail, message


class AlreadyAnswered(Exception):
    """Somebody answered this report meanwhile."""


def publish(page: str, establishment_id: UUID | None, content: Any) -> LegalPage:
    """Make the next version of a page (models.PAGES) from its content (`content.KINDS`); the same content again gives
    the version that is shown already."""
    # Two at the same time: one waits, and takes the number after.
    session.execute(text("select pg_advisory_xact_lock(hashtext('parvis.legal_page'))"))
    known = queries.versions(page, establishment_id)
    if known and known[0].content == plain(content):
        return known[0]
    made = LegalPage(
        id=uuid4(), page=page, establishment_id=establishment_id, content=plain(content), published_at=db.now(),
        version=known[0].version + 1 if known else 1, actor_name=db.current_actor().name,
    )  # fmt: skip
    session.add(made)
    session.flush()
    audit.record(
        "legal_page.published", establishment_id=establishment_id, object_kind="legal_page", object_id=made.id,
        page=page, version=made.version,
    )  # fmt: skip
    queries.forget()
    return made


def plan(year: int, title: str) -> AccessibilityAction:
    """Add a line to the yearly plan."""
    made = AccessibilityAction(id=uuid4(), year=year, title=title, state="planned")
    session.add(made)
    session.flush()
    _record_plan("accessibility_action.planned", made)
    return made


def advance(action: AccessibilityAction, state: str) -> None:
    """state: among models.ACTION_STATES."""
    if action.state != state:
        action.state = state
        session.flush()
        _record_plan("accessibility_action.changed", action)


def _record_plan(code: str, action: AccessibilityAction) -> None:
    audit.record(code, object_kind="accessibility_action", object_id=action.id, state=action.state, year=action.year)


def report(page: str, words: str, email: str = "", locale: str = "fr") -> UUID:
    """Tell what cannot be used. page: its address here. email: where to answer, "" for no answer."""
    report_id = uuid4()
    # Whoever reports may not read reports: nothing is asked back (RETURNING).
    row = insert(AccessibilityReport).inline().values(
        id=report_id, page=page, words=words, email=email, locale=locale, state="received", answer="", actor_name="",
        created_at=db.now(),
    )  # fmt: skip
    session.execute(row)
    audit.record("accessibility_report.received", object_kind="accessibility_report", object_id=report_id)
    kpi.count("accessibility_reported")
    return report_id


def take_on(found: AccessibilityReport) -> None:
    """Somebody looks into it. Raises AlreadyAnswered."""
    _hold(found)
    if found.state == "received":
        found.state, found.actor_name = "in_progress", db.current_actor().name
        session.flush()
        audit.record("accessibility_report.taken", object_kind="accessibility_report", object_id=found.id)


def answer(found: AccessibilityReport, words: str) -> None:
    """Close a report, and tell whoever left an address. words: to them. Raises AlreadyAnswered."""
    _hold(found)
    found.state, found.answer, found.ended_at = "answered", words, db.now()
    found.actor_name = db.current_actor().name
    session.flush()
    audit.record("accessibility_report.answered", object_kind="accessibility_report", object_id=found.id)
    notifications.tell(_answered(words), recipient=found.email, locale=found.locale)


def _hold(found: AccessibilityReport) -> None:
    session.refresh(found, with_for_update={"key_share": True})
    if found.state == "answered":
        raise AlreadyAnswered


@message("portal.accessibility_answered", "anybody")
def _answered(words: str) -> Mail:
    return Mail(
        subject=_l("Your report about a page that you could not use"),
        paragraphs=(_l("Hello,"), _l("You told us of a page of our portal that you could not use."), words),
        path="/accessibilite",
    )
