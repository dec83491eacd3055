"""What this room holds about a person, for the copy of their data: their files and the pieces they sent."""

from collections.abc import Sequence
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from auth.account import export
from auth.account.export import Entry, Fact, Part
from portal.db import session
from portal.files import StoredFile
from services.pieces.models import Piece
from services.pieces.wording import KINDS, STATES
from services.preadmission import queries, steps, wording
from services.preadmission.models import Preadmission


def declare() -> None:
    export.contribute("preadmissions", part)


def part(patient_id: UUID) -> Part:
    """Every file, drafts included, then every piece."""
    folders = session.scalars(
        select(Preadmission)
        .options(joinedload(Preadmission.establishment), joinedload(Preadmission.unit))
        .where(Preadmission.patient_id == patient_id)
        .order_by(Preadmission.created_at)
    )
    pieces = session.scalars(
        select(Piece)
        .options(selectinload(Piece.pages))
        .where(Piece.patient_id == patient_id)
        .order_by(Piece.changed_at)
    ).all()
    return Part("preadmissions", _l("Pre-admissions"), [*map(_folder, folders), *map(_piece, pieces)], _files(pieces))


def _files(pieces: Sequence[Piece]) -> list[StoredFile]:
    """Each file once: a piece may have been reused from one stay to the next."""
    pages = (page.file for each in pieces for page in each.pages if page.file.state == "clean")
    return list({file.id: file for file in pages}.values())


def _folder(each: Preadmission) -> Entry:
    facts = [
        Fact("reference", _l("Reference"), each.reference),
        Fact("hospital", _l("Hospital"), each.establishment.name),
        Fact("unit", _l("Unit"), each.unit.name),
        Fact("planned_on", _l("Day of the stay"), each.planned_on),
        Fact("stay_kind", _l("Kind of stay"), each.stay_kind, wording.STAY_KINDS.get(each.stay_kind, "")),
        Fact("state", _l("State"), each.state, wording.STATES[each.state][0]),
        *_answers(each),
        Fact("submitted_at", _l("Sent on"), each.submitted_at),
        Fact("decision_reason", _l("Why the hospital decided so"), each.decision_reason),
    ]
    return Entry(f"{each.unit.name} – {each.reference}", facts)


def _answers(each: Preadmission) -> list[Fact]:
    """As they were typed, by step, and in the words of the page."""
    return [
        Fact(f"{step.code}.{rank}", row["key"], str(row["value"]))
        for step, rows in steps.told_of(queries.answers_of(each.id))
        for rank, row in enumerate(rows)
    ]


def _piece(each: Piece) -> Entry:
    facts = [
        Fact("piece", _l("Document"), str(KINDS.get(each.kind, each.kind))),
        Fact("state", _l("State"), each.state, STATES[each.state][0]),
        Fact("expires_on", _l("Valid until"), each.expires_on),
        Fact("refusal_reason", _l("Why it was refused"), each.refusal_reason),
        Fact("file", _l("File"), ", ".join(page.file.name for page in each.pages)),
    ]
    return Entry(str(KINDS.get(each.kind, each.kind)), facts)
