"""Sites, units and practitioners of a hospital come, change and leave. What closes takes no appointment afterwards."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from auth.agents import administrators
from portal import audit, calendar
from portal.db import session
from portal.establishments import Establishment, Practitioner, Site, Unit, UnitClosing
from services.appointments.agendas import actions as agendas
from services.appointments.agendas.actions import AlreadyEnded, Away
from services.appointments.agendas.models import Absence

Member = Site | Unit | Practitioner
KINDS: Final[Mapping[type, str]] = {Site: "site", Unit: "unit", Practitioner: "practitioner"}
NUMBERS: Final[Mapping[type, str]] = {Site: "finess_et", Unit: "uf", Practitioner: "rpps"}
"""The column by which the hospital's system knows each."""
_FOR_EVER = timedelta(days=36_525)
"""How long the agenda of what closed stays closed: a century; nothing opens more than thirteen months ahead."""


class NumberTaken(Exception):
    """The hospital has a site, a unit or a practitioner of this number already."""


class ElsewhereInGroup(Exception):
    """The site or the unit named is another hospital's."""


class HeirCloses(Exception):
    """The unit that would take over closes too, on that day or before."""


@dataclass(frozen=True)
class Afterwards:
    """What becomes of what is open in a place that closes: see `UnitClosing`."""

    heir_id: UUID | None = None
    message: str = ""


_NOBODY: Final = Afterwards()


def add(hospital: Establishment, model: type[Member], facts: Mapping[str, Any]) -> UUID:
    """A new site, unit or practitioner; facts: its columns. Raises NumberTaken, ElsewhereInGroup."""
    _check_parents(hospital.id, facts)
    adding = insert(model).values(id=uuid4(), establishment_id=hospital.id, **_defaults(model), **facts)
    made: UUID | None = session.scalar(
        adding.on_conflict_do_nothing(index_elements=["establishment_id", NUMBERS[model]]).returning(model.id)
    )
    if made is None:
        raise NumberTaken
    _record(f"{KINDS[model]}.added", hospital.id, KINDS[model], made)
    return made


def _defaults(model: type[Member]) -> Mapping[str, Any]:
    defaults: Mapping[type[Member], Mapping[str, Any]]
    defaults = {Site: {"access": ""}, Unit: {}, Practitioner: {"languages": []}}
    return defaults[model]


def change(member: Member, facts: Mapping[str, Any]) -> bool:
    """Say something else of it; whether anything changed. Raises NumberTaken, ElsewhereInGroup."""
    _check_parents(member.establishment_id, facts)
    model, number = type(member), NUMBERS[type(member)]
    taken = select(model.id).where(
        model.establishment_id == member.establishment_id,
        getattr(model, number) == facts[number],
        model.id != member.id,
    )
    if session.scalar(taken) is not None:
        raise NumberTaken
    changed = [name for name, value in facts.items() if getattr(member, name) != value]
    for name in changed:
        setattr(member, name, facts[name])
    session.flush()
    if changed:
        kind = KINDS[model]
        _record(f"{kind}.changed", member.establishment_id, kind, member.id, changed=" ".join(sorted(changed)))
    return bool(changed)


def _check_parents(establishment_id: UUID, facts: Mapping[str, Any]) -> None:
    parents: tuple[tuple[str, type[Site | Unit]], ...] = (("site_id", Site), ("unit_id", Unit))
    for name, model in parents:
        if name in facts:
            place = session.scalar(select(model.establishment_id).where(model.id == facts[name]))
            if place != establishment_id:
                raise ElsewhereInGroup


# -- the last day ------------------------------------------------------------------------------------------------


def last_day(member: Member) -> date | None:
    return member.leaves_on if isinstance(member, Practitioner) else member.closes_on


def close(member: Member, last_on: date, then: Afterwards = _NOBODY) -> None:
    """Say the last day of a site with its units, of a unit, or of a practitioner. Their agendas close after it: whoever
    was expected later is to be placed again, and nobody is cancelled. Twice is once; another day replaces the first.

    then: of a place, what becomes of what is open after that day. Raises ElsewhereInGroup, HeirCloses.
    """
    hospital = session.get_one(Establishment, member.establishment_id)
    closing = list(_with_units(member, last_on))
    units = [each for each in closing if isinstance(each, Unit)]
    _check_heir(hospital.id, then.heir_id, {each.id for each in units}, last_on)
    _shut([(each.id, type(each)) for each in closing if not isinstance(each, Site)], hospital.id, last_on)
    for each in closing:
        _set_last_day(each, last_on)
        kind = KINDS[type(each)]
        _record(f"{kind}.closed", member.establishment_id, kind, each.id, last_on=last_on.isoformat())
    for unit in units:
        _say_what_then(unit, then)
    session.flush()


def _check_heir(establishment_id: UUID, heir_id: UUID | None, closing: set[UUID], last_on: date) -> None:
    if heir_id is None:
        return
    heir = session.get(Unit, heir_id)
    if heir is None or heir.establishment_id != establishment_id:
        raise ElsewhereInGroup
    if heir_id in closing or (heir.closes_on is not None and heir.closes_on <= last_on):
        raise HeirCloses


def _say_what_then(unit: Unit, then: Afterwards) -> None:
    said = {"heir_id": then.heir_id, "message": then.message}
    saying = insert(UnitClosing).values(unit_id=unit.id, establishment_id=unit.establishment_id, **said)
    session.execute(saying.on_conflict_do_update(index_elements=["unit_id"], set_=said))


def reopen(member: Member) -> None:
    """Forget its last day: its agenda opens again. Units of a site stay as they are, each with its own day."""
    _set_last_day(member, None)
    if isinstance(member, Unit):
        session.execute(delete(UnitClosing).where(UnitClosing.unit_id == member.id))
    session.flush()
    with administrators.as_the_system("hospitals.reopen"):
        absence = session.scalar(select(Absence).where(Absence.source_reference == _reference(member.id)))
        if absence is not None:
            with suppress(AlreadyEnded):
                agendas.end(absence, absence.start_at)
    kind = KINDS[type(member)]
    _record(f"{kind}.reopened", member.establishment_id, kind, member.id)


def _with_units(member: Member, last_on: date) -> Iterable[Member]:
    yield member
    if isinstance(member, Site):
        units = session.scalars(select(Unit).where(Unit.site_id == member.id).order_by(Unit.uf))
        yield from (each for each in units if each.closes_on is None or each.closes_on > last_on)


def _set_last_day(member: Member, last_on: date | None) -> None:
    setattr(member, "leaves_on" if isinstance(member, Practitioner) else "closes_on", last_on)


def _shut(closing: Iterable[tuple[UUID, type]], establishment_id: UUID, last_on: date) -> None:
    """Close the agendas after that day, as an absence does: an administrator need not be let into agendas."""
    tz = session.get_one(Establishment, establishment_id).tz
    start_at: datetime = calendar.to_utc_or_after(last_on + timedelta(days=1), time(), tz)
    with administrators.as_the_system("hospitals.close"):
        for member_id, model in closing:
            whose = {"practitioner_id" if model is Practitioner else "unit_id": member_id}
            away = Away(start_at, start_at + _FOR_EVER, "other", **whose)
            agendas.announce(establishment_id, away, source_reference=_reference(member_id))


def _reference(member_id: UUID) -> str:
    return f"closing:{member_id}"


def _record(action: str, establishment_id: UUID, kind: str, object_id: UUID, **details: Any) -> None:
    audit.record(action, establishment_id=establishment_id, object_kind=kind, object_id=object_id, **details)
