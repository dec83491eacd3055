"""What every means of payment does, whichever provider stands behind it: PayFiP, Stripe, a third one.

A means takes a payment on its own pages and tells the result when it is asked. What a browser, a notification or a
webhook says is never believed: it only makes us ask.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from portal.gateways import Refused
from portal.gateways.payments.contract import KeepExchange

CURRENCY = "EUR"


class Ending(StrEnum):
    """What became of a payment. PAID and DEBIT_ACCEPTED move money; REFUSED and ABANDONED may still become PAID."""

    PAID = "paid"
    DEBIT_ACCEPTED = "debit_accepted"  # an order that the bank took, not cash yet
    REFUSED = "refused"
    ABANDONED = "abandoned"
    UNHEARD_OF = "unheard_of"  # a result that we do not know: a human looks at it


MOVES_MONEY = frozenset({Ending.PAID, Ending.DEBIT_ACCEPTED})


class NotYetKnown(Refused):
    """Not paid, being paid, or dropped: ask again later."""


class Dead(Refused):
    """The provider does not know this operation any more, or has closed it: nobody can pay it from now on."""


class Impossible(Exception):
    """This means cannot do what was asked: PayFiP gives nothing back."""


@dataclass(frozen=True, slots=True)
class Counter:
    """Where the money goes. account: PayFiP's `numcli`, or the name of a Stripe account. mode: T, X or W (`Mode`).

    secret: the key that opens the account, if it takes one; never logged, never kept.
    """

    account: str
    mode: str
    secret: str = field(default="", repr=False)

    @property
    def is_test(self) -> bool:
        return self.mode == "T"


@dataclass(frozen=True, slots=True)
class Item:
    """One bill of an order: the reference that the payer reads on the letter, and whole cents."""

    reference: str
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be paid in one go. No word about care, no name of a patient.

    key: names this order for ever, stored before the call, so that a call made again is the same call. reference:
    6 to 30 letters and digits (PayFiP's `refdet`). exer: four digits. `return_url` takes the browser back, paid or
    not; `cancel_url` where the provider tells the two apart; `notify_url` where it takes one per order. closes_at:
    when the page should close, where we choose; drawn once, so that the call made again says the same.
    """

    key: str
    reference: str
    exer: str
    items: tuple[Item, ...]
    email: str
    locale: str
    counter: Counter
    notify_url: str
    return_url: str
    cancel_url: str
    closes_at: datetime | None = None

    @property
    def amount_cents(self) -> int:
        return sum(item.amount_cents for item in self.items)


@dataclass(frozen=True, slots=True)
class Opened:
    """The provider knows the order. psp_ref: its own name for it. page_url: where the payer's browser goes.

    expires_at: when the page closes (UTC), or None when the provider does not say.
    """

    psp_ref: str
    page_url: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider says of one order. Believe nothing of it before `differences` is empty.

    code: the provider's own word for the ending. account, mode: see `Counter`. means: `card` or `direct_debit`.
    paid_at: UTC, as precise as the provider is. number: what the payer's bank statement or ticket shows. fee_cents:
    what the provider keeps of it, None when it does not say. numbers: its other names (payment, charge, …).
    """

    psp_ref: str
    ending: Ending
    code: str
    amount_cents: int
    currency: str
    reference: str
    account: str
    mode: str
    means: str = "card"
    paid_at: datetime | None = None
    number: str = ""
    fee_cents: int | None = None
    numbers: Mapping[str, str] = field(default_factory=dict)

    def differences(
        self, *, psp_ref: str, reference: str, amount_cents: int, currency: str, counter: Counter
    ) -> tuple[str, ...]:
        """Names of the fields in which this answer is not about what was asked: any one means quarantine."""
        asked = {
            "psp_ref": psp_ref,
            "reference": reference,
            "amount_cents": amount_cents,
            "currency": currency,
            "account": counter.account,
            "mode": counter.mode,
        }
        return tuple(name for name, value in asked.items() if getattr(self, name) != value)


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back, as the provider tells it. state: pending, done, failed, cancelled. `failure`: its own code."""

    psp_ref: str
    payment_ref: str
    amount_cents: int
    state: str
    failure: str = ""


class Means(Protocol):
    """One way to pay. Safe to share between threads; opens no connection before it is asked to.

    psp: its name in the ledger (`payfip`, `stripe`). site: the origin of the pages where payers go. least_cents,
    most_cents: what it takes in one payment.
    """

    psp: str
    site: str
    least_cents: int
    most_cents: int

    def open(self, order: Order, *, exchange: KeepExchange | None = None) -> Opened:
        """Make the order known. The same order sent again opens nothing new, or nothing that could be paid twice.

        Raises `Refused` (a field is wrong; the provider's code), `Unavailable` (nothing sent), `OutcomeUnknown`
        (perhaps opened).
        """

    def result(self, psp_ref: str, counter: Counter, *, exchange: KeepExchange | None = None) -> Answer:
        """Ask what became of an order: a pure read.

        Raises `NotYetKnown`, `Dead`, `Refused` (any other code), `Unavailable`.
        """

    def page_url(self, psp_ref: str) -> str:
        """The page of an order when its address follows from its name; "" when it was told by `open` alone."""

    def close(self, psp_ref: str, counter: Counter, *, exchange: KeepExchange | None = None) -> None:
        """Make the order impossible to pay, where the provider can; else do nothing. Raises `Refused` (too late),
        `Unavailable`."""

    def refund(
        self,
        answer_number: str,
        amount_cents: int,
        *,
        key: str,
        counter: Counter,
        exchange: KeepExchange | None = None,
    ) -> Refund:
        """Give money back; `key` names the refund for ever. Raises `Impossible`, `Refused`, `Unavailable`,
        `OutcomeUnknown`."""

    def name_of(self, counter: Counter, *, exchange: KeepExchange | None = None) -> str:
        """The name that the provider knows behind an account: the "test the connection" button.

        Raises `Refused`, `Unavailable`.
        """


Family = Mapping[str, Means]
"""The means this portal knows, by `psp`."""


def family(means: Collection[Means]) -> Family:
    return {one.psp: one for one in means}
