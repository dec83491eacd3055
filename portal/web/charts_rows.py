"""The geometry of charts that read from top to bottom: ranked bars, and a funnel of steps. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import format_percent

from portal.web.charts import WIDTH, Number, written

NAMES = 196
"""The room for the names, on the left."""
FIGURES = 116
"""The room for what is written on the right of a bar."""
_LINE, _THICK, _FRAME = 34, 20, 8
_LONGEST_NAME = 24
_STEP, _STEP_THICK = 52, 34


@dataclass(frozen=True)
class Row:
    """One bar, its name as the drawing writes it, and what stands on its right."""

    x: float
    y: float
    width: float
    thickness: float
    middle: float
    name: str
    text: str


@dataclass(frozen=True)
class Rows:
    """A drawing, and its figures as rows of a table."""

    drawn: list[Row]
    rows: list[list[str]]
    height: int
    width: int = WIDTH
    names: int = NAMES


def ranked(points: Sequence[Mapping[str, Any]]) -> Rows:
    """A bar per point from left to right, in the order given: label, value and, if its text differs, display."""
    highest = max((point["value"] or 0 for point in points), default=0) or 1
    drawn = [_bar(index, point, highest) for index, point in enumerate(points)]
    table = [[str(point["label"]), _display(point)] for point in points]
    return Rows(drawn, table, len(points) * _LINE + 2 * _FRAME)


def funnel(steps: Sequence[Mapping[str, Any]]) -> Rows:
    """A bar per step (label, value), centred, as wide as its share of the first one.

    The table says of each its number, its share of the first step and of the step before.
    """
    first = steps[0]["value"] if steps else 0
    drawn, table = [], []
    before = first
    for index, step in enumerate(steps):
        value = step["value"] or 0
        drawn.append(_step(index, step, min(value / first, 1) if first else 0))
        table.append([str(step["label"]), written(value), _share(value, first), _share(value, before)])
        before = value
    return Rows(drawn, table, len(steps) * _STEP + 2 * _FRAME)


def _bar(index: int, point: Mapping[str, Any], highest: Number) -> Row:
    y = _FRAME + index * _LINE + (_LINE - _THICK) / 2
    width = round((point["value"] or 0) / highest * (WIDTH - NAMES - FIGURES), 1)
    return Row(NAMES, y, width, _THICK, y + _THICK / 2 + 5, _short(str(point["label"])), _display(point))


def _step(index: int, step: Mapping[str, Any], share: float) -> Row:
    room = WIDTH - NAMES - FIGURES
    y = _FRAME + index * _STEP + (_STEP - _STEP_THICK) / 2
    width = round(share * room, 1)
    text = f"{written(step['value'] or 0)} · {format_percent(share)}" if index else written(step["value"] or 0)
    x = round(NAMES + (room - width) / 2, 1)
    return Row(x, y, width, _STEP_THICK, y + _STEP_THICK / 2 + 5, _short(str(step["label"])), text)


def _short(name: str) -> str:
    """A drawing does not wrap its texts; the table has the whole name."""
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1].rstrip() + "…"


def _share(value: Number, whole: Number) -> str:
    return str(format_percent(value / whole)) if whole else "–"


def _display(point: Mapping[str, Any]) -> str:
    return str(point.get("display") or written(point["value"]))
