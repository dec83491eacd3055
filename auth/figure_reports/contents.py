"""What a report holds: masked numbers and the words of that time, as JSON that is written once."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask_babel import force_locale

from portal import kpi
from portal.establishments import establishments
from portal.kpi import Definition, Figure, disclosure
from portal.kpi.disclosure import Hidden, Span
from portal.kpi.shared import SharedFigure, shared

MONTHS = 13
_LANGUAGES = ("fr", "en")


def content(establishment_id: UUID, month: date) -> dict[str, Any]:
    """Every figure of the catalogue at this hospital, over the month and the twelve before it. month: its first day."""
    spans = months(month)
    figures = shared(kpi.definitions(), spans, [establishment_id], hospitals=[each.id for each in establishments()])
    return {
        "months": [first.isoformat() for first, _last in spans],
        "figures": [_written(each, spans) for each in sorted(figures, key=lambda each: each.definition.code)],
    }


def months(month: date) -> list[Span]:
    """The month and the twelve before it, oldest first. month: its first day."""
    first = month
    for _number in range(MONTHS - 1):
        first = (first - timedelta(days=1)).replace(day=1)
    return disclosure.months(first, (month + timedelta(days=31)).replace(day=1) - timedelta(days=1))


def digest(written: Mapping[str, Any]) -> bytes:
    """SHA-256 of the JSON with sorted keys, without spaces, in ASCII."""
    return hashlib.sha256(json.dumps(written, sort_keys=True, separators=(",", ":")).encode()).digest()


def _written(figure: SharedFigure, spans: Sequence[Span]) -> dict[str, Any]:
    definition = figure.definition
    return {
        "code": definition.code,
        "version": kpi.version_of(definition.code),
        "unit": definition.unit,
        "portal": definition.portal,
        "events": sorted({*definition.events, *([definition.event] if definition.event else [])}),
        "words": {locale: _words(definition, locale) for locale in _LANGUAGES},
        "cells": [_cell(figure.cells[span]) for span in spans],
    }


def _words(definition: Definition, locale: str) -> list[str]:
    with force_locale(locale):
        return [str(definition.title), str(definition.numerator), str(definition.denominator)]


def _cell(cell: Figure | Hidden | None) -> Any:
    """`few`, `total`, `rate`; null when not fed; else numerator and denominator."""
    if isinstance(cell, Hidden):
        return cell.value
    return None if cell is None else [cell.numerator, cell.denominator]


def read(written: Mapping[str, Any], establishment_id: UUID, locale: str) -> list[tuple[SharedFigure, int]]:
    """The figures of a report as they were told, with their versions, in this language."""
    spans = [month for first in written["months"] for month in [_month(date.fromisoformat(first))]]
    return [(_figure(each, spans, establishment_id, locale), each["version"]) for each in written["figures"]]


def _month(first: date) -> Span:
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _figure(each: Mapping[str, Any], spans: Sequence[Span], establishment_id: UUID, locale: str) -> SharedFigure:
    title, numerator, denominator = each["words"].get(locale) or each["words"]["en"]
    definition = Definition(
        each["code"], title, numerator, denominator, _not_computed, unit=each["unit"], portal=each["portal"],
        events=tuple(each["events"]),
    )  # fmt: skip
    cells = {span: _read_cell(cell) for span, cell in zip(spans, each["cells"], strict=True)}
    return SharedFigure(definition, None if each["portal"] else establishment_id, cells)


def _read_cell(cell: Any) -> Figure | Hidden | None:
    if isinstance(cell, str):
        return Hidden(cell)
    return None if cell is None else Figure(*cell)


def _not_computed(_period: kpi.Period) -> Figure:
    raise AssertionError("a report is read as it was told")
