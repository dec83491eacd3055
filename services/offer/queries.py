"""Who offers what, and where: for every room above, and for the pages of the directory.

For another room (say, one that sends patients to units):

- `activities(establishment_id, unit_id, speciality=…, audience=…)`: what units offer, with their unit, site, hospital;
- `unit_page(unit, audience)`: a unit with its hours, contacts, activities and practitioners;
- `reaching(unit_ids, audience)`: unit → how to reach it and whether it is open, for a list of units;
- `is_open(unit, at)`: True, False, or None when its hours are not known;
- `seeking.search(Asked(words, speciality, town, …))`: units that suit what is looked for.

audience: "patient", or "professional" for whoever works in health: then numbers for professionals come too, and
activities that are not public. The database refuses them to everybody else (row-level security).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import contains_eager, joinedload

from portal import calendar, db
from portal.db import session
from portal.establishments import Establishment, Practitioner, Site, Unit
from services.offer import surroundings
from services.offer.models import AUDIENCES, Activity, SitePlan
from services.offer.surroundings import Sheet

Place = Site | Unit


@dataclass(frozen=True)
class UnitPage:
    """A unit as its page shows it. sheets: of each activity, by its id."""

    unit: Unit
    sheet: Sheet
    site_sheet: Sheet
    activities: Sequence[Activity]
    sheets: Mapping[UUID, Sheet]
    practitioners: Sequence[Practitioner]


@dataclass(frozen=True)
class SitePage:
    site: Site
    sheet: Sheet
    units: Sequence[Unit]
    sheets: Mapping[UUID, Sheet]
    plan: str | None
    """What the picture of the way inside says; None when there is no picture."""


def audiences(audience: str) -> tuple[str, ...]:
    """Whose contacts a reader sees: a professional sees all of them."""
    return AUDIENCES if audience == "professional" else ("patient",)


# -- activities --------------------------------------------------------------------------------------------------


def activities(
    establishment_id: UUID | None = None,
    unit_id: UUID | None = None,
    *,
    speciality: str = "",
    audience: str = "patient",
) -> Sequence[Activity]:
    """What is offered, or soon will be; what closed for ever is left out. speciality: TRE_R38."""
    query = _activities()
    if establishment_id is not None:
        query = query.where(Activity.establishment_id == establishment_id)
    if unit_id is not None:
        query = query.where(Activity.unit_id == unit_id)
    if speciality:
        query = query.where(Activity.speciality == speciality)
    if audience != "professional":
        query = query.where(Activity.is_public)
    found = session.scalars(query.order_by(Establishment.name, Unit.name, Activity.position, Activity.name)).all()
    return [each for each in found if not is_over(each)]


def activity(code: str, audience: str = "patient") -> Activity | None:
    query = _activities().where(Activity.code == code)
    return session.scalar(query if audience == "professional" else query.where(Activity.is_public))


def activity_by_id(activity_id: UUID) -> Activity | None:
    """One that everybody may see."""
    return session.scalar(_activities().where(Activity.id == activity_id, Activity.is_public))


def _activities() -> Select[Activity]:
    return (
        select(Activity)
        .join(Activity.unit)
        .join(Unit.establishment)
        .options(
            contains_eager(Activity.unit).options(
                contains_eager(Unit.establishment), joinedload(Unit.site).joinedload(Site.establishment)
            ),
            joinedload(Activity.establishment),
        )
    )


def today_at(place: Site | Unit | Activity) -> date:
    """The civil day there."""
    return calendar.civil_day(db.now(), surroundings.hospital(place).tz)


def is_over(place: Site | Unit | Activity) -> bool:
    """Whether it closed for ever."""
    return place.closes_on is not None and place.closes_on < today_at(place)


# -- units -------------------------------------------------------------------------------------------------------


def units(establishment_id: UUID | None = None, site_id: UUID | None = None) -> Sequence[Unit]:
    """Those that have not closed for ever, by hospital and name."""
    query = _units()
    if establishment_id is not None:
        query = query.where(Unit.establishment_id == establishment_id)
    if site_id is not None:
        query = query.where(Unit.site_id == site_id)
    found = session.scalars(query.order_by(Establishment.name, Unit.name, Unit.uf)).all()
    return [each for each in found if not is_over(each) and not is_over(each.site)]


def unit(unit_id: UUID) -> Unit | None:
    return session.scalar(_units().where(Unit.id == unit_id))


def unit_of(finess: str, uf: str) -> Unit | None:
    """By the number of its hospital and its own."""
    return session.scalar(_units().where(Establishment.finess == finess, Unit.uf == uf))


def _units() -> Select[Unit]:
    return (
        select(Unit)
        .join(Unit.establishment)
        .options(contains_eager(Unit.establishment), joinedload(Unit.site).joinedload(Site.establishment))
    )


def unit_page(shown: Unit, audience: str = "patient") -> UnitPage:
    """Five statements."""
    offered = activities(unit_id=shown.id, audience=audience)
    known = surroundings.around([shown, *offered], audiences(audience))
    now = db.now()
    return UnitPage(
        shown,
        known.sheet(shown, now),
        known.sheet(shown.site, now),
        offered,
        {each.id: known.sheet(each, now) for each in offered},
        practitioners(unit_id=shown.id),
    )


def reaching(unit_ids: Collection[UUID], audience: str = "patient") -> Mapping[UUID, tuple[Unit, Sheet]]:
    """Of several units: place (`unit.site`), contacts and whether they are open. Four statements."""
    found = session.scalars(_units().where(Unit.id.in_(unit_ids))).all()
    known = sheets(found, audience)
    return {each.id: (each, known[each.id]) for each in found}


def sheets(places: Sequence[Site | Unit | Activity], audience: str = "patient") -> Mapping[UUID, Sheet]:
    """Hours, changes and contacts of places, by their ids. Three statements."""
    known, now = surroundings.around(places, audiences(audience)), db.now()
    return {each.id: known.sheet(each, now) for each in places}


def is_open(unit: Unit, at: datetime) -> bool | None:
    """Whether somebody receives there at that moment (aware); None when nobody said. Three statements: for a list of
    units, `reaching`."""
    standing = surroundings.around([unit], ()).sheet(unit, at).standing
    return standing.is_open if standing else None


def phone_of(unit: Unit, sheet: Sheet, audience: str = "patient") -> str:
    """The number to show first: for a professional theirs if there is one; else the unit's, else the hospital's."""
    wanted = ("professional", "patient") if audience == "professional" else ("patient",)
    numbers = [each.value for one in wanted for each in sheet.reached(one, "phone")]
    return next(filter(None, (*numbers, unit.phone, unit.establishment.phone)), "")


# -- places and people -------------------------------------------------------------------------------------------


def hospitals() -> Sequence[tuple[Establishment, Sequence[Site]]]:
    """Every hospital of the group with its sites that have not closed for ever."""
    sites = session.scalars(_sites().order_by(Establishment.name, Site.name, Site.finess_et)).all()
    houses = session.scalars(select(Establishment).order_by(Establishment.name, Establishment.finess)).all()
    open_ = [each for each in sites if not is_over(each)]
    return [(each, [site for site in open_ if site.establishment_id == each.id]) for each in houses]


def site(site_id: UUID) -> Site | None:
    return session.scalar(_sites().where(Site.id == site_id))


def site_of(finess_et: str) -> Site | None:
    """By its number; the first by the number of its hospital, when two hospitals share one place."""
    query = _sites().where(Site.finess_et == finess_et).order_by(Establishment.finess).limit(1)
    return session.scalar(query)


def _sites() -> Select[Site]:
    return select(Site).join(Site.establishment).options(contains_eager(Site.establishment))


def site_page(shown: Site, audience: str = "patient") -> SitePage:
    """Five statements."""
    inside = units(site_id=shown.id)
    known = surroundings.around([shown, *inside], audiences(audience))
    now = db.now()
    plan = session.scalar(select(SitePlan.text).where(SitePlan.site_id == shown.id))
    return SitePage(shown, known.sheet(shown, now), inside, {each.id: known.sheet(each, now) for each in inside}, plan)


def plan(site_id: UUID) -> bytes | None:
    """The picture of the way inside: JPEG."""
    return session.scalar(select(SitePlan.picture).where(SitePlan.site_id == site_id))


def practitioners(
    establishment_id: UUID | None = None, unit_id: UUID | None = None, site_id: UUID | None = None
) -> Sequence[Practitioner]:
    """By name, with their unit."""
    query = _practitioners()
    if establishment_id is not None:
        query = query.where(Practitioner.establishment_id == establishment_id)
    if unit_id is not None:
        query = query.where(Practitioner.unit_id == unit_id)
    if site_id is not None:
        query = query.where(Unit.site_id == site_id)
    return session.scalars(
        query.order_by(Practitioner.family_name, Practitioner.given_name, Practitioner.id)
    ).all()  # fmt: skip


def practitioner(practitioner_id: UUID) -> Practitioner | None:
    return session.scalar(_practitioners().where(Practitioner.id == practitioner_id))


def elsewhere(practitioner: Practitioner) -> Sequence[Practitioner]:
    """The same person at other hospitals of the group, by the national number."""
    same = _practitioners().where(Practitioner.rpps == practitioner.rpps, Practitioner.id != practitioner.id)
    return session.scalars(same.order_by(Practitioner.id)).all() if practitioner.rpps else []


def _practitioners() -> Select[Practitioner]:
    return (
        select(Practitioner)
        .join(Practitioner.unit)
        .options(
            contains_eager(Practitioner.unit).options(
                joinedload(Unit.establishment), joinedload(Unit.site).joinedload(Site.establishment)
            )
        )
    )


def establishment_of(finess: str) -> Establishment | None:
    return session.scalar(select(Establishment).where(Establishment.finess == finess))
