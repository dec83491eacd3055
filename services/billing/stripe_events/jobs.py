"""What follows from an event: the object is read again at Stripe, and its state decides, never the message.

Order does not matter, copies do no harm, and what never came is found by the sweep of each account's list of events,
which Stripe keeps for thirty days.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from portal import db, jobs
from portal.config import Settings
from portal.gateways import Refused, Unavailable
from portal.gateways.payments.means import Counter, NotYetKnown
from portal.gateways.payments.stripe_account import PAGE
from portal.gateways.payments.stripe_signature import Event
from services.billing import jobs as payments
from services.billing.models import SETTLED, PaymentAttempt
from services.billing.sources import queries as sources
from services.billing.stripe_events import actions, queries
from services.billing.stripe_events.models import StripeEvent

FIRST_LOOK_BACK = timedelta(days=3)
OVERLAP = timedelta(minutes=15)
"""Events may be listed a little after their moment, and clocks differ."""
_MOST_PAGES = 500
_FORGOTTEN_AFTER = timedelta(minutes=10)
_ENQUEUED_AGAIN = 200

Done = tuple[str, str]
"""An event's last state and the note that goes with it."""


@dataclass
class _Secrets:
    of_environment: Sequence[str] = ()


_secrets = _Secrets()


def configure(settings: Settings) -> None:
    _secrets.of_environment = queries.secrets_in(settings.stripe_webhook_secrets.get_secret_value())


def secrets_of_environment() -> Sequence[str]:
    return _secrets.of_environment


# -- one event ---------------------------------------------------------------------------------------------------


@jobs.task("billing.act_on_stripe_event")
def act(event_id: str) -> None:
    """Draw the consequences of one event. Safe to run twice: each consequence is."""
    with db.transaction(db.system("billing.stripe_event")) as current:
        event = current.get_one(StripeEvent, UUID(event_id))
        obstacle = queries.obstacle(event)
    if event.state != "waiting":
        return
    try:
        state, note = obstacle or _follow(event)
    except Refused as refused:
        state, note = "to_review", refused.code
    with db.transaction(db.system("billing.stripe_event")):
        actions.conclude(event.id, state, note)


def _follow(event: StripeEvent) -> Done:
    kind = event.type
    followers: dict[str, Callable[[StripeEvent], Done]] = {
        "checkout.session.": _settle,
        "refund.": lambda event: _ask_later(event, "billing.hear_refund"),
        "charge.refunded": _look_for_refunds,
        "charge.dispute.": lambda event: _ask_later(event, "billing.hear_dispute"),
        "payout.": lambda event: _ask_later(event, "billing.hear_payout"),
    }
    follow = next((follower for prefix, follower in followers.items() if kind.startswith(prefix)), None)
    return follow(event) if follow else ("ignored", "kind")


def _settle(event: StripeEvent) -> Done:
    """The one door for money, then what Stripe keeps of it."""
    with db.transaction(db.system("billing.stripe_event")):
        attempt = queries.attempt_of(event.object_id)
        if attempt is None:
            return "ignored", "unknown"
        if attempt.establishment_id != event.establishment_id:
            return "to_review", "establishment"
        counter = sources.same_counter(attempt.establishment_id, "stripe", attempt.numcli, attempt.mode)
    if payments.settle(attempt.id) in SETTLED:
        _book_fee(attempt, counter)
    return "done", ""


def _book_fee(attempt: PaymentAttempt, counter: Counter) -> None:
    try:
        answer = payments.stripe().result(attempt.psp_ref or "", counter)
    except NotYetKnown:
        return
    with db.transaction(db.system("billing.stripe_event")):
        actions.book_fee(attempt, answer)


def _look_for_refunds(event: StripeEvent) -> Done:
    """The event speaks of a charge: its payment's refunds are each asked about."""
    with db.transaction(db.system("billing.stripe_event")):
        counter = sources.stripe_counter(event.establishment_id)
    assert counter is not None, "an event without an account was ignored before"
    found = payments.stripe().account.refunds_of(event.payment_ref, counter)
    with db.transaction(db.system("billing.stripe_event")):
        for refund in found:
            _enqueue(event, "billing.hear_refund", refund.psp_ref)
    return "done", ""


def _ask_later(event: StripeEvent, job: str) -> Done:
    with db.transaction(db.system("billing.stripe_event")):
        _enqueue(event, job, event.object_id)
    return "done", ""


def _enqueue(event: StripeEvent, job: str, psp_ref: str) -> None:
    jobs.enqueue(job, establishment_id=str(event.establishment_id), psp_ref=psp_ref)


# -- what never came ---------------------------------------------------------------------------------------------


@jobs.periodic("*/10 * * * *", "billing.sweep_stripe")
def sweep() -> None:
    """Look for events that no webhook brought, and for those that nobody acted upon."""
    with jobs.reading():
        for place in queries.accounts():
            jobs.enqueue("billing.sweep_stripe_account", establishment_id=str(place))
        for event in queries.waiting_since(db.now() - _FORGOTTEN_AFTER, _ENQUEUED_AGAIN):
            jobs.enqueue("billing.act_on_stripe_event", event_id=str(event.id))


@jobs.task("billing.sweep_stripe_account")
def sweep_account(establishment_id: str) -> None:
    """Read the account's events since the last time. A sweep that is cut begins again where the last one ended."""
    place = UUID(establishment_id)
    with db.transaction(db.system("billing.stripe_sweep")):
        counter, read_until = sources.stripe_counter(place), queries.read_until(place)
    if counter is None:
        return
    try:
        found = _events(counter, (read_until or db.now() - FIRST_LOOK_BACK) - OVERLAP)
    except (Refused, Unavailable) as trouble:
        _say_trouble(place, trouble.code if isinstance(trouble, Refused) else "away")
        return
    newest = max((event.created_at for event in found), default=None)
    with db.transaction(db.system("billing.stripe_sweep")):
        for event in reversed(found):
            actions.receive(place, event, "sweep")
        actions.mark_swept(place, read_until=datetime.fromtimestamp(newest, UTC) if newest else None)


def _events(counter: Counter, since: datetime) -> list[Event]:
    """Newest first. Raises Refused, Unavailable."""
    found: list[Event] = []
    for _ in range(_MOST_PAGES):
        after = found[-1].id if found else ""
        page = payments.stripe().account.events_since(counter, int(since.timestamp()), after=after)
        found += page
        if len(page) < PAGE:
            break
    return found


def _say_trouble(place: UUID, trouble: str) -> None:
    with db.transaction(db.system("billing.stripe_sweep")):
        actions.mark_swept(place, trouble=trouble)
