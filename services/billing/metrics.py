"""Numbers for `/status/metrics`: payments without an answer, those that need somebody, differences with the files of
payments."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from prometheus_client.core import Metric
from sqlalchemy import func, select

from portal import db
from portal.db import session
from portal.web.measuring import gauge, measure
from services.billing.models import LIVE, PaymentAttempt
from services.billing.settlement.models import SettlementDifference

_UNANSWERED: Final = timedelta(hours=1)


def register() -> None:
    """Once a process."""
    measure("billing.metrics", _read)


def _read() -> Iterator[Metric]:
    live = PaymentAttempt.state.in_(LIVE)
    counted = select(
        func.count().filter(live),
        func.count().filter(live, PaymentAttempt.created_at < db.now() - _UNANSWERED),
        func.count().filter(PaymentAttempt.state == "to_review"),
    ).where(PaymentAttempt.state.in_((*LIVE, "to_review")))
    under_way, unanswered, to_review = session.execute(counted).one()
    open_ones = select(func.count()).select_from(SettlementDifference).where(SettlementDifference.state == "open")
    differences = session.scalar(open_ones) or 0
    yield gauge("parvis_payments_in_progress", "Payments begun, of which the provider has not said the end", under_way)
    yield gauge("parvis_payments_unanswered", "Those of them that are older than an hour", unanswered)
    yield gauge("parvis_payments_to_review", "Payments whose answer does not match what was asked", to_review)
    yield gauge("parvis_payment_differences", "Differences between ledger and files that nobody explained", differences)
