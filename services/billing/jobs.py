"""The trips to the providers. Each is: look, ask with no transaction open, write down in one transaction.

`settle` is the only way money comes in, whoever calls: a notification, the payer who returns, the clock, an agent,
an operator, an import. It needs no done-mark: the ledger's unique key makes it harmless to run twice, or twelve times
at once.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from portal import db, jobs
from portal.config import Settings
from portal.gateways import LeftAlone, OutcomeUnknown, Refused, Unavailable, payments
from portal.gateways.payments import Exchange
from portal.gateways.payments.means import Answer, Counter, Dead, Family, Means, NotYetKnown, Order
from portal.gateways.payments.stripe_checkout import StripeMeans
from services.billing import actions, queries, states
from services.billing.actions import Silence, Started
from services.billing.models import PaymentAttempt
from services.billing.sources import queries as sources
from services.billing.turns import turn

_POLLED_AT_ONCE = 100
_LEASE = timedelta(minutes=10)
"""An attempt whose job was enqueued is left alone this long; the job itself sets the true next moment."""
_PROVIDER_SECONDS = 8.0
"""Payers wait for an answer this long at most: web threads are few. Whoever is cut is asked about again later."""


class PaymentSiteAway(Exception):
    """The provider could not open a payment now. Nothing was taken; trying again is safe."""


class PaymentRefused(Exception):
    """The provider refuses to open this payment; `code` is its own."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class _Doors:
    """The means of payment, and the portal's own address."""

    means: Family = field(default_factory=dict)
    base_url: str = ""


_doors = _Doors()


def connect(settings: Settings) -> None:
    """Open the payment doors that the environment names. Raises UnsupportedUrl."""
    sources.configure(settings)
    _doors.means = payments.family_of(settings, timeout_seconds=_PROVIDER_SECONDS)
    _doors.base_url = settings.base_url


def means(psp: str) -> Means:
    """The means of that name. Raises KeyError."""
    return _doors.means[psp]


def stripe() -> StripeMeans:
    """Stripe with what it tells of money after it was paid (`StripeMeans.account`)."""
    found = means("stripe")
    assert isinstance(found, StripeMeans)
    return found


def payment_page(attempt: PaymentAttempt) -> str:
    """Where the payer of an open attempt goes."""
    return attempt.page_url or means(attempt.psp).page_url(attempt.psp_ref or "")


# -- opening a payment -------------------------------------------------------------------------------------------


def open_payment_page(started: Started, back: str) -> str:
    """Ask a provider to open an attempt already committed, and return where the payer goes.

    back: the path that takes the payer back, where the return token is appended. Raises PaymentRefused,
    PaymentSiteAway: the attempt is closed, another may begin at once.
    """
    evidence: list[Exchange] = []
    try:
        with db.transaction(db.system("billing.open")):
            order, psp = _order(started, back)
        with turn():
            opened = means(psp).open(order, exchange=evidence.append)
    except Refused as refusal:
        _give_up(started.attempt_id, refusal.code, evidence)
        raise PaymentRefused(refusal.code) from refusal
    except (Unavailable, OutcomeUnknown) as trouble:
        # Perhaps an operation was opened, but nobody knows its name or its page: nobody can pay it.
        _give_up(started.attempt_id, type(trouble).__name__, evidence)
        raise PaymentSiteAway from trouble
    with db.transaction(db.system("billing.open")):
        is_followed = actions.open_payment(started.attempt_id, opened, _last(evidence))
    if not is_followed:
        raise PaymentSiteAway  # this process slept through its time: the payer begins again
    return opened.page_url


def _order(started: Started, back: str) -> tuple[Order, str]:
    attempt = db.session.get_one(PaymentAttempt, started.attempt_id)
    source = sources.source_of(attempt.establishment_id, attempt.source, attempt.bill_source)
    counter = sources.counter_of(source, attempt.psp)
    if counter is None:
        raise Refused("closed", "the counter was closed meanwhile")
    attempt = actions.place(attempt.id, counter)
    return_url = f"{_doors.base_url}{back}/{started.return_token}"
    order = Order(
        key=attempt.key,
        reference=attempt.refdet,
        exer=attempt.exer,
        items=tuple(payments.means.Item(share.bill.reference, share.amount_cents) for share in attempt.shares),
        email=attempt.email,
        locale=attempt.locale,
        counter=counter,
        notify_url=f"{_doors.base_url}/callbacks/{attempt.psp}",
        return_url=return_url,
        cancel_url=return_url,
        closes_at=attempt.created_at + states.PAGE_OPEN_FOR,
    )
    return order, attempt.psp


def _give_up(attempt_id: UUID, code: str, evidence: list[Exchange]) -> None:
    with db.transaction(db.system("billing.open")):
        actions.give_up(attempt_id, code, _last(evidence))


def _last(evidence: list[Exchange]) -> Exchange | None:
    return evidence[-1] if evidence else None


# -- settling ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settled:
    """What an attempt became. silence: why its provider told nothing (`actions.Silence.kind`), "" when it did."""

    state: str
    silence: str = ""


def settle(attempt_id: UUID) -> str:
    """Ask the provider what became of an attempt, draw the consequences, and return the attempt's state."""
    return settle_telling(attempt_id).state


def settle_telling(attempt_id: UUID) -> Settled:
    """`settle`, and why the provider told nothing if it did not."""
    with db.transaction(db.system("billing.settle")) as current:
        attempt = current.get_one(PaymentAttempt, attempt_id)
        counter = sources.same_counter(attempt.establishment_id, attempt.psp, attempt.numcli, attempt.mode)
    if attempt.is_settled or attempt.state == "failed":
        return Settled(attempt.state)
    if attempt.psp_ref is None:
        return Settled(_close_if_lost(attempt))
    evidence: list[Exchange] = []
    answer = _ask(attempt.psp, attempt.psp_ref, counter, evidence)
    with db.transaction(db.system("billing.settle")):
        state = actions.hear(attempt_id, answer, _last(evidence), tests_count=sources.tests_count())
    return Settled(state, answer.kind if isinstance(answer, Silence) else "")


def _ask(psp: str, psp_ref: str, counter: Counter, evidence: list[Exchange]) -> Answer | Silence:
    try:
        with turn():
            return means(psp).result(psp_ref, counter, exchange=evidence.append)
    except NotYetKnown as refusal:
        return Silence("not_yet", refusal.code)
    except Dead as refusal:
        return Silence("dead", refusal.code)
    except Refused as refusal:
        return Silence("trouble", refusal.code)
    except LeftAlone:
        return Silence("left_alone")
    except Unavailable:
        return Silence()


def _close_if_lost(attempt: PaymentAttempt) -> str:
    """The process died between our record and the provider's answer, or is still waiting for it."""
    if db.now() < attempt.created_at + states.CREATION_LOST_AFTER:
        return attempt.state
    with db.transaction(db.system("billing.settle")):
        actions.give_up(attempt.id, "lost")
    return "failed"


@jobs.task("billing.settle")
def settle_later(attempt_id: str) -> None:
    """`settle`, asked for by a notification or by the clock."""
    settle(UUID(attempt_id))


@jobs.periodic("* * * * *", "billing.poll_attempts")
def poll_attempts() -> None:
    """Ask about every attempt whose moment has come: notifications may never come. Safe to run twice at once."""
    now = db.now()
    with jobs.reading():
        for attempt in queries.attempts_due(now, _POLLED_AT_ONCE):
            attempt.next_poll_at = now + _LEASE
            jobs.enqueue("billing.settle", attempt_id=str(attempt.id))
