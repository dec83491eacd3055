"""Numbers that span months, counted once from dates kept elsewhere and never again: returns, yearly users."""

from collections.abc import Collection
from datetime import date

from sqlalchemy.dialects.postgresql import insert

from portal.db import session
from portal.kpi.catalogue import Figure
from portal.kpi.models import KpiFrozenNumber
from portal.kpi.reading import Period


def freeze(code: str, day: date, audience: str, numerator: int, denominator: int | None = None) -> bool:
    """Keep a number for a day, unless one is kept already; returns whether it was."""
    row = {"code": code, "day": day, "audience": audience, "numerator": numerator, "denominator": denominator}
    kept = insert(KpiFrozenNumber).values(row).on_conflict_do_nothing().returning(KpiFrozenNumber.day)
    return session.scalar(kept) is not None


def frozen(code: str, period: Period, *, audiences: Collection[str] = ()) -> Figure:
    """The sum of the numbers kept for the days of the period; not fed when there is none."""
    rows = _rows(code, period, audiences)
    return _sum(rows)


def last_frozen(code: str, period: Period, *, audiences: Collection[str] = ()) -> Figure:
    """The numbers kept for the last day of the period that has some (running values); not fed when none has."""
    rows = _rows(code, period, audiences)
    last = max((day for day, *_rest in rows), default=None)
    return _sum([row for row in rows if row[0] == last])


Row = tuple[date, str, int, int | None]


def _rows(code: str, period: Period, audiences: Collection[str]) -> list[Row]:
    return [
        row
        for row in period.reading.frozen(code)
        if period.first <= row[0] <= period.last and (not audiences or row[1] in audiences)
    ]


def _sum(rows: list[Row]) -> Figure:
    parts = [denominator for *_rest, denominator in rows if denominator is not None]
    return Figure(sum(row[2] for row in rows), sum(parts) if parts else None, fed=bool(rows))
