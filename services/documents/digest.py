"""What of this room waits for agents."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import false, func, null, select

from auth.digests.sources import Rows, Waiting, civil_day, offer
from portal.establishments import Establishment
from services.documents.exchanges.models import Exchange
from services.documents.models import RIGHT, Document
from services.documents.requests.kinds import DESKS
from services.documents.requests.models import RecordRequest
from services.documents.requests.states import RUNNING


def declare() -> None:
    offer(
        Waiting("documents", _l("Letters to sort"), RIGHT, "admin_documents.tray", _letters),
        Waiting("exchanges", _l("Messages to answer"), RIGHT, "admin_exchanges.exchanges", _messages),
        Waiting("record_requests", _l("Requests of patients"), RIGHT, "admin_record_requests.tray", _of_patients),
        Waiting("user_requests", _l("Complaints and thanks"), "administration", "admin_user_requests.tray", _of_users),
    )


def _letters(_now: datetime) -> Rows:
    """No unit is known before they are sorted, and nothing was promised."""
    return select(Document.establishment_id, null(), Document.received_at, false()).where(Document.state == "tray")


def _messages(now: datetime) -> Rows:
    row = Exchange
    late = func.coalesce(row.answer_by < now, False)
    waits = row.state.in_(("received", "opened"))
    return select(row.establishment_id, row.unit_id, row.changed_at, late).where(waits)


def _of_patients(now: datetime) -> Rows:
    return _requests(DESKS[0], now)


def _of_users(now: datetime) -> Rows:
    return _requests(DESKS[1], now)


def _requests(desk: str, now: datetime) -> Rows:
    row = RecordRequest
    since = func.coalesce(row.sent_at, row.created_at)
    return (
        select(row.establishment_id, null(), since, row.due_on < civil_day(now))
        .join(Establishment, Establishment.id == row.establishment_id)
        .where(row.desk == desk, row.state.in_(RUNNING))
    )
