"""What the house itself keeps for no room: uploads that no form took, the words of messages that have left."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal import files_erasing
from portal.catalog.legal.models import AccessibilityReport
from portal.db import session
from portal.files import StoredFile
from portal.kpi import forgetting, searches
from portal.notifications import Notification
from portal.retention.registry import Due, Rule, offer


def declare() -> None:
    offer(
        Rule(
            "unattached_file",
            _l("Uploads that no form took"),
            _l("Counted from the upload"),
            2, _uploads, _erase_upload, of_portal=True,
        ),
        Rule(
            "message_words",
            _l("Words of messages that were sent"),
            _l("Counted from the sending; that something was sent, and when, stays known"),
            30, _messages, _empty_message, of_portal=True,
        ),
        Rule(
            "counted_event",
            _l("Events behind the figures"),
            _l("By whole months, once they are closed; what was counted of them stays"),
            forgetting.KEPT_DAYS, _months, _forget_month, of_portal=True,
        ),
        Rule(
            "accessibility_report",
            _l("Reports about pages that somebody could not use"),
            _l("Counted from the answer, with the address of whoever asked for one"),
            365, _reports, _erase_report, of_portal=True,
        ),
        Rule(
            "missed_search",
            _l("Words that people looked for and did not find"),
            _l("By whole months: words that eleven searches had, without whoever looked"),
            searches.KEPT_DAYS, _searched_months, _forget_searches, of_portal=True,
        ),
    )  # fmt: skip


def _uploads(_place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    """Usually none: they are deleted every hour after a day; what resisted is erased here, with its proof."""
    found = select(StoredFile.id).where(
        StoredFile.attached_at.is_(None), StoredFile.created_at < before, StoredFile.state != "erased"
    )
    return [Due(each) for each in session.scalars(found.limit(limit))]


def _erase_upload(file_id: UUID, before: datetime) -> bool:
    stored = session.get(StoredFile, file_id, with_for_update={"key_share": True}, populate_existing=True)
    if stored is None or stored.attached_at is not None or stored.created_at >= before:
        return False
    files_erasing.erase_later(stored)
    return True


def _messages(_place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    rows = session.execute(
        select(Notification.id, Notification.patient_id)
        .where(Notification.created_at < before, Notification.body != "")
        .order_by(Notification.created_at)
        .limit(limit)
    )
    return [Due(each, frozenset({patient_id}) if patient_id else frozenset()) for each, patient_id in rows]


def _empty_message(message_id: UUID, before: datetime) -> bool:
    message = session.get(Notification, message_id, with_for_update={"key_share": True}, populate_existing=True)
    if message is None or message.created_at >= before or not message.body:
        return False
    message.body = ""
    session.flush()
    return True


def _reports(_place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    ended = select(AccessibilityReport.id).where(AccessibilityReport.ended_at < before)
    return [Due(each) for each in session.scalars(ended.limit(limit))]


def _erase_report(report_id: UUID, before: datetime) -> bool:
    found = session.get(AccessibilityReport, report_id, with_for_update={"key_share": True}, populate_existing=True)
    if found is None or found.ended_at is None or found.ended_at >= before:
        return False
    session.delete(found)
    session.flush()
    return True


def _months(_place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    """A month of events goes as one thing, which holds nothing of anybody."""
    return [Due(forgetting.month_id(month)) for month in forgetting.forgettable(before, limit)]


def _forget_month(month_id: UUID, before: datetime) -> bool:
    return forgetting.forget(forgetting.month_of_id(month_id), before)


def _searched_months(_place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    return [Due(forgetting.month_id(month)) for month in searches.old_months(before, limit)]


def _forget_searches(month_id: UUID, before: datetime) -> bool:
    return searches.forget(forgetting.month_of_id(month_id), before)
