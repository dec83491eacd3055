"""Stripe Checkout as one of the means of payment: its hosted page, so that no card number ever comes to us.

docs.stripe.com/checkout/fulfillment: an order is believed paid when its session, read again, says so.
"""

from datetime import UTC, datetime, timedelta

from stripe.params.checkout import SessionCreateParams

from portal.gateways import OutcomeUnknown, Refused, Unavailable
from portal.gateways.payments.contract import KeepExchange, Mode
from portal.gateways.payments.means import (
    CURRENCY,
    Answer,
    Counter,
    Dead,
    Ending,
    NotYetKnown,
    Opened,
    Order,
    Refund,
)
from portal.gateways.payments.stripe_account import StripeAccount
from portal.gateways.payments.stripe_fields import Fields, Unreadable
from portal.gateways.payments.stripe_line import StripeLine

LEAST_CENTS = 50  # docs.stripe.com/currencies: the least charge in EUR
MOST_CENTS = 99_999_999  # eight digits
SHORTEST_PAGE = timedelta(minutes=30)  # docs.stripe.com/api/checkout/sessions/create: 30 minutes to 24 hours
_STEP = timedelta(minutes=28)
_TO_BREATHE = timedelta(minutes=2)  # between our clock and theirs
_EXPANDED = ["payment_intent.latest_charge.balance_transaction"]
_LOCALES = {"fr", "en", "es"}
_SAID_OF_REFUNDS = {
    "pending": "pending",
    "requires_action": "pending",
    "succeeded": "done",
    "failed": "failed",
    "canceled": "cancelled",
}


class StripeMeans:
    """`Means` over Checkout Sessions. A counter's `account` is the account's name at Stripe, its `secret` the key."""

    psp = "stripe"
    least_cents = LEAST_CENTS
    most_cents = MOST_CENTS

    def __init__(self, line: StripeLine) -> None:
        self._line = line
        self.site = line.site
        self.account = StripeAccount(line)

    def open(self, order: Order, *, exchange: KeepExchange | None = None) -> Opened:
        """See `Means.open`. The same key and words give the same session back, for 24 hours."""
        _check_key(order.counter)
        with self._line.asking(order.counter, "checkout.open", OutcomeUnknown, exchange) as client:
            made = client.v1.checkout.sessions.create(_session(order), {"idempotency_key": order.key})
            found = Fields(made)
            return Opened(found.text("id"), found.text("url"), _moment(found.whole("expires_at")))

    def result(self, psp_ref: str, counter: Counter, *, exchange: KeepExchange | None = None) -> Answer:
        """See `Means.result`. A session that the account does not hold is `Refused`, not `Dead`: Stripe forgets none,
        so the key opens another account than the one where the payer may have paid."""
        with self._line.asking(counter, "checkout.result", Unavailable, exchange) as client:
            found = Fields(client.v1.checkout.sessions.retrieve(psp_ref, {"expand": _EXPANDED}))
            return _answer(found, counter)

    def page_url(self, psp_ref: str) -> str:
        """Told by `open` alone."""
        return ""

    def close(self, psp_ref: str, counter: Counter, *, exchange: KeepExchange | None = None) -> None:
        """See `Means.close`."""
        try:
            with self._line.asking(counter, "checkout.close", Unavailable, exchange) as client:
                client.v1.checkout.sessions.expire(psp_ref)
        except Refused as refused:
            try:
                self.result(psp_ref, counter, exchange=exchange)
            except Dead:
                return  # closed already
            except NotYetKnown:
                raise refused from None
            raise Refused("too_late", "somebody has paid") from refused

    def refund(
        self,
        answer_number: str,
        amount_cents: int,
        *,
        key: str,
        counter: Counter,
        exchange: KeepExchange | None = None,
    ) -> Refund:
        """See `Means.refund`. answer_number: `Answer.number`, the payment at Stripe."""
        with self._line.asking(counter, "refund.create", OutcomeUnknown, exchange) as client:
            made = client.v1.refunds.create(
                {
                    "payment_intent": answer_number,
                    "amount": amount_cents,
                    "reason": "requested_by_customer",
                    "metadata": {"refund": key},
                },
                {"idempotency_key": key},
            )
            return refund_read(Fields(made))

    def refund_of(self, psp_ref: str, counter: Counter, *, exchange: KeepExchange | None = None) -> Refund:
        """What became of a refund: a pure read. Raises `Refused`, `Unavailable`."""
        with self._line.asking(counter, "refund.result", Unavailable, exchange) as client:
            return refund_read(Fields(client.v1.refunds.retrieve(psp_ref)))

    def name_of(self, counter: Counter, *, exchange: KeepExchange | None = None) -> str:
        """See `Means.name_of`: the name on the payers' statements and the account's own."""
        _check_key(counter)
        with self._line.asking(counter, "account", Unavailable, exchange) as client:
            found = Fields(client.v1.accounts.retrieve_current())
            account = found.text("id")
            if counter.account.startswith("acct_") and counter.account != account:
                raise Refused("account", f"this key opens the account {account}")
            profile, settings = found.child("business_profile"), found.child("settings")
            dashboard = settings.child("dashboard") if settings else None
            name = (profile.maybe("name") if profile else "") or (dashboard.maybe("display_name") if dashboard else "")
            return f"{name} ({account})" if name else account


