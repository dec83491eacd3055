"""The CSV file of payments, read line by line: UTF-8, `;`, a header (docs/billing-settlement.md). Pure: writes nothing.

A file that is not one is refused as a whole; a line that is wrong is refused alone, with the reason.
"""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from portal import delimited
from services.billing.bill_file import LONGEST_TEXT, Refusal, Wrong, check_text, day, needed
from services.billing.models import SOURCES
from services.billing.settlement.models import LINE_KINDS

COLUMNS: Final = (
    "finess",
    "kind",
    "psp",
    "account",
    "psp_ref",
    "number",
    "reference",
    "source",
    "exer",
    "amount_cents",
    "means",
    "on",
    "note",
)
PSPS: Final = ("payfip", "stripe")
FROM_PES: Final = "pes"
"""`means` of what the accountant's own file tells: his encashments include those made on the portal."""

_CENTS = re.compile(r"[0-9]{1,12}", re.ASCII)
_YEAR = re.compile(r"[0-9]{4}", re.ASCII)
_AT_A_PROVIDER = ("online", "rejected")


class PaymentLine(NamedTuple):
    """One line that holds together. amount_cents: 0 when the file does not say, which only closings may."""

    line: int
    finess: str
    kind: str
    key: str
    psp: str
    account: str
    psp_ref: str
    number: str
    source: str
    exer: str
    reference: str
    amount_cents: int
    means: str
    happened_on: date
    note: str

    def __repr__(self) -> str:  # a log line names no payment of anybody
        return f"PaymentLine({self.line})"


def read(source: Path | bytes) -> Iterator[PaymentLine | Refusal]:
    """The lines of a file, or of what one holds. Raises NotSuchAFile before the first when it is not such a file."""
    with delimited.opened(source) as file:
        file.need(COLUMNS)
        for number, cells, wrong in file.picked(COLUMNS):
            yield Refusal(number, "", wrong) if wrong else _line(number, dict(zip(COLUMNS, cells, strict=True)))


def _line(number: int, cells: dict[str, str]) -> PaymentLine | Refusal:
    try:
        for name, text in cells.items():
            check_text(name, text)
        return _payment(number, cells)
    except Wrong as wrong:
        named = cells["reference"] or cells["psp_ref"] or cells["number"]
        return Refusal(number, named[:LONGEST_TEXT], str(wrong), cells["finess"][:LONGEST_TEXT])


def _payment(number: int, cells: dict[str, str]) -> PaymentLine:
    kind = cells["kind"]
    if kind not in LINE_KINDS:
        raise Wrong(f"kind: {', '.join(LINE_KINDS)}")
    key = _operation(cells) if kind in _AT_A_PROVIDER else _bill(cells)
    if kind == "elsewhere":
        key = f"{key}|{cells['number'] or cells['on']}"
    return PaymentLine(
        line=number,
        finess=needed("finess", cells["finess"]),
        kind=kind,
        key=key,
        psp=cells["psp"],
        account=cells["account"],
        psp_ref=cells["psp_ref"],
        number=cells["number"],
        source=cells["source"],
        exer=cells["exer"],
        reference=cells["reference"],
        amount_cents=_amount(cells["amount_cents"], must=kind in _AT_A_PROVIDER),
        means=cells["means"],
        happened_on=_day(cells["on"]),
        note=cells["note"],
    )


def _operation(cells: dict[str, str]) -> str:
    """Names what happened at a provider: by its own name for it, else by the number on the bank statement."""
    if cells["psp"] not in PSPS:
        raise Wrong(f"psp: {', '.join(PSPS)}")
    needed("account", cells["account"])
    if not (cells["psp_ref"] or cells["number"]):
        raise Wrong("psp_ref or number: one of them is needed")
    return f"{cells['psp']}|{cells['psp_ref'] or 'number ' + cells['number']}"


def _bill(cells: dict[str, str]) -> str:
    """Names a bill as the billing system does."""
    if cells["source"] not in SOURCES:
        raise Wrong(f"source: {', '.join(SOURCES)}")
    if not _YEAR.fullmatch(cells["exer"]):
        raise Wrong("exer: four digits")
    return f"{cells['source']}|{cells['exer']}|{needed('reference', cells['reference'])}"


def _amount(text: str, *, must: bool) -> int:
    if not text and not must:
        return 0
    if not _CENTS.fullmatch(text):
        raise Wrong("amount_cents: a whole number of cents")
    if must and int(text) == 0:
        raise Wrong("amount_cents: above zero")
    return int(text)


def _day(text: str) -> date:
    found = day(needed("on", text))
    if found is None:
        raise Wrong("on: a day as YYYY-MM-DD")
    return found
