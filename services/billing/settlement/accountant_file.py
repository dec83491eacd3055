"""What the public accountant tells of titres (PES retour), as lines of payments. Pure."""

from collections.abc import Iterator
from pathlib import Path

from services.billing.bill_file import Refusal
from services.billing.pes import returns
from services.billing.pes.returns import Emargement
from services.billing.settlement.payment_file import FROM_PES, PaymentLine


def read(source: Path | bytes, *, finess: str = "") -> Iterator[PaymentLine | Refusal]:
    """Each encashment on a titre. finess: the hospital, where the file does not say. Raises NotSuchAFile."""
    for each in returns.read(source, finess=finess):
        yield each if isinstance(each, Refusal) else _line(each)


def _line(each: Emargement) -> PaymentLine:
    whole, of_line = each.references
    named = each.encashment or f"{each.paid_on}|{each.amount_cents}"
    return PaymentLine(
        line=each.at_line,
        finess=each.finess,
        kind="elsewhere",
        key=f"titre|{each.exer}|{of_line}|{each.post}|{named}",
        psp="",
        account=each.place,
        psp_ref="",
        number=each.encashment,
        source="titre",
        exer=each.exer,
        reference=whole,
        amount_cents=each.amount_cents,
        means=FROM_PES,
        happened_on=each.paid_on,
        note=of_line,
    )


def is_one(head: bytes) -> bool:
    """Whether a file that begins so is the accountant's XML, and not a CSV."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"
