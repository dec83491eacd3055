"""What requests hold about a person, for the copy of their data."""

from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from auth.account import export
from auth.account.export import Entry, Fact, Part
from portal.db import session
from portal.files import StoredFile
from services.appointments.requests import queries
from services.appointments.requests.models import AppointmentRequest, RequestMessage
from services.appointments.requests.wording import STATES
from services.appointments.wishes.wording import in_words


def declare() -> None:
    export.contribute("appointment_requests", part)


def part(patient_id: UUID) -> Part:
    """Every request, what was written about it, and the letters."""
    rows = session.scalars(
        select(AppointmentRequest)
        .options(
            joinedload(AppointmentRequest.establishment),
            joinedload(AppointmentRequest.unit),
            joinedload(AppointmentRequest.reason),
        )
        .where(AppointmentRequest.patient_id == patient_id)
        .order_by(AppointmentRequest.sent_at)
    ).all()
    letters = session.scalars(
        select(StoredFile)
        .join(RequestMessage, RequestMessage.file_id == StoredFile.id)
        .where(RequestMessage.request_id.in_([each.id for each in rows]), StoredFile.state == "clean")
    ).all()
    return Part("appointment_requests", _l("Requests for appointments"), [_entry(each) for each in rows], letters)


def _entry(each: AppointmentRequest) -> Entry:
    facts = [
        Fact("reference", _l("Reference"), each.reference),
        Fact("hospital", _l("Hospital"), each.establishment.name),
        Fact("unit", _l("Unit"), each.unit.name),
        Fact("reason", _l("Reason"), each.reason.name if each.reason else ""),
        Fact("sent_at", _l("Sent on"), each.sent_at.astimezone(each.tz)),
        Fact("state", _l("State"), each.state, STATES[each.state]),
        Fact("wishes", _l("Days and hours"), in_words(each.wishes)),
        Fact("phone", _l("Phone"), each.phone),
        Fact("messages", _l("Messages"), [message.text for message in queries.messages(each) if message.text]),
    ]
    return Entry(f"{each.unit.name} – {each.reference}", facts)
