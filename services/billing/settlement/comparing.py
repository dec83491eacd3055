"""Where a provider's file and the ledger do not say the same. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

EXPECTED_WITHIN = timedelta(days=5)
"""A payment that no file has told of by then, although files of its counter came, is one to look at."""


@dataclass(frozen=True, slots=True)
class Said:
    """One payment as one side tells it, at its counter; `day` is the hospital's civil day."""

    psp: str
    account: str
    psp_ref: str
    reference: str
    day: date
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A line of a file, and the movement of the ledger that is the same payment. is_ours: whether we opened such an
    operation, when the ledger has nothing of it."""

    subject: str
    filed: Said
    booked: Said | None
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference: its kind (`models.DIFFERENCES`), what names it within its kind, and both amounts in cents."""

    kind: str
    subject: str
    psp: str
    account: str
    day: date
    reference: str
    file_cents: int
    ledger_cents: int


def differences(pairs: Iterable[Pair], without_file: Iterable[Said]) -> Iterator[Finding]:
    """What to look at: nothing when each payment is told of once on each side, with one amount at one counter."""
    for pair in pairs:
        yield from _of_pair(pair)
    for said in without_file:
        yield _finding("not_in_file", f"{said.psp}|{said.psp_ref}", said, 0, said.amount_cents)


def _of_pair(pair: Pair) -> Iterator[Finding]:
    filed, booked = pair.filed, pair.booked
    if booked is None:
        yield _finding(
            "not_in_ledger" if pair.is_ours else "unknown_reference", pair.subject, filed, filed.amount_cents, 0
        )
        return
    if filed.amount_cents != booked.amount_cents:
        yield _finding("amount", pair.subject, booked, filed.amount_cents, booked.amount_cents)
    if filed.account != booked.account:
        yield _finding("counter", pair.subject, booked, filed.amount_cents, booked.amount_cents)


def _finding(kind: str, subject: str, said: Said, file_cents: int, ledger_cents: int) -> Finding:
    return Finding(kind, subject, said.psp, said.account, said.day, said.reference, file_cents, ledger_cents)


@dataclass(frozen=True, slots=True)
class Totals:
    """What one day of one counter comes to, in cents and payments, as each of the three tells it.

    told: the provider, asked payment by payment. ledger: our books. file: its daily file. has_file: whether any file
    of that counter has told of this day, or of a later one.
    """

    told_cents: int = 0
    told: int = 0
    ledger_cents: int = 0
    ledger: int = 0
    file_cents: int = 0
    file: int = 0
    has_file: bool = False

    @property
    def difference_cents(self) -> int:
        """How far apart the three are, or the first two while no file has come."""
        said = [self.told_cents, self.ledger_cents]
        if self.has_file:
            said.append(self.file_cents)
        return max(said) - min(said)
