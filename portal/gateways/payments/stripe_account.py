"""What happens to money after it was paid: the account's events, refunds, disputes, payouts and movements.

All are pure reads. A movement (Stripe's balance transaction) is what truly happened to the account, in cents of its
currency: its `net` is what Stripe adds to, or takes from, what it owes the hospital.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from stripe.params import BalanceTransactionListParams, EventListParams

from portal.gateways import Unavailable
from portal.gateways.payments.contract import KeepExchange
from portal.gateways.payments.means import Counter
from portal.gateways.payments.stripe_fields import Fields, Unreadable
from portal.gateways.payments.stripe_line import StripeLine
from portal.gateways.payments.stripe_signature import Event, event_read

PAGE = 100
_MOST_PAGES = 100

EVENTS = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
    "payout.paid",
    "payout.failed",
    "payout.reconciliation_completed",
)
"""The kinds of event that we act upon; what the webhook endpoint at Stripe must send."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One balance transaction. kind: Stripe's `reporting_category` (charge, refund, refund_failure, dispute,
    dispute_reversal, payout, payout_reversal, fee, …). amount = net + fee; refunds and disputes are negative.

    source: the charge, refund, dispute or payout behind it. payment_ref: the payment of a charge, "" of the others.
    """

    id: str
    kind: str
    amount_cents: int
    fee_cents: int
    net_cents: int
    currency: str
    source: str
    created_at: datetime
    payment_ref: str = ""


@dataclass(frozen=True, slots=True)
class Dispute:
    """The payer's bank takes money back. state: Stripe's word (`needs_response`, `won`, `lost`, …). respond_by: the
    hospital's last moment to answer, at Stripe's site."""

    psp_ref: str
    payment_ref: str
    charge: str
    amount_cents: int
    currency: str
    state: str
    reason: str
    movements: tuple[Movement, ...]
    respond_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Payout:
    """Money sent to the hospital's bank. state: `paid`, `pending`, `in_transit`, `canceled`, `failed`."""

    psp_ref: str
    amount_cents: int
    currency: str
    state: str
    arrives_at: datetime
    movement: str
    returned_by: str  # the movement that brought a failed payout back


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """A refund and the movements behind it; `returned_by`: the one that brought a failed refund back."""

    psp_ref: str
    payment_ref: str
    amount_cents: int
    currency: str
    state: str
    movement: str
    returned_by: str
    failure: str
    key: str


