"""What agents see: files sent to their hospitals, or begun at their desk. Lists, counts and searches, never a name of a
stay that is secret unless the hospital decided so."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute, contains_eager, joinedload

from auth.identity import traits
from auth.models import Patient, PatientRecord
from portal import calendar, db
from portal.db import session
from portal.establishments import Establishment, EstablishmentSetting, Site, Unit
from services.exchanges.models import Delivery
from services.exchanges.states import REFUSED
from services.preadmission import states
from services.preadmission.models import Preadmission
from services.preadmission.queries.files import PLACE

PAGE_SIZE: Final = 50
MOST_COUNTED: Final = 1000
"""Closed files are counted up to here: nobody works through them."""
CONFIDENTIAL: Final = "preadmission_confidential_stays"
"""Setting of a hospital: how the stays that are to be kept secret are shown in its lists."""
CONFIDENTIAL_WAYS: Final = ("reference", "left_out", "named")
"""By their reference alone (the default), not on paper nor in exports at all, or as the others are."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "to_process": states.TO_PROCESS,
    "mine": (*states.TO_PROCESS, "to_complete"),
    "unassigned": states.TO_PROCESS,
    "at_risk": (*states.TO_PROCESS, "to_complete"),
    "late": (*states.TO_PROCESS, "to_complete"),
    "waiting": ("to_complete",),
    "ready": states.READY,
    "refused_there": (*states.READY, "in_review"),
    "closed": ("closed", "refused", "cancelled_by_patient", "cancelled_by_hospital", "lapsed"),
}
"""How the tray is divided. Some narrow the files to process: the agent's own, nobody's, those at risk, those sent after
the hospital's own delay."""


@dataclass(frozen=True)
class TrayFilter:
    """group: a key of `GROUPS`. agent_id: whose files. first, last: days of the stay. page: from 1."""

    group: str = "to_process"
    site_id: UUID | None = None
    unit_id: UUID | None = None
    stay_kind: str = ""
    state: str = ""
    agent_id: UUID | None = None
    first: date | None = None
    last: date | None = None
    at_risk: bool = False
    page: int = 1


@dataclass(frozen=True)
class Place:
    """A hospital of the agent: today's date there, and how its confidential stays are shown."""

    establishment_id: UUID
    today: date
    confidential: str


@dataclass(frozen=True)
class Row:
    """A file in a list. named: whether the list may say who it is about."""

    file: Preadmission
    at_risk: bool
    named: bool


@dataclass(frozen=True)
class Tray:
    """One page of files, and how many files each group holds (filters applied)."""

    rows: Sequence[Row]
    counts: Mapping[str, int]

    @property
    def files(self) -> Sequence[Preadmission]:
        return [row.file for row in self.rows]


def places(establishment_ids: Collection[UUID]) -> Mapping[UUID, Place]:
    """What a list needs to know of each hospital, in one statement."""
    chosen = and_(EstablishmentSetting.establishment_id == Establishment.id, EstablishmentSetting.key == CONFIDENTIAL)
    found = session.execute(
        select(Establishment, EstablishmentSetting.value)
        .outerjoin(EstablishmentSetting, chosen)
        .where(Establishment.id.in_(establishment_ids))
    )
    return {
        each.id: Place(
            each.id, calendar.civil_day(db.now(), each.tz), way if way in CONFIDENTIAL_WAYS else CONFIDENTIAL_WAYS[0]
        )
        for each, way in found
    }


def tray(establishment_ids: frozenset[UUID], wanted: TrayFilter) -> Tray:
    """The files of these hospitals, by day of the stay, then the oldest first; closed ones the latest first."""
    where = places(establishment_ids)
    columns = (Preadmission.planned_on, Preadmission.submitted_at, Preadmission.id)
    order = [each.desc() for each in columns] if wanted.group == "closed" else list(columns)
    page = (
        select(Preadmission)
        .options(*PLACE, joinedload(Preadmission.patient))
        .where(*_narrowed(where, wanted), _in_group(where, wanted.group))
        .order_by(*order)
        .limit(PAGE_SIZE)
        .offset((wanted.page - 1) * PAGE_SIZE)
    )
    files = session.scalars(page).all() if where else []
    return Tray([row_of(each, where) for each in files], _counts(where, wanted))


def row_of(file: Preadmission, where: Mapping[UUID, Place]) -> Row:
    """A file as a list of the agent's may show it."""
    place = where[file.establishment_id]
    mine = file.agent_id is not None and file.agent_id == db.current_actor().account_id
    named = not file.confidential or mine or place.confidential == "named"
    return Row(file, states.is_at_risk(file, place.today), named)


