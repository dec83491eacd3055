"""The geometry of the charts in `templates/ui/charts.html`. Pure: figures in, coordinates out.

Coordinates are those of an SVG view box; the browser scales the drawing to its frame.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor, log10
from typing import Any

from babel.numbers import format_decimal
from flask_babel import get_locale

WIDTH, HEIGHT = 640, 240
LEFT, TOP, BOTTOM = 48, 24, 32
PLOT_HEIGHT = HEIGHT - TOP - BOTTOM
SPARK_WIDTH, SPARK_HEIGHT = 120, 32
MOST_LABELS = 12
ROUND = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)

Number = int | float
Value = Number | None


@dataclass(frozen=True)
class Line:
    """A horizontal rule of the scale."""

    y: float
    text: str


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    middle: float
    label: str
    display: str
    show_label: bool
    show_value: bool


@dataclass(frozen=True)
class Dot:
    x: float
    y: float


@dataclass(frozen=True)
class Tick:
    x: float
    label: str
    anchor: str


@dataclass(frozen=True)
class Curve:
    name: str
    rank: int
    path: str
    dots: list[Dot]


@dataclass(frozen=True)
class BarChart:
    bars: list[Bar]
    lines: list[Line]
    rows: list[list[str]]
    target: Line | None = None
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT


@dataclass(frozen=True)
class LineChart:
    series: list[Curve]
    lines: list[Line]
    ticks: list[Tick]
    rows: list[list[str]]
    target: Line | None = None
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT

    def headers(self, first: str) -> list[Any]:
        """The headers of the table of figures: the period, then one column a series."""
        return [first, *({"text": curve.name, "numeric": True} for curve in self.series)]


@dataclass(frozen=True)
class Spark:
    path: str
    area: str
    width: int = SPARK_WIDTH
    height: int = SPARK_HEIGHT


def bars(points: Sequence[Mapping[str, Any]], target: Mapping[str, Any] | None = None) -> BarChart:
    """A bar per point; a point has label, value and, if its text differs from the number, display.

    target: a value to reach and its text, drawn as a line across the chart.
    """
    scale, lines = scaled([point["value"] for point in points] + _asked(target))
    step = (WIDTH - LEFT) / max(len(points), 1)
    thickness = min(step * 0.62, 56)
    drawn = []
    for index, point in enumerate(points):
        middle = LEFT + step * (index + 0.5)
        y = scale(point["value"] or 0)
        drawn.append(
            Bar(
                x=round(middle - thickness / 2, 1),
                y=y,
                width=round(thickness, 1),
                height=round(HEIGHT - BOTTOM - y, 1),
                middle=round(middle, 1),
                label=str(point["label"]),
                display=_display(point),
                show_label=labelled(index, len(points)),
                show_value=len(points) <= MOST_LABELS and point["value"] is not None,
            )
        )
    return BarChart(drawn, lines, [[bar.label, bar.display] for bar in drawn], _target(target, scale))


def lines(
    labels: Sequence[str], series: Sequence[Mapping[str, Any]], target: Mapping[str, Any] | None = None
) -> LineChart:
    """A curve per series (name, values); a value may be None, which leaves a gap. target: as for `bars`."""
    scale, rules = scaled([value for one in series for value in one["values"]] + _asked(target))
    xs = [_x(index, len(labels)) for index in range(len(labels))]
    curves = [_curve(one, rank, xs, scale) for rank, one in enumerate(series, start=1)]
    ticks = [
        Tick(xs[index], str(label), _anchor(index, len(labels)))
        for index, label in enumerate(labels)
        if labelled(index, len(labels))
    ]
    write = writer()
    rows = [[str(label), *(write(one["values"][index]) for one in series)] for index, label in enumerate(labels)]
    return LineChart(curves, rules, ticks, rows, _target(target, scale))


def spark(values: Sequence[Value]) -> Spark:
    """A line without scale, from the first value to the last; it goes past those that are unknown."""
    step = SPARK_WIDTH / max(len(values) - 1, 1)
    known = [(index, value) for index, value in enumerate(values) if value is not None] or [(0, 0)]
    low = min(value for _index, value in known)
    span = (max(value for _index, value in known) - low) or 1
    points = [
        (round(index * step, 1), round(SPARK_HEIGHT - 4 - (value - low) / span * (SPARK_HEIGHT - 8), 1))
        for index, value in known
    ]
    if len(points) == 1:
        points = [(0.0, points[0][1]), (float(SPARK_WIDTH), points[0][1])]
    path = "M" + "L".join(f"{x} {y}" for x, y in points)
    return Spark(path, f"{path}L{points[-1][0]} {SPARK_HEIGHT}L{points[0][0]} {SPARK_HEIGHT}Z")


def _curve(one: Mapping[str, Any], rank: int, xs: Sequence[float], scale: Callable[[Number], float]) -> Curve:
    path, pen = "", "M"
    dots = []
    for x, value in zip(xs, one["values"], strict=True):
        if value is None:
            pen = "M"
            continue
        y = scale(value)
        path, pen = f"{path}{pen}{x} {y}", "L"
        dots.append(Dot(x, y))
    return Curve(str(one["name"]), rank, path, dots)


def _asked(target: Mapping[str, Any] | None) -> list[Value]:
    return [] if target is None else [target["value"]]


def _target(target: Mapping[str, Any] | None, scale: Callable[[Number], float]) -> Line | None:
    return None if target is None else Line(scale(target["value"]), str(target["text"]))


def scaled(values: Sequence[Value]) -> tuple[Callable[[Number], float], list[Line]]:
    """From figures to heights, with the rules to draw: from zero to a round number above the highest figure."""
    step = _round_step(max((value for value in values if value is not None), default=0))
    top = step * 4

    def height(value: Number) -> float:
        return round(HEIGHT - BOTTOM - max(value, 0) / top * PLOT_HEIGHT, 1)

    write = writer()
    return height, [Line(height(step * rank), write(step * rank)) for rank in range(5)]


def _round_step(highest: Number) -> Number:
    """A quarter of the scale: a round whole number."""
    if highest <= 4:
        return 1
    power = 10 ** floor(log10(highest / 4))
    steps = (factor * power for factor in ROUND if factor * power * 4 >= highest)
    return next(int(step) for step in steps if step == int(step))


def _x(index: int, count: int) -> float:
    inset = 12
    step = (WIDTH - LEFT - 2 * inset) / max(count - 1, 1)
    return round(LEFT + inset + index * step, 1)


def labelled(index: int, count: int) -> bool:
    """Whether there is room for the label of this point."""
    return index % ceil(count / MOST_LABELS) == 0


def _anchor(index: int, count: int) -> str:
    return "end" if count > 1 and index == count - 1 else "middle"


def _display(point: Mapping[str, Any]) -> str:
    return str(point.get("display") or written(point["value"]))


def written(value: Value) -> str:
    """A number in the reader's language; a dash when there is none."""
    return writer()(value)


def writer() -> Callable[[Value], str]:
    """The same for many numbers: whose language it is takes longer to know than a number to write."""
    language = str(get_locale() or "fr")
    return lambda value: "–" if value is None else _decimal(value, language)


@lru_cache(maxsize=10_000)
def _decimal(value: float | int, language: str) -> str:
    """Pages of figures write hundreds of numbers, mostly small ones."""
    return str(format_decimal(value, locale=language))