class StripeAccount:
    """Reads of one Stripe address; shares its line with `StripeMeans`, so one breaker stands for both."""

    def __init__(self, line: StripeLine) -> None:
        self._line = line

    def events_since(
        self, counter: Counter, since: int, *, after: str = "", exchange: KeepExchange | None = None
    ) -> list[Event]:
        """Events created from `since` on (seconds since 1970), newest first; `after` continues a former page.

        At most `PAGE` of them. Raises `Refused`, `Unavailable`.
        """
        with self._line.asking(counter, "events", Unavailable, exchange) as client:
            asked: EventListParams = {"created": {"gte": since}, "types": list(EVENTS), "limit": PAGE}
            if after:
                asked["starting_after"] = after
            page = Fields(client.v1.events.list(asked))
            return [event_read(one) for one in page.children("data")]

    def refund(self, psp_ref: str, counter: Counter, *, exchange: KeepExchange | None = None) -> RefundFacts:
        """Raises `Refused`, `Unavailable`."""
        with self._line.asking(counter, "refund", Unavailable, exchange) as client:
            return _refund(Fields(client.v1.refunds.retrieve(psp_ref)))

    def refunds_of(
        self, payment: str, counter: Counter, *, exchange: KeepExchange | None = None
    ) -> tuple[RefundFacts, ...]:
        """Every refund of one payment. Raises `Refused`, `Unavailable`."""
        with self._line.asking(counter, "refunds", Unavailable, exchange) as client:
            page = Fields(client.v1.refunds.list({"payment_intent": payment, "limit": PAGE}))
            return tuple(_refund(one) for one in page.children("data"))

    def dispute(self, psp_ref: str, counter: Counter, *, exchange: KeepExchange | None = None) -> Dispute:
        """Raises `Refused`, `Unavailable`."""
        with self._line.asking(counter, "dispute", Unavailable, exchange) as client:
            return _dispute(Fields(client.v1.disputes.retrieve(psp_ref)))

    def payout(self, psp_ref: str, counter: Counter, *, exchange: KeepExchange | None = None) -> Payout:
        """Raises `Refused`, `Unavailable`."""
        with self._line.asking(counter, "payout", Unavailable, exchange) as client:
            return _payout(Fields(client.v1.payouts.retrieve(psp_ref)))

    def movement(self, psp_ref: str, counter: Counter, *, exchange: KeepExchange | None = None) -> Movement:
        """Raises `Refused`, `Unavailable`."""
        with self._line.asking(counter, "movement", Unavailable, exchange) as client:
            return _movement(Fields(client.v1.balance_transactions.retrieve(psp_ref)))

    def movements_of(
        self, payout: str, counter: Counter, *, exchange: KeepExchange | None = None
    ) -> Iterator[Movement]:
        """What a payout is made of, page by page: their nets add up to nothing, the payout's own being among them.

        Raises `Refused`, `Unavailable`.
        """
        after = ""
        for _ in range(_MOST_PAGES):
            with self._line.asking(counter, "movements", Unavailable, exchange) as client:
                asked: BalanceTransactionListParams = {"payout": payout, "limit": PAGE, "expand": ["data.source"]}
                if after:
                    asked["starting_after"] = after
                page = Fields(client.v1.balance_transactions.list(asked))
                found, more = [_movement(one) for one in page.children("data")], page.flag("has_more")
            yield from found
            if not more or not found:
                return
            after = found[-1].id


def _refund(found: Fields) -> RefundFacts:
    named = found.child("metadata")
    return RefundFacts(
        psp_ref=found.text("id"),
        payment_ref=found.id_of("payment_intent"),
        amount_cents=found.whole("amount"),
        currency=found.text("currency").upper(),
        state=found.text("status"),
        movement=found.id_of("balance_transaction"),
        returned_by=found.id_of("failure_balance_transaction"),
        failure=found.maybe("failure_reason"),
        key=named.maybe("refund") if named else "",
    )


def _dispute(found: Fields) -> Dispute:
    evidence = found.child("evidence_details")
    respond_by = evidence.whole("due_by") if evidence and evidence.has("due_by") else 0
    return Dispute(
        psp_ref=found.text("id"),
        payment_ref=found.id_of("payment_intent"),
        charge=found.id_of("charge"),
        amount_cents=found.whole("amount"),
        currency=found.text("currency").upper(),
        state=found.text("status"),
        reason=found.maybe("reason"),
        movements=tuple(_movement(one) for one in found.children("balance_transactions")),
        respond_by=datetime.fromtimestamp(respond_by, UTC) if respond_by else None,
    )


def _payout(found: Fields) -> Payout:
    return Payout(
        psp_ref=found.text("id"),
        amount_cents=found.whole("amount"),
        currency=found.text("currency").upper(),
        state=found.text("status"),
        arrives_at=datetime.fromtimestamp(found.whole("arrival_date"), UTC),
        movement=found.id_of("balance_transaction"),
        returned_by=found.id_of("failure_balance_transaction"),
    )


def _movement(found: Fields) -> Movement:
    source = found.child("source")
    charge = source if source and source.maybe("object") == "charge" else None
    made = Movement(
        id=found.text("id"),
        kind=found.text("reporting_category"),
        amount_cents=found.whole("amount"),
        fee_cents=found.whole("fee"),
        net_cents=found.whole("net"),
        currency=found.text("currency").upper(),
        source=found.id_of("source"),
        created_at=datetime.fromtimestamp(found.whole("created"), UTC),
        payment_ref=charge.id_of("payment_intent") if charge else "",
    )
    if made.net_cents != made.amount_cents - made.fee_cents:
        raise Unreadable
    return made
