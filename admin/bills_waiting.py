"""What waits for somebody in the back-office of bills: how many, and where to go."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import lazy_gettext as _l

from services.billing.office import queries as office


@dataclass(frozen=True)
class Tile:
    """One thing that waits: shown with its count, a link when there is some."""

    title: Any
    detail: Any
    number: int
    href: str


def counted(places: Collection[UUID], unanswered_before: datetime) -> Sequence[Tile]:
    """Every tray, in the order in which they are looked at, the empty ones too."""
    found = office.waiting(places, unanswered_before)
    watch = url_for("admin_billing.watch")
    return [
        Tile(
            _l("Payments to check"),
            _l("The provider’s answer does not match what was asked"),
            found.to_review,
            watch,
        ),
        Tile(
            _l("Without an answer for over an hour"),
            _l("The provider has not told the result"),
            found.unanswered,
            watch,
        ),
        Tile(
            _l("Bills that received too much"),
            _l("To give back, or to set against another bill"),
            found.overpaid,
            url_for("admin_billing.bills", etat="overpaid"),
        ),
    ]
