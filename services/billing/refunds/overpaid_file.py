"""The list of bills that received too much, for a spreadsheet. Pure.

CSV: `;`, UTF-8 with its mark, decimal comma, CRLF. Its words are the accountants', in French.
"""

import csv
from collections.abc import Iterable
from io import StringIO

from services.billing.refunds.queries import Overpaid

COLUMNS = (
    "finess", "facture", "exercice", "source", "a_rendre", "deja_demande", "depuis", "jours", "paiements", "moyens",
)  # fmt: skip
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def written(bills: Iterable[Overpaid]) -> bytes:
    """The whole file."""
    out = StringIO()
    sheet = csv.writer(out, delimiter=";", lineterminator="\r\n")
    sheet.writerow(COLUMNS)
    for each in bills:
        sheet.writerow(_row(each))
    return out.getvalue().encode("utf-8-sig")


def _row(each: Overpaid) -> list[str]:
    bill = each.bill
    return [
        safe(bill.establishment.finess),
        safe(bill.reference),
        safe(bill.exer),
        safe(bill.bill_source or bill.source),
        amount(each.standing.overpaid_cents),
        amount(each.on_its_way_cents),
        each.since.astimezone(bill.establishment.tz).date().isoformat(),
        str(each.days),
        safe(" ".join(entry.number or entry.psp_ref for entry in each.payments)),
        safe(" ".join(sorted({entry.psp for entry in each.payments}))),
    ]


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula.

    >>> safe("=1+1")
    "'=1+1"
    """
    return f"'{text}" if text.startswith(_FORMULAS) else text


def amount(cents: int) -> str:
    """Euros with a decimal comma.

    >>> amount(123405)
    '1234,05'
    """
    return f"{cents // 100},{cents % 100:02d}"
