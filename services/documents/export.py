"""What this room holds about a person, for the copy of their data: their letters, with the files as they came."""

from collections.abc import Sequence
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from auth.account import export
from auth.account.export import Entry, Fact, Part
from portal import db
from portal.db import session
from portal.files import StoredFile
from services.documents.models import Document

_SHOWN = ("filed", "superseded")
"""What stands in the hospital's tray is not the person's yet: nobody has said that it is theirs. Nor do they learn
here of a result that their doctor is to tell them first."""


def declare() -> None:
    export.contribute("documents", part)


def part(patient_id: UUID) -> Part:
    """Letters on the shelf, and the versions that they replaced."""
    rows = session.scalars(
        select(Document)
        .options(joinedload(Document.establishment), joinedload(Document.file), joinedload(Document.content))
        .where(
            Document.patient_id == patient_id,
            Document.state.in_(_SHOWN),
            Document.visible_at <= db.now(),
            ~Document.visibility.contains(["INVISIBLE_PATIENT"]),
        )
        .order_by(Document.authored_at)
    ).all()
    return Part("documents", _l("Letters and reports"), [_entry(each) for each in rows], _files(rows))


def _files(rows: Sequence[Document]) -> list[StoredFile]:
    """The envelope as it came, and the letter inside it when there is one: each once, readable ones only."""
    found = {
        stored.id: stored
        for each in rows
        for stored in (each.file, each.content)
        if stored is not None and stored.state == "clean"
    }
    return list(found.values())


def _entry(each: Document) -> Entry:
    facts = [
        Fact("title", _l("Title"), each.title),
        Fact("hospital", _l("Hospital"), each.establishment.name),
        Fact("author", _l("Author"), each.author_name),
        Fact("type", _l("Kind of document"), each.type_label),
        Fact("authored_at", _l("Written on"), each.authored_at),
        Fact("received_at", _l("Received"), each.received_at),
        Fact("version", _l("Version"), each.version),
        Fact("state", _l("State"), each.state),
        Fact("unique_id", _l("Number of the document"), each.unique_id),
    ]
    return Entry(each.title, facts)
