"""The inbox of hospitals' units: the threads that wait for somebody, by what they wait for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload

from portal.db import session
from services.documents.exchanges.models import Exchange

PAGE: Final = 50
GROUPS: Final = ("to_open", "mine", "to_answer", "sent", "closed")
"""to_open: nobody opened the last message. to_answer: opened, not answered. sent: the other side has the last word."""
_LATEST_FIRST: Final = frozenset({"sent", "closed"})


@dataclass(frozen=True)
class Wanted:
    """What an agent asks to see. kind: of correspondent. reference: of one thread, whatever its group."""

    group: str = "to_open"
    unit_id: UUID | None = None
    kind: str = ""
    urgent: bool = False
    reference: str = ""
    page: int = 1


@dataclass(frozen=True)
class Inbox:
    """A page of threads; counts: group → how many, of those that are not closed."""

    rows: Sequence[Exchange]
    counts: Mapping[str, int]
    has_next: bool


def of(establishments: Collection[UUID], wanted: Wanted, account_id: UUID) -> Inbox:
    """The threads of these hospitals: urgent ones first, then whoever waits longest."""
    here = Exchange.establishment_id.in_(establishments)
    latest = wanted.group in _LATEST_FIRST or bool(wanted.reference)
    rows = session.scalars(
        select(Exchange)
        .options(
            joinedload(Exchange.establishment),
            joinedload(Exchange.unit),
            joinedload(Exchange.professional),
            joinedload(Exchange.patient),
        )
        .where(here, *_asked(wanted, account_id))
        .order_by(
            *([] if latest else [Exchange.priority != "urgent"]),
            Exchange.changed_at.desc() if latest else Exchange.changed_at,
            Exchange.id,
        )
        .limit(PAGE + 1)
        .offset((wanted.page - 1) * PAGE)
    ).all()
    return Inbox(rows[:PAGE], _counts(here, account_id), len(rows) > PAGE)


def colleagues(establishments: Collection[UUID]) -> Mapping[UUID, str]:
    """Agents who have threads in charge there, by name: to whom one may be given."""
    rows = session.execute(
        select(Exchange.assigned_id, func.max(Exchange.assigned_name))
        .where(Exchange.establishment_id.in_(establishments), Exchange.assigned_id.is_not(None))
        .group_by(Exchange.assigned_id)
        .order_by(func.max(Exchange.assigned_name))
    )
    return {account_id: name for account_id, name in rows if account_id is not None}


def some_at(establishments: Collection[UUID], ids: Collection[UUID]) -> Sequence[Exchange]:
    """Those of these threads that are of these hospitals, in the order in which they changed."""
    chosen = Exchange.id.in_(ids)
    return session.scalars(
        select(Exchange)
        .where(Exchange.establishment_id.in_(establishments), chosen)
        .order_by(Exchange.changed_at, Exchange.id)
    ).all()


def _group(name: str, account_id: UUID) -> ColumnElement[bool]:
    if name == "mine":
        return (Exchange.assigned_id == account_id) & (Exchange.state != "closed")
    if name == "sent":
        return Exchange.state.in_(("delivered", "read"))
    return Exchange.state == {"to_open": "received", "to_answer": "opened"}.get(name, name)


def _asked(wanted: Wanted, account_id: UUID) -> list[ColumnElement[bool]]:
    if wanted.reference:
        return [Exchange.reference == wanted.reference.strip().upper()]
    asked = [_group(wanted.group, account_id)]
    if wanted.unit_id:
        asked.append(Exchange.unit_id == wanted.unit_id)
    if wanted.urgent:
        asked.append(Exchange.priority == "urgent")
    if wanted.kind == "patient":
        asked.append(Exchange.patient_id.is_not(None))
    elif wanted.kind == "professional":
        asked.append(Exchange.patient_id.is_(None))
    return asked


def _counts(here: ColumnElement[bool], account_id: UUID) -> dict[str, int]:
    """One pass over what is open; the closed ones, ever more, are not counted."""
    open_groups = [name for name in GROUPS if name != "closed"]
    columns = [func.count().filter(_group(name, account_id)) for name in open_groups]
    found = session.execute(select(*columns).select_from(Exchange).where(here, Exchange.state != "closed")).one()
    return dict(zip(open_groups, map(int, found), strict=True))
