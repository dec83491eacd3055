"""What waits for somebody in the back-office of bills: how many, and where to go."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from services.billing.disputes import queries as disputes
from services.billing.office import queries as office
from services.billing.questions import queries as questions
from services.billing.refunds import queries as refunds
from services.billing.settlement import queries as settlement


@dataclass(frozen=True)
class Tile:
    """One thing that waits: shown with its count, a link when there is some."""

    title: Any
    detail: Any
    number: int
    href: str


def counted(places: Collection[UUID], unanswered_before: datetime) -> Sequence[Tile]:
    """Every tray, in the order in which they are looked at, the empty ones too."""
    return [*_payments(places, unanswered_before), *_people(places), *_money_back(places)]


def _payments(places: Collection[UUID], unanswered_before: datetime) -> list[Tile]:
    found = office.waiting(places, unanswered_before)
    watch, overpaid = url_for("admin_billing.watch"), url_for("admin_bill_refunds.overpaid")
    differences = settlement.open_count(places)
    return [
        Tile(_l("Payments to check"), _l("The answer does not match what was asked"), found.to_review, watch),
        Tile(_l("Without an answer for over an hour"), _l("The result is not known"), found.unanswered, watch),
        Tile(_l("Bills that received too much"), _l("To give back, or to explain"), found.overpaid, overpaid),
        Tile(
            _l("Differences to explain"),
            _l("Between the provider, the ledger and the files"),
            differences,
            url_for("admin_settlement.differences"),
        ),
    ]


def _people(places: Collection[UUID]) -> list[Tile]:
    found = questions.counts(places)
    late = found.get("late", 0)
    detail = ngettext("of which one is late", "of which %(num)d are late", late) if late else _l("To answer")
    return [Tile(_l("Questions of payers"), detail, found.get("open", 0), url_for("admin_bill_questions.tray"))]


def _money_back(places: Collection[UUID]) -> list[Tile]:
    waiting = refunds.counts(places)
    tray = url_for("admin_bill_refunds.tray")
    open_disputes = disputes.to_answer(places)
    transfers = url_for("admin_bill_refunds.tray", etat="to_transfer")
    return [
        Tile(_l("Refunds to approve"), _l("By another person than who asked"), waiting["to_approve"], tray),
        Tile(_l("Refunds to transfer"), _l("By the public accountant"), waiting["to_transfer"], transfers),
        Tile(_l("Disputes"), _l("To answer by a deadline"), open_disputes, url_for("admin_bill_disputes.disputes")),
    ]
