"""The directory as its editors see it: everything of the hospitals that they administer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal import db
from portal.db import session
from portal.establishments import Establishment, Site, Unit
from services.offer import quality, queries, surroundings
from services.offer.models import Activity, Contact, ErrorReport, OpeningException, OpeningHours, SitePlan
from services.offer.surroundings import Owner, Sheet

OWNERS: Mapping[str, Any] = {"sites": Site, "unites": Unit, "activites": Activity}
"""The word of an address → what it is."""
_COLUMNS = {Site: "site_id", Unit: "unit_id", Activity: "activity_id"}
PAGE_SIZE = 50


@dataclass(frozen=True)
class Line:
    """A site or a unit of the overview. missing: codes of `quality`."""

    place: Site | Unit
    sheet: Sheet
    missing: Sequence[str]
    activities: int = 0


def overview(here: Collection[UUID]) -> tuple[list[Line], list[Line]]:
    """Sites and units with what each lacks. Seven statements."""
    query = select(Site).join(Site.establishment).options(joinedload(Site.establishment))
    sites = session.scalars(
        query.where(Site.establishment_id.in_(here)).order_by(Establishment.name, Site.name)
    ).all()  # fmt: skip
    units = [each for each in queries.units() if each.establishment_id in here]
    offered: dict[UUID, list[Activity]] = {}
    for activity in queries.activities(audience="professional"):
        offered.setdefault(activity.unit_id, []).append(activity)
    known = queries.sheets([*sites, *units], "professional")
    return (
        [Line(each, known[each.id], quality.of_site(each, known[each.id])) for each in sites],
        [_unit(each, known[each.id], offered.get(each.id, [])) for each in units],
    )


def _unit(unit: Unit, sheet: Sheet, activities: Sequence[Activity]) -> Line:
    return Line(unit, sheet, quality.of_unit(unit, sheet, activities), len(activities))


def owner(word: str, owner_id: UUID, here: Collection[UUID]) -> Owner | None:
    """A site, a unit or an activity of these hospitals."""
    model = OWNERS[word]
    found: Owner | None = session.scalar(select(model).where(model.id == owner_id, model.establishment_id.in_(here)))
    return found


def word_of(owner: Owner) -> str:
    return next(word for word, model in OWNERS.items() if isinstance(owner, model))


def sheet(owner: Owner) -> Sheet:
    return surroundings.around([owner], ("patient", "professional")).sheet(owner, db.now())


def contacts(owner: Owner) -> Sequence[Contact]:
    """For patients and for professionals, in order."""
    order = (Contact.audience, Contact.position, Contact.kind, Contact.value)
    return session.scalars(select(Contact).where(_theirs(Contact, owner)).order_by(*order)).all()


def changes(owner: Owner) -> Sequence[OpeningException]:
    """Announced days, the nearest first."""
    order = (OpeningException.starts_on, OpeningException.id)
    return session.scalars(select(OpeningException).where(_theirs(OpeningException, owner)).order_by(*order)).all()


def hours(owner: Owner, kind: str) -> Sequence[OpeningHours]:
    """Its own, not those of what is around it."""
    query = select(OpeningHours).where(_theirs(OpeningHours, owner), OpeningHours.kind == kind)
    return session.scalars(query.order_by(OpeningHours.weekday, OpeningHours.opens)).all()


def contact(contact_id: UUID, owner: Owner) -> Contact | None:
    return session.scalar(select(Contact).where(Contact.id == contact_id, _theirs(Contact, owner)))


def change(change_id: UUID, owner: Owner) -> OpeningException | None:
    query = select(OpeningException).where(OpeningException.id == change_id, _theirs(OpeningException, owner))
    return session.scalar(query)


def plan(site: Site) -> SitePlan | None:
    return session.get(SitePlan, site.id)


def activities(unit: Unit) -> Sequence[Activity]:
    """All of them, those that closed too."""
    query = select(Activity).where(Activity.unit_id == unit.id).order_by(Activity.position, Activity.name, Activity.id)
    return session.scalars(query).all()


def reports(here: Collection[UUID], state: str, page: int) -> tuple[Sequence[ErrorReport], bool]:
    """One page of the tray, the oldest first while they wait and the latest first afterwards; and whether there are
    more."""
    moment = ErrorReport.created_at if state == "received" else ErrorReport.created_at.desc()
    query = select(ErrorReport).where(ErrorReport.establishment_id.in_(here), ErrorReport.state == state)
    rows = session.scalars(
        query.order_by(moment, ErrorReport.id).offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE + 1)
    ).all()
    return rows[:PAGE_SIZE], len(rows) > PAGE_SIZE


def report(report_id: UUID, here: Collection[UUID]) -> ErrorReport | None:
    query = select(ErrorReport).where(ErrorReport.id == report_id, ErrorReport.establishment_id.in_(here))
    return session.scalar(query)


def _theirs(model: Any, owner: Owner) -> Any:
    return getattr(model, _COLUMNS[type(owner)]) == owner.id
