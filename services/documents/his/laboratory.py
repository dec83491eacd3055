"""The results of an ORU message as rows (OBX of types NM, SN, ST, CE…), for the table beside the report. Pure.

HL7 v2.5, chapter 7: 7.4.2 (OBX); 2.A.66 (SN); tables 0078 (OBX-8) and 0085 (OBX-11).
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final
from zoneinfo import ZoneInfo

from portal.gateways.his import hl7v2
from portal.gateways.his.hl7v2 import Message, NotHl7, Segment
from services.documents.his.message import META
from services.documents.reading.results import Row

_TYPES: Final = frozenset({"NM", "SN", "ST", "TX", "FT", "CE", "CWE", "CNE"})
_NOT_SAID: Final = frozenset({"D", "W", "X", "I", "N", "O"})
"""Deleted, wrong, impossible, pending, not asked, order detail: nothing that was measured."""
MAX_ROWS: Final = 500


def rows(message: Message, tz: ZoneInfo) -> list[Row]:
    """In the order of the message, under the titles of its orders (OBR-4); at most 500."""
    return [row for row, _rank in zip(_rows(message, tz), range(MAX_ROWS), strict=False)]


def _rows(message: Message, tz: ZoneInfo) -> Iterator[Row]:
    group = ""
    for line in message.segments:
        if line.name == "OBR":
            group = line.value(4, 2)
        elif line.name == "OBX" and _is_result(line):
            yield _row(line, group, tz)


def _is_result(line: Segment) -> bool:
    is_said = line.value(11).upper() not in _NOT_SAID and line.value(3, 3) != META
    return is_said and line.value(2).upper() in _TYPES and bool(line.value(3)) and bool(line.raw(5))


def _row(line: Segment, group: str, tz: ZoneInfo) -> Row:
    code, label = _named(line)
    value, number = _value(line)
    low, high = _ends(line.value(7))
    return Row(
        label=label or code,
        code=code,
        value=value,
        number=number,
        unit=line.value(6),
        range=line.value(7),
        low=low,
        high=high,
        flag=line.value(8).upper(),
        at=_moment(line.value(14), tz),
        group=group,
    )


def _named(line: Segment) -> tuple[str, str]:
    """The national code (LOINC) when one of the two is, else the laboratory's own; the laboratory's words."""
    own = line.value(3, 2) or line.value(3, 5)
    return (line.value(3, 4) if line.value(3, 6) == "LN" else line.value(3)), own


def _value(line: Segment) -> tuple[str, Decimal | None]:
    kind = line.value(2).upper()
    if kind == "SN":
        parts = (line.value(5, 1), line.value(5, 2), line.value(5, 3), line.value(5, 4))
        number = _number(parts[1]) if not (parts[0] or parts[3]) else None
        return "".join((f"{parts[0]} " if parts[0] else "", *parts[1:])), number
    if kind in ("CE", "CWE", "CNE"):
        return line.value(5, 2) or line.value(5), None
    said = "\n".join(line.value(5, 1, rank) for rank in range(1, line.repetitions(5) + 1))
    return said, _number(said) if kind == "NM" else None


def _number(text: str) -> Decimal | None:
    try:
        found = Decimal(text.replace(",", ".")) if len(text) <= 30 else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def _ends(text: str) -> tuple[Decimal | None, Decimal | None]:
    """Of `0.27-4.20`, `<5`, `>60`: the ends that it has."""
    said = text.replace(" ", "")
    if said[:1] in ("<", "≤"):
        return None, _number(said.lstrip("<≤="))
    if said[:1] in (">", "≥"):
        return _number(said.lstrip(">≥=")), None
    low, dash, high = said[1:].partition("-")
    return (_number(said[0] + low), _number(high)) if dash else (None, None)


def _moment(text: str, tz: ZoneInfo) -> datetime | None:
    try:
        return hl7v2.moment(text, tz) if text else None
    except NotHl7:
        return None