def search(establishment_ids: frozenset[UUID], words: str) -> Sequence[Row]:
    """Files by the beginning of a name, then of a first name. A secret stay is found by its reference alone.

    The keys are compared as ranges of bytes: such operators may use an index under row-level security, LIKE may not.
    """
    first, *others = [traits.key(word) for word in words.split() if traits.key(word)] or [""]
    if len(first) < 2:
        return []
    whole = "".join((first, *others))
    by_name = _begins(Patient.name_key, whole)
    if others:
        by_name = or_(by_name, and_(_begins(Patient.name_key, first), _begins(Patient.first_key, "".join(others))))
    where = places(establishment_ids)
    found = session.scalars(
        _known(establishment_ids)
        .where(by_name, or_(~Preadmission.confidential, Preadmission.agent_id == db.current_actor().account_id))
        .order_by(Preadmission.planned_on.desc(), Preadmission.id)
        .limit(PAGE_SIZE)
    )
    return [row_of(each, where) for each in found]


def by_reference(establishment_ids: frozenset[UUID], typed: str) -> UUID | None:
    """The file of this reference, typed with or without its hyphen."""
    signs = "".join(sign for sign in typed.upper() if sign.isalnum())
    if len(signs) != 8:
        return None
    return session.scalar(
        select(Preadmission.id).where(
            Preadmission.reference == f"{signs[:4]}-{signs[4:]}",
            Preadmission.establishment_id.in_(establishment_ids),
            _at_the_office(),
        )
    )


def next_to_treat(
    establishment_ids: frozenset[UUID], after: Preadmission | None = None, busy: Collection[UUID] = ()
) -> UUID | None:
    """The next file in the order of the tray that is nobody else's and on nobody else's screen; then from the start."""
    own = db.current_actor().account_id
    free = (
        select(Preadmission.id)
        .where(
            Preadmission.establishment_id.in_(establishment_ids),
            Preadmission.state.in_(states.TO_PROCESS),
            or_(Preadmission.agent_id.is_(None), Preadmission.agent_id == own),
            Preadmission.id.not_in([*busy, *([after.id] if after else [])]),
        )
        .order_by(Preadmission.planned_on, Preadmission.submitted_at, Preadmission.id)
        .limit(1)
    )
    if after is not None and after.submitted_at is not None:
        here = tuple_(Preadmission.planned_on, Preadmission.submitted_at, Preadmission.id)
        if found := session.scalar(free.where(here > (after.planned_on, after.submitted_at, after.id))):
            return found
    return session.scalar(free)


def sites_of(establishment_ids: frozenset[UUID]) -> Sequence[Site]:
    """The places an agent may narrow the tray to."""
    return session.scalars(
        select(Site)
        .options(joinedload(Site.establishment))
        .where(Site.establishment_id.in_(establishment_ids))
        .order_by(Site.name)
    ).all()


def units_of(establishment_ids: frozenset[UUID]) -> Sequence[Unit]:
    """The units of these hospitals, with their sites, by name."""
    return session.scalars(
        select(Unit)
        .join(Unit.site)
        .join(Unit.establishment)
        .options(contains_eager(Unit.site), contains_eager(Unit.establishment))
        .where(Unit.establishment_id.in_(establishment_ids))
        .order_by(Site.name, Unit.name)
    ).all()


def one_at(establishment_ids: frozenset[UUID], preadmission_id: UUID) -> Preadmission | None:
    """A file sent to one of these hospitals, or begun at its desk."""
    return session.scalar(_known(establishment_ids).where(Preadmission.id == preadmission_id))


def known_patient(establishment_ids: frozenset[UUID], patient_id: UUID) -> Patient | None:
    """Somebody with a record at one of these hospitals."""
    record = exists().where(
        PatientRecord.patient_id == Patient.id, PatientRecord.establishment_id.in_(establishment_ids)
    )
    return session.scalar(select(Patient).where(Patient.id == patient_id, record))


def some_at(establishment_ids: frozenset[UUID], ids: Collection[UUID]) -> Sequence[Preadmission]:
    """Those of these files that are of these hospitals, in the order of the tray."""
    wanted = _known(establishment_ids).where(Preadmission.id.in_(ids))
    return session.scalars(wanted.order_by(Preadmission.planned_on, Preadmission.submitted_at, Preadmission.id)).all()


def _known(establishment_ids: frozenset[UUID]) -> Select[Preadmission]:
    return (
        select(Preadmission)
        .join(Preadmission.patient)
        .options(*PLACE, contains_eager(Preadmission.patient))
        .where(Preadmission.establishment_id.in_(establishment_ids), _at_the_office())
    )


def _at_the_office() -> ColumnElement[bool]:
    return or_(Preadmission.submitted_at.is_not(None), Preadmission.origin == "desk")


def _begins(column: InstrumentedAttribute[str], key: str) -> ColumnElement[bool]:
    """Of a key kept under the collation "C"; the last code point there is ends every word that begins so."""
    return and_(column >= key, column < f"{key}\U0010ffff")