def refund_read(found: Fields) -> Refund:
    """One refund, in everybody's words. Raises `Unreadable`."""
    state = _SAID_OF_REFUNDS.get(found.text("status"))
    if state is None:
        raise Unreadable
    return Refund(
        psp_ref=found.text("id"),
        payment_ref=found.id_of("payment_intent"),
        amount_cents=found.whole("amount"),
        state=state,
        failure=found.maybe("failure_reason"),
    )


def _check_key(counter: Counter) -> None:
    """A test key never opens a true payment, nor a live one a test. Raises `Refused`."""
    kind = counter.secret.split("_")[1:2]
    if (kind == ["test"] and not counter.is_test) or (kind == ["live"] and counter.is_test):
        raise Refused("mode", "the key and the mode of this source do not go together")


def _session(order: Order) -> SessionCreateParams:
    """What Stripe is told: references and amounts. No word about care, no name."""
    named = {"order": order.key, "reference": order.reference, "account": order.counter.account}
    asked: SessionCreateParams = {
        "mode": "payment",
        "ui_mode": "hosted_page",
        "client_reference_id": order.reference,
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": CURRENCY.lower(),
                    "unit_amount": item.amount_cents,
                    "product_data": {"name": f"Facture {item.reference}"},
                },
            }
            for item in order.items
        ],
        # Cards (and the telephones that hold one): what is paid later or in several times has other rules.
        "allowed_payment_method_types": ["card"],
        "adaptive_pricing": {"enabled": False},
        "submit_type": "pay",
        "locale": order.locale if order.locale in _LOCALES else "fr",
        "expires_at": int(_closing(order, datetime.now(UTC)).timestamp()),
        "success_url": order.return_url,
        "cancel_url": order.cancel_url,
        "metadata": named,
        # Events about refunds and disputes know the payment alone.
        "payment_intent_data": {"description": f"Facture {order.reference}", "metadata": named},
    }
    if order.email:
        asked["customer_email"] = order.email
    return asked


def _closing(order: Order, now: datetime) -> datetime:
    """When the page closes: a moment that a second call some minutes later finds again, since other words under the
    same key are refused. 32 to 60 minutes from now."""
    if order.closes_at is not None and order.closes_at >= now + SHORTEST_PAGE:
        return order.closes_at
    soonest = now + SHORTEST_PAGE + _TO_BREATHE
    step = int(_STEP.total_seconds())
    return datetime.fromtimestamp(-(-int(soonest.timestamp()) // step) * step, UTC)


def _answer(found: Fields, counter: Counter) -> Answer:
    """Raises `Dead`, `NotYetKnown`, `Unreadable`."""
    paid, status = found.text("payment_status"), found.maybe("status")
    intent = found.child("payment_intent")
    if paid == "unpaid":
        return _unpaid(found, status, intent, counter)
    ending = Ending.PAID if paid == "paid" and intent is not None else Ending.UNHEARD_OF
    return _told(found, intent, counter, ending, paid)


def _unpaid(found: Fields, status: str, intent: Fields | None, counter: Counter) -> Answer:
    if status == "expired":
        raise Dead("expired", "the page was closed before anybody paid")
    if status == "complete" and intent and intent.text("status") in ("requires_payment_method", "canceled"):
        return _told(found, intent, counter, Ending.REFUSED, intent.text("status"))
    raise NotYetKnown(status or "open", "nobody has paid yet")


def _told(found: Fields, intent: Fields | None, counter: Counter, ending: Ending, code: str) -> Answer:
    charge = intent.child("latest_charge") if intent else None
    balance = charge.child("balance_transaction") if charge else None
    named = found.child("metadata")
    moved = ending is Ending.PAID and intent is not None
    return Answer(
        psp_ref=found.text("id"),
        ending=ending,
        code=code,
        amount_cents=intent.whole("amount_received") if moved and intent else found.whole("amount_total"),
        currency=found.text("currency").upper(),
        reference=found.maybe("client_reference_id"),
        account=named.maybe("account") if named else "",
        mode=_mode(found.flag("livemode"), counter),
        means=_means(charge),
        paid_at=_moment(charge.whole("created")) if charge else None,
        number=intent.text("id") if intent else "",
        fee_cents=balance.whole("fee") if balance else None,
        numbers=_numbers(intent, charge, balance),
    )


def _mode(live: bool, counter: Counter) -> str:
    """Stripe knows test and live; the first true payment of a source (X) is live like the others."""
    if not live:
        return Mode.TEST.value
    return Mode.PRODUCTION.value if counter.is_test else counter.mode


def _means(charge: Fields | None) -> str:
    details = charge.child("payment_method_details") if charge else None
    return "direct_debit" if details and details.maybe("type") == "sepa_debit" else "card"


def _numbers(intent: Fields | None, charge: Fields | None, balance: Fields | None) -> dict[str, str]:
    """Stripe's other names for the payment, and of the card its brand and last four digits."""
    numbers = {
        "payment": intent.text("id") if intent else "",
        "charge": charge.text("id") if charge else "",
        "balance": balance.text("id") if balance else "",
    }
    details = charge.child("payment_method_details") if charge else None
    card = details.child("card") if details else None
    if card:
        numbers |= {"brand": card.maybe("brand"), "last4": card.maybe("last4")}
    return {name: value for name, value in numbers.items() if value}


def _moment(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise Unreadable from None
