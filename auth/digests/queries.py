"""What waits, by hospital and unit: one statement for everything, as the agent or as the system."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import String, Uuid, cast, func, literal, select, union_all

from auth.agents.models import StaffUnit
from auth.digests.models import DigestAddress
from auth.digests.sources import Rows, Waiting, sources
from auth.models import Account, StaffRight
from portal.db import session
from portal.establishments import Establishment, Unit

Rights = Mapping[str, Collection[UUID]]
"""Right → the hospitals where it is held."""


@dataclass(frozen=True)
class Count:
    """One kind of thing that waits in a unit (None: the whole hospital). oldest_at: since when the oldest does."""

    source: Waiting
    establishment_id: UUID
    unit_id: UUID | None
    number: int
    late: int
    oldest_at: datetime


@dataclass(frozen=True)
class Place:
    """A unit, or what no unit of a hospital has yet (unit None), and what waits there, the oldest first."""

    establishment: Establishment
    unit: Unit | None
    counts: Sequence[Count]

    @property
    def number(self) -> int:
        return sum(each.number for each in self.counts)

    @property
    def late(self) -> int:
        return sum(each.late for each in self.counts)

    @property
    def oldest_at(self) -> datetime:
        return min(each.oldest_at for each in self.counts)


def counts(rights: Rights, now: datetime) -> Sequence[Count]:
    """What these rights open, in one statement."""
    open_ = [source for source in sources() if rights.get(source.right)]
    if not open_:
        return []
    parts = [_counted(source, rights[source.right], now) for source in open_]
    named = {source.code: source for source in open_}
    found = session.execute(union_all(*parts) if len(parts) > 1 else parts[0])
    return [Count(named[row[0]], *row[1:]) for row in found]


def _counted(source: Waiting, hospitals: Collection[UUID], now: datetime) -> Rows:
    rows = source.rows(now).subquery()
    establishment_id, unit, since, is_late = rows.c
    unit_id = cast(unit, Uuid)  # of a room that has no units, it is a null without a type
    late = func.count().filter(is_late)
    return (
        select(cast(literal(source.code), String), establishment_id, unit_id, func.count(), late, func.min(since))
        .where(establishment_id.in_(hospitals))
        .group_by(establishment_id, unit_id)
    )


def places(found: Iterable[Count]) -> Sequence[Place]:
    """The same by place, those that have waited longest first; two statements for the names."""
    by_place: dict[tuple[UUID, UUID | None], list[Count]] = {}
    for each in found:
        by_place.setdefault((each.establishment_id, each.unit_id), []).append(each)
    hospitals = {row.id: row for row in _these(Establishment, {place for place, _unit in by_place})}
    units = {row.id: row for row in _these(Unit, {unit for _place, unit in by_place if unit})}
    made = [
        Place(hospitals[place], units[unit] if unit else None, sorted(some, key=lambda each: each.oldest_at))
        for (place, unit), some in by_place.items()
    ]
    return sorted(made, key=lambda place: (place.late == 0, place.oldest_at))


Named = TypeVar("Named", Establishment, Unit)


def _these(model: type[Named], ids: Collection[UUID]) -> Sequence[Named]:
    return session.scalars(select(model).where(model.id.in_(ids))).all() if ids else ()


# -- who is told ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Agent:
    """rights: right → hospitals; units: hospital → units where they work (none: the whole hospital)."""

    account: Account
    rights: Rights
    units: Mapping[UUID, Collection[UUID]]

    def concerned(self, found: Iterable[Count]) -> Sequence[Count]:
        """What of this is for them: their rights, and their units where they have some. What no unit has yet is for
        everybody."""
        return [
            each
            for each in found
            if each.establishment_id in self.rights.get(each.source.right, ())
            and (each.unit_id is None or each.unit_id in self.units.get(each.establishment_id, (each.unit_id,)))
        ]


def agents(hospitals: Collection[UUID]) -> Sequence[Agent]:
    """As the system: those who may do something at these hospitals and have an address; two statements."""
    rows = session.execute(
        select(Account, StaffRight.right, StaffRight.establishment_id)
        .join(StaffRight, StaffRight.account_id == Account.id)
        .where(StaffRight.establishment_id.in_(hospitals), Account.closed_at.is_(None), Account.email != "")
        .where(Account.audience == "staff")
        .order_by(Account.id)
    ).all()
    accounts: dict[UUID, Account] = {}
    rights: dict[UUID, dict[str, set[UUID]]] = {}
    for account, right, place in rows:
        accounts[account.id] = account
        rights.setdefault(account.id, {}).setdefault(right, set()).add(place)
    units = units_of(accounts)
    return [Agent(account, rights[id_], units.get(id_, {})) for id_, account in accounts.items()]


def units_of(accounts: Collection[UUID]) -> dict[UUID, dict[UUID, set[UUID]]]:
    """Account → hospital → units where they work."""
    query = select(StaffUnit.account_id, StaffUnit.establishment_id, StaffUnit.unit_id)
    found: dict[UUID, dict[UUID, set[UUID]]] = {}
    for account_id, place, unit in session.execute(query.where(StaffUnit.account_id.in_(accounts))):
        found.setdefault(account_id, {}).setdefault(place, set()).add(unit)
    return found


def addresses(hospitals: Collection[UUID]) -> Sequence[DigestAddress]:
    """The shared addresses of these hospitals that are told, by hospital and unit."""
    return session.scalars(
        select(DigestAddress)
        .join(Establishment, Establishment.id == DigestAddress.establishment_id)
        .outerjoin(Unit, Unit.id == DigestAddress.unit_id)
        .where(DigestAddress.establishment_id.in_(hospitals), DigestAddress.stopped_at.is_(None))
        .order_by(Establishment.name, Unit.name.nulls_first(), DigestAddress.address)
    ).all()
