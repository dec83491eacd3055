"""The shape of the treasury's file, version 1 (docs/billing-settlement.md). Pure: the same rows give the same bytes.

CSV: `;`, UTF-8 with its mark, decimal comma, CRLF. One line for each movement (or each bill of one), then a line of
totals. Its words are the accountants', in French whatever the language of the screen: they are part of the format.
"""

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from io import StringIO
from typing import Final

VERSION: Final = 1
COLUMNS: Final = (
    "lot",
    "jour",
    "ecriture",
    "finess",
    "etablissement",
    "compte",
    "source",
    "reference",
    "exercice",
    "refdet",
    "nature",
    "moyen",
    "brut",
    "frais",
    "net",
    "vers_banque",
    "operation",
    "numero",
    "instant",
    "note",
    "test",
)
NATURES: Final = {
    "payment": "paiement",
    "rejection": "impaye",
    "refund": "remboursement",
    "refund_failed": "remboursement_revenu",
    "dispute": "litige",
    "dispute_won": "litige_gagne",
    "dispute_fee": "frais_de_litige",
    "fee": "frais",
    "payout": "virement",
}
_MEANS: Final = {"card": "CB", "direct_debit": "prelevement"}
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would run a text that begins so."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """Whole cents. gross: received from payers (below zero: given back). fee: kept by the provider. net: what the
    provider owes the hospital more, or the bank holds more. bank: what reached the hospital's bank."""

    gross: int = 0
    fee: int = 0
    net: int = 0
    bank: int = 0

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of a batch, in facts; `moved_at` on the hospital's clock."""

    entry: str
    finess: str
    establishment: str
    account: str
    source: str
    reference: str
    exer: str
    refdet: str
    kind: str
    psp: str
    means: str
    psp_ref: str
    number: str
    moved_at: datetime
    note: str
    is_test: bool
    amounts: Amounts


def cells(number: int, day: date, movement: Movement) -> list[str]:
    """The line as it is printed, cell by cell."""
    amounts = movement.amounts
    return [
        str(number),
        day.isoformat(),
        movement.entry,
        movement.finess,
        _text(movement.establishment),
        _text(movement.account),
        _text(movement.source),
        _text(movement.reference),
        movement.exer,
        _text(movement.refdet),
        NATURES[movement.kind],
        "Stripe" if movement.psp == "stripe" else _MEANS.get(movement.means, movement.means),
        euros(amounts.gross),
        euros(amounts.fee),
        euros(amounts.net),
        euros(amounts.bank),
        _text(movement.psp_ref),
        _text(movement.number),
        movement.moved_at.isoformat(timespec="seconds"),
        _text(movement.note),
        "oui" if movement.is_test else "non",
    ]


def euros(cents: int) -> str:
    """`-1234` → `-12,34`: no thousands separator, no sign of currency."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole},{rest:02d}"


def _text(value: str) -> str:
    """One line, and nothing that a spreadsheet would run."""
    flat = " ".join(value.split())
    return f"'{flat}" if flat.startswith(_FORMULAS) else flat


def file_bytes(lines: Iterable[Sequence[str]], total: Amounts) -> bytes:
    """The whole file: header, lines, totals."""
    out = StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    count = 0
    for line in lines:
        writer.writerow(line)
        count += 1
    writer.writerow(_trailer(count, total))
    return out.getvalue().encode("utf-8-sig")


def _trailer(count: int, total: Amounts) -> list[str]:
    said: Mapping[str, str] = {
        "lot": "TOTAL",
        "jour": str(count),
        "brut": euros(total.gross),
        "frais": euros(total.fee),
        "net": euros(total.net),
        "vers_banque": euros(total.bank),
    }
    return [said.get(name, "") for name in COLUMNS]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
