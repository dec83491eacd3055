"""What a person deposited, for the copy of their data: each deposit with its pages as they were sent."""

from uuid import UUID

from flask_babel import lazy_gettext as _l

from auth.account import export
from auth.account.export import Entry, Fact, Part
from services.documents.deposits import queries
from services.documents.deposits.queries import Deposited


def declare() -> None:
    export.contribute("deposits", part)


def part(patient_id: UUID) -> Part:
    """All their deposits, those they threw away left out."""
    found = [each for each in queries.of_patient(patient_id) if each.piece.state != "purged" or each.deposit.sent_at]
    files = {page.file_id: page.file for each in found for page in each.piece.pages if page.file.state == "clean"}
    return Part("deposits", _l("Documents you sent to hospitals"), [_entry(each) for each in found], [*files.values()])


def _entry(each: Deposited) -> Entry:
    deposit = each.deposit
    facts = [
        Fact("title", _l("Title"), deposit.title),
        Fact("reference", _l("Reference"), deposit.reference),
        Fact("hospital", _l("Hospital"), deposit.establishment.name),
        Fact("unit", _l("Unit"), deposit.unit.name if deposit.unit else ""),
        Fact("kind", _l("Kind of document"), deposit.kind),
        Fact("note", _l("Your word"), deposit.note),
        Fact("asked_text", _l("What the unit asked for"), deposit.asked_text),
        Fact("asked_at", _l("Asked on"), deposit.asked_at),
        Fact("due_on", _l("To send before"), deposit.due_on),
        Fact("sent_at", _l("Sent on"), deposit.sent_at),
        Fact("state", _l("State"), each.state),
    ]
    return Entry(deposit.title, facts)
