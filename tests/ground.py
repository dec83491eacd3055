"""Preparing what a test stands on, and looking at what it left, as the system."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from portal import calendar, db
from portal.audit import AuditEvent
from portal.db import Base

Row = TypeVar("Row", bound=Base)

_MOMENTS = ("at", "created_at", "received_at", "asked_at", "deposited_at")


@contextmanager
def prepared() -> Iterator[None]:
    """A committed system transaction: what is written in it is there for everybody afterwards."""
    with db.transaction(db.system("tests")):
        yield


def rows(model: type[Row]) -> Sequence[Row]:
    """Every row of a table, oldest first where it carries a moment: the order of the heap is nobody's promise."""
    moments = [column for name in _MOMENTS if (column := model.__table__.columns.get(name)) is not None]
    with db.transaction(db.system("tests")) as current:
        return current.scalars(select(model).order_by(*moments[:1])).all()


def count(model: type[Base]) -> int:
    with db.transaction(db.system("tests")) as current:
        return current.scalar(select(func.count()).select_from(model)) or 0


def audited() -> list[str]:
    """The actions of the audit, in the order they were written."""
    with db.transaction(db.system("tests")) as current:
        return list(current.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


def zone_at(hour: int) -> str:
    """A time zone where the clock shows that hour now, whatever the hour of the machine is."""
    ahead = (hour - db.now().hour + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}"


def today() -> date:
    """The civil day of the hospitals, which is not UTC's around midnight."""
    return calendar.civil_day(db.now(), ZoneInfo("Europe/Paris"))
