"""How long reports of errors are kept, with the addresses of those who asked for an answer."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select

from portal import retention
from portal.db import session
from portal.retention import Due, Rule
from services.offer.models import ErrorReport, ErrorReportChange


def declare() -> None:
    retention.offer(
        Rule(
            "offer_report",
            _l("Errors reported in the directory of the hospitals"),
            _l("Counted from the answer, with the address of whoever asked for one"),
            180, _due, _purge, most=730,
        )
    )  # fmt: skip


def _due(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    old = select(ErrorReport.id).where(ErrorReport.establishment_id == place, ErrorReport.ended_at < before)
    return [Due(each) for each in session.scalars(old.order_by(ErrorReport.ended_at).limit(limit))]


def _purge(report_id: UUID, before: datetime) -> bool:
    found = session.get(ErrorReport, report_id, with_for_update={"key_share": True})
    if found is None or found.ended_at is None or found.ended_at >= before:
        return False
    session.execute(delete(ErrorReportChange).where(ErrorReportChange.report_id == report_id))
    session.delete(found)
    session.flush()
    return True
