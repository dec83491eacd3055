"""What somebody asked about their bills, for the copy of their data."""

from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from auth.account import export
from auth.account.export import Entry, Fact, Part
from portal.db import session
from services.billing.models import Bill
from services.billing.questions import wording
from services.billing.questions.models import BillQuestion, BillQuestionMessage


def declare() -> None:
    export.contribute("bill_questions", part)


def part(patient_id: UUID) -> Part:
    """Each message, with what it is about, oldest first."""
    rows = session.execute(
        select(BillQuestionMessage, BillQuestion)
        .join(BillQuestion, BillQuestion.id == BillQuestionMessage.question_id)
        .join(Bill, Bill.id == BillQuestion.bill_id)
        .options(joinedload(BillQuestion.bill))
        .where(Bill.patient_id == patient_id)
        .order_by(BillQuestionMessage.at, BillQuestionMessage.id)
    )
    return Part(
        "bill_questions", _l("Questions about bills and their answers"), [_entry(said, asked) for said, asked in rows]
    )


def _entry(said: BillQuestionMessage, asked: BillQuestion) -> Entry:
    facts = [
        Fact("bill_reference", _l("Bill"), asked.bill.reference),
        Fact("kind", _l("About"), asked.kind, wording.KINDS[asked.kind]),
        Fact("written_at", _l("Written"), said.at),
        Fact("from_hospital", _l("Written by the hospital"), said.from_staff),
        Fact("text", _l("Message"), said.text),
    ]
    return Entry(f"{asked.bill.reference} – {wording.KINDS[asked.kind]}", facts)
