"""What the waiting list holds about a person, for the copy of their data."""

from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from auth.account import export
from auth.account.export import Entry, Fact, Part
from portal.db import session
from services.appointments.waiting import queries
from services.appointments.waiting.models import WaitingEntry
from services.appointments.waiting.wording import STATES
from services.appointments.wishes.wording import in_words


def declare() -> None:
    export.contribute("waiting_list", part)


def part(patient_id: UUID) -> Part:
    """Everything they waited for, and how many times were offered."""
    rows = session.scalars(
        select(WaitingEntry)
        .options(joinedload(WaitingEntry.establishment), joinedload(WaitingEntry.unit), joinedload(WaitingEntry.reason))
        .where(WaitingEntry.patient_id == patient_id)
        .order_by(WaitingEntry.entered_at)
    ).all()
    offers = queries.offers([each.id for each in rows])
    return Part("waiting_list", _l("Waiting list"), [_entry(each, len(offers[each.id])) for each in rows])


def _entry(each: WaitingEntry, offered: int) -> Entry:
    facts = [
        Fact("hospital", _l("Hospital"), each.establishment.name),
        Fact("unit", _l("Unit"), each.unit.name),
        Fact("reason", _l("Reason"), each.reason.name),
        Fact("entered_at", _l("Since"), each.entered_at.astimezone(each.tz)),
        Fact("until_on", _l("Until"), each.until_on),
        Fact("wishes", _l("Days and hours"), in_words(each.wishes, with_spans=False)),
        Fact("state", _l("State"), each.state, STATES[each.state]),
        Fact("offers", _l("Times offered"), offered),
    ]
    return Entry(f"{each.unit.name} – {each.reason.name}", facts)
