"""What somebody asked hospitals for, for the copy of their data."""

from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from auth.account import export
from auth.account.export import Entry, Fact, Part
from portal.db import session
from services.documents.requests import states, wording
from services.documents.requests.models import RecordRequest, RecordRequestMessage


def declare() -> None:
    export.contribute("record_requests", part)


def part(patient_id: UUID) -> Part:
    """Each request about the person, with its messages, oldest first."""
    rows = session.scalars(
        select(RecordRequest)
        .options(joinedload(RecordRequest.establishment))
        .where(RecordRequest.patient_id == patient_id, RecordRequest.state != states.DRAFT)
        .order_by(RecordRequest.sent_at, RecordRequest.id)
    ).all()
    return Part("record_requests", _l("Requests to hospitals and their answers"), [_entry(each) for each in rows])


def _entry(request: RecordRequest) -> Entry:
    said = session.scalars(
        select(RecordRequestMessage)
        .where(RecordRequestMessage.request_id == request.id)
        .order_by(RecordRequestMessage.at, RecordRequestMessage.id)
    )
    title = wording.KINDS[request.kind]
    facts = [
        Fact("reference", _l("Reference"), request.reference),
        Fact("hospital", _l("Hospital"), request.establishment.name),
        Fact("kind", _l("Kind of request"), request.kind, title),
        Fact("state", _l("State"), request.state, wording.STATES[request.state][0]),
        Fact("sent_at", _l("Sent"), request.sent_at),
        Fact("closed_at", _l("Answered"), request.closed_at),
        Fact("text", _l("What was written"), request.text),
        Fact(
            "messages", _l("Messages"), "\n".join(f"{each.at.isoformat()} {each.by_name}: {each.text}" for each in said)
        ),
    ]
    return Entry(f"{title} – {request.reference}", facts)
