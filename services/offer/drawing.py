"""A plan of the group's sites, drawn from their coordinates: no tile, no third party. Pure.

Equirectangular around the middle of what is drawn: true to within a percent over the hundred kilometres of a group.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, MARGIN = 640, 420, 70
EARTH_KM = 6371.0088
_LEAST_KM = 1.0
_NEAR = 26
"""Marks nearer than that, in units of the drawing, are set apart."""


@dataclass(frozen=True)
class Spot:
    """A site. number: as in the list beside the plan. is_here: the one that the page is about."""

    number: int
    name: str
    town: str
    latitude: float
    longitude: float
    is_here: bool = False


@dataclass(frozen=True)
class Mark:
    """A spot on the drawing, its middle at x, y; label: the town, said once for sites of one town; side: start or end,
    where it is written."""

    spot: Spot
    x: float
    y: float
    label: str
    side: str

    @property
    def label_x(self) -> float:
        return self.x + (22 if self.side == "start" else -22)


@dataclass(frozen=True)
class Plan:
    """scale: width of the bar in units of the drawing, and what it stands for in metres."""

    marks: Sequence[Mark]
    bar: float
    bar_m: int

    @property
    def bar_text(self) -> str:
        return f"{self.bar_m // 1000} km" if self.bar_m >= 1000 else f"{self.bar_m} m"


def plan(spots: Sequence[Spot]) -> Plan | None:
    """None when there is nothing to draw."""
    if not spots:
        return None
    latitude = (min(each.latitude for each in spots) + max(each.latitude for each in spots)) / 2
    longitude = (min(each.longitude for each in spots) + max(each.longitude for each in spots)) / 2
    flat = [_kilometres(each, latitude, longitude) for each in spots]
    unit = _unit_per_km(flat)
    points = _apart([(WIDTH / 2 + east * unit, HEIGHT / 2 - north * unit) for east, north in flat])
    said: set[str] = set()
    marks = [_mark(spot, point, said) for spot, point in zip(spots, points, strict=True)]
    bar_m = _round_length(120 / unit * 1000)
    return Plan(marks, round(bar_m / 1000 * unit, 1), bar_m)


def distance_km(one: Spot, other: Spot) -> float:
    """As the crow flies (haversine)."""
    north, south = math.radians(one.latitude), math.radians(other.latitude)
    east = math.radians(other.longitude - one.longitude)
    half = math.sin((south - north) / 2) ** 2 + math.cos(north) * math.cos(south) * math.sin(east / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


def _kilometres(spot: Spot, latitude: float, longitude: float) -> tuple[float, float]:
    """East and north of the middle."""
    degree = math.pi * EARTH_KM / 180
    return (spot.longitude - longitude) * degree * math.cos(math.radians(latitude)), (spot.latitude - latitude) * degree


def _unit_per_km(flat: Sequence[tuple[float, float]]) -> float:
    wide = max(abs(east) for east, _north in flat) * 2
    high = max(abs(north) for _east, north in flat) * 2
    return min((WIDTH - 2 * MARGIN) / max(wide, _LEAST_KM), (HEIGHT - 2 * MARGIN) / max(high, _LEAST_KM))


def _apart(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Marks of one place side by side, so that each may be read."""
    placed: list[tuple[float, float]] = []
    for x, y in points:
        while any(abs(x - other_x) < _NEAR and abs(y - other_y) < _NEAR for other_x, other_y in placed):
            x += _NEAR
        placed.append((round(x, 1), round(y, 1)))
    return placed


def _mark(spot: Spot, point: tuple[float, float], said: set[str]) -> Mark:
    label = "" if spot.town in said else spot.town
    said.add(spot.town)
    return Mark(spot, *point, label, "end" if point[0] > WIDTH * 0.6 else "start")


def _round_length(metres: float) -> int:
    """1, 2 or 5 followed by zeros, not more than that."""
    power = 10 ** math.floor(math.log10(max(metres, 10)))
    return int(next(step * power for step in (5, 2, 1) if step * power <= max(metres, 10)))
