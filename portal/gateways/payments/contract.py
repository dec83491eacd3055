"""What a payment door does, whichever counterpart stands behind it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from portal.gateways import Refused


class Mode(StrEnum):
    """PayFiP's `saisie`. There is no separate test platform: T is asked of the production host."""

    TEST = "T"
    ACTIVATION = "X"  # one real payment, to have the client number activated
    PRODUCTION = "W"


class Outcome(StrEnum):
    """PayFiP's `resultrans`. Only PAID and DEBIT_ACCEPTED move money; the others may still become PAID."""

    PAID = "P"
    DEBIT_ACCEPTED = "V"
    REFUSED = "R"
    DEBIT_REFUSED = "Z"
    ABANDONED = "A"
    UNKNOWN_VALUE = "?"  # a code of tomorrow (instant transfer, Wero): to be reviewed by a human


class IdopUnknown(Refused):
    """P1: PayFiP does not know this operation, or purged it because nobody opened it. Final."""


class ResultNotKnownYet(Refused):
    """P5: not paid, being paid, or dropped. Ask again later."""


@dataclass(frozen=True, slots=True)
class Result:
    """What PayFiP says of one operation. Believe nothing of it before `differences` is empty.

    `code` is the raw `resultrans`, `mode` the raw `saisie`, `paid_at` is UTC to the minute (PayFiP gives no
    seconds) and None when absent or unreadable. `exer` comes back cut to two characters: never compare it.
    """

    idop: str
    outcome: Outcome
    code: str
    amount_cents: int
    refdet: str
    numcli: str
    mode: str
    exer: str = ""
    numauto: str | None = None
    paid_at: datetime | None = None

    def differences(self, *, idop: str, refdet: str, numcli: str, amount_cents: int, mode: Mode) -> tuple[str, ...]:
        """Names of the fields in which this answer is not about what was asked: any one means quarantine."""
        asked = {"idop": idop, "refdet": refdet, "numcli": numcli, "amount_cents": amount_cents, "mode": str(mode)}
        return tuple(name for name, value in asked.items() if getattr(self, name) != value)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, kept as evidence: addresses and return URLs are masked.

    `status` is None and `answer` empty when nothing came back. `ending` is "done" or the name of what was raised.
    """

    operation: str
    request: str
    answer: str
    status: int | None
    duration_ms: int
    ending: str


KeepExchange = Callable[[Exchange], None]


class Payments(Protocol):
    """A counterpart that takes a payment on its own pages and tells the result when asked."""

    def create(
        self,
        *,
        exer: str,
        email: str,
        amount_cents: int,
        numcli: str,
        subject: str,
        refdet: str,
        mode: Mode,
        notify_url: str,
        return_url: str,
        exchange: KeepExchange | None = None,
    ) -> str:
        """Open an operation and return its `idop`; the payer has 15 minutes to reach `payment_page_url(idop)`.

        Raises `Refused` (a field is wrong; PayFiP's code), `Unavailable` (nothing sent), `OutcomeUnknown` (perhaps
        opened, but nobody knows its idop, so it cannot be paid: opening another is harmless).
        """

    def result(self, idop: str, *, exchange: KeepExchange | None = None) -> Result:
        """Ask what became of an operation: a pure read.

        Raises `IdopUnknown`, `ResultNotKnownYet`, `Refused` (any other code), `Unavailable`.
        """

    def client(self, numcli: str, *, exchange: KeepExchange | None = None) -> str:
        """The name PayFiP knows behind a client number: the "test the connection" button.

        Raises `Refused` (T1, T2, T4), `Unavailable`.
        """

    def payment_page_url(self, idop: str) -> str:
        """Where the payer's browser goes."""

    def check(self) -> None:
        """Return if the counterpart answers; raise `Unavailable` if not."""
