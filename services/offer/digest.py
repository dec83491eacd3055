"""What of the directory waits for agents."""

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, literal, null, select

from auth.digests.sources import Waiting, offer
from services.offer.models import ErrorReport
from services.offer.states import RECEIVED


def declare() -> None:
    label = _l("Errors reported in the directory of the hospitals")
    offer(Waiting("offer_reports", label, "administration", "admin_offer.tray", _reports))


def _reports(_now: datetime) -> Select[Any]:
    """The administrators of the hospital answer; no delay was promised."""
    row = ErrorReport
    columns: tuple[Any, ...] = (row.establishment_id, null(), row.created_at, literal(value=False))
    return select(*columns).where(row.state == RECEIVED)