# -- conditions ----------------------------------------------------------------------------------------------------


def _counts(where: Mapping[UUID, Place], wanted: TrayFilter) -> Mapping[str, int]:
    """Every group in one statement: those that move exactly, the closed ones up to `MOST_COUNTED`."""
    if not where:
        return dict.fromkeys(GROUPS, 0)
    moving = [group for group in GROUPS if group != "closed"]
    alive = and_(*_narrowed(where, wanted), _of_states({state for group in moving for state in GROUPS[group]}))
    closed = (
        select(Preadmission.id)
        .where(*_narrowed(where, wanted), _in_group(where, "closed"))
        .limit(MOST_COUNTED)
        .subquery()
    )
    row = session.execute(
        select(
            *(func.count(case((_in_group(where, group), 1))) for group in moving),
            select(func.count()).select_from(closed).scalar_subquery(),
        ).where(alive)
    ).one()
    return dict(zip((*moving, "closed"), row, strict=True))


def _in_group(where: Mapping[UUID, Place], group: str) -> ColumnElement[bool]:
    narrower: Mapping[str, ColumnElement[bool]] = {
        "mine": Preadmission.agent_id == db.current_actor().account_id,
        "unassigned": Preadmission.agent_id.is_(None),
        "at_risk": _near(where),
        "late": Preadmission.late.is_(True),
        "refused_there": Preadmission.id.in_(_refused_there(where)),
    }
    return and_(_of_states(set(GROUPS[group])), narrower.get(group, true()))


def _of_states(wanted: set[str]) -> ColumnElement[bool]:
    """Written as the partial indices of the tray are."""
    return or_(*(Preadmission.state.in_(each) for each in _QUEUES if wanted & set(each))) & Preadmission.state.in_(
        sorted(wanted)
    )


_QUEUES: Final = (states.TO_PROCESS, GROUPS["waiting"], states.READY, GROUPS["closed"])


def _near(where: Mapping[UUID, Place]) -> ColumnElement[bool]:
    """The stay is three days away or less, on the calendar of its own hospital."""
    return or_(
        *(
            and_(Preadmission.establishment_id == each.establishment_id,
                 Preadmission.planned_on <= each.today + states.AT_RISK)
            for each in where.values()
        )
    )  # fmt: skip


def _refused_there(where: Mapping[UUID, Place]) -> Select[UUID | None]:
    """What the hospitals' systems refused."""
    return select(Delivery.subject_id).where(
        Delivery.establishment_id.in_(list(where)), Delivery.state == REFUSED, Delivery.subject_kind == "preadmission"
    )


def _narrowed(where: Mapping[UUID, Place], wanted: TrayFilter) -> list[ColumnElement[bool]]:
    one = next(iter(where)) if len(where) == 1 else None
    of_mine = Preadmission.establishment_id == one if one else Preadmission.establishment_id.in_(list(where))
    same = {
        Preadmission.unit_id: wanted.unit_id,
        Preadmission.stay_kind: wanted.stay_kind,
        Preadmission.state: wanted.state,
        Preadmission.agent_id: wanted.agent_id,
    }
    return [
        of_mine,
        Preadmission.submitted_at.is_not(None),
        *(column == value for column, value in same.items() if value),
        *_in_days_and_places(where, wanted),
    ]


def _in_days_and_places(where: Mapping[UUID, Place], wanted: TrayFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.site_id is not None:
        yield Preadmission.unit_id.in_(select(Unit.id).where(Unit.site_id == wanted.site_id))
    if wanted.first is not None:
        yield Preadmission.planned_on >= wanted.first
    if wanted.last is not None:
        yield Preadmission.planned_on <= wanted.last
    if wanted.at_risk:
        yield and_(_near(where), Preadmission.state.not_in(states.READY))


def of_days(establishment_ids: frozenset[UUID], wanted: TrayFilter, most: int = 2000) -> Sequence[Row]:
    """Expected admissions between two days, by day and unit, for paper and spreadsheets: what is secret as decided."""
    where = places(establishment_ids)
    expected = (*states.TO_PROCESS, "to_complete", *states.READY)
    found = session.scalars(
        _known(establishment_ids)
        .join(Preadmission.unit)
        .where(*_narrowed(where, replace(wanted, page=1)), Preadmission.state.in_(expected))
        .order_by(Preadmission.planned_on, Unit.name, Patient.name_key, Preadmission.id)
        .limit(most)
    )
    rows = [_on_paper(each, where) for each in found]
    return [row for row in rows if row is not None]


def _on_paper(file: Preadmission, where: Mapping[UUID, Place]) -> Row | None:
    """Paper passes from hand to hand: even who has the file in charge sees no name there."""
    way = where[file.establishment_id].confidential
    if file.confidential and way == "left_out":
        return None
    row = row_of(file, where)
    return replace(row, named=not file.confidential or way == "named")
