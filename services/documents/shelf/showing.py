"""When a document is shown to its patient: what its hospital decided of its type."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select

from portal import calendar, db
from portal.db import session
from portal.establishments import Establishment
from services.documents.models import Document
from services.documents.shelf.kinds import kind_of
from services.documents.shelf.models import DEFAULT_REMIND_DAYS, DocumentType

_MORNING: Final = time(8)
"""When a document is shown on the day its delay is over: nobody is told of a result at night."""


@dataclass(frozen=True)
class Rules:
    """What holds for one type at one hospital, whether anybody decided it or not (see `DocumentType`)."""

    kind: str
    delay: str = "none"
    delay_days: int = 0
    remind_days: int | None = DEFAULT_REMIND_DAYS
    paper_days: int | None = None
    notifies: bool = True


def rules_for(establishment_id: UUID, type_code: str) -> Rules:
    """The row of this type, else the hospital's row for all others, else what is sensible without any."""
    rows = session.scalars(
        select(DocumentType)
        .where(DocumentType.establishment_id == establishment_id, DocumentType.type_code.in_({type_code, ""}))
        .order_by(DocumentType.type_code.desc())
    ).all()
    if not rows:
        return Rules(kind_of(type_code))
    row = rows[0]
    kind = row.kind if row.type_code == type_code else kind_of(type_code)
    return Rules(kind, row.delay, row.delay_days, row.remind_days, row.paper_days, row.notifies)


def visible_from(rules: Rules, given_at: datetime, hospital: Establishment) -> datetime | None:
    """From when a document given at this moment is shown; None: when an agent says so."""
    if rules.delay == "consultation":
        return None
    if rules.delay == "none" or not rules.delay_days:
        return given_at
    day = calendar.civil_day(given_at, hospital.tz)
    if rules.delay == "business_days":
        day = calendar.business_days_after(day, rules.delay_days, hospital.holiday_rules)
    else:
        day += timedelta(days=rules.delay_days)
    return calendar.to_utc_or_after(day, _MORNING, hospital.tz)


def settle(document: Document) -> None:
    """Say of a document that is being given to its patient what kind it is, and from when they see it."""
    hospital = session.get_one(Establishment, document.establishment_id)
    rules = rules_for(document.establishment_id, document.type_code)
    document.kind = rules.kind
    document.visible_at = visible_from(rules, document.filed_at or db.now(), hospital)
    document.told_at = document.reminded_at = document.posted_at = None
    document.posted_by = ""


def is_shown(document: Document) -> bool:
    """Whether its patient sees it now."""
    return document.visible_at is not None and document.visible_at <= db.now() and not document.is_hidden_from_patient
