"""What a patient and the units wrote to each other, for the copy of their data."""

from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from auth.account import export
from auth.account.export import Entry, Fact, Part
from portal.db import session
from services.documents.exchanges.models import Exchange, ExchangeFile, ExchangeMessage


def declare() -> None:
    export.contribute("exchanges", part)


def part(patient_id: UUID) -> Part:
    """Each message of each thread, oldest first, with its files."""
    files = selectinload(ExchangeMessage.files).joinedload(ExchangeFile.file)
    rows = session.execute(
        select(ExchangeMessage, Exchange)
        .join(Exchange, Exchange.id == ExchangeMessage.exchange_id)
        .options(files, joinedload(Exchange.unit), joinedload(Exchange.establishment))
        .where(Exchange.patient_id == patient_id)
        .order_by(ExchangeMessage.sent_at, ExchangeMessage.id)
    ).all()
    joined = {each.file.id: each.file for said, _thread in rows for each in said.files if each.file.state == "clean"}
    entries = [_entry(said, thread) for said, thread in rows]
    return Part("exchanges", _l("Messages with hospital units"), entries, list(joined.values()))


def _entry(said: ExchangeMessage, thread: Exchange) -> Entry:
    facts = [
        Fact("reference", _l("Reference"), thread.reference),
        Fact("hospital", _l("Hospital"), thread.establishment.name),
        Fact("unit", _l("Unit"), thread.unit_name),
        Fact("author", _l("Author"), said.author_name),
        Fact("written_at", _l("Written"), said.sent_at),
        Fact("text", _l("Message"), said.text),
    ]
    return Entry(thread.subject, facts)
