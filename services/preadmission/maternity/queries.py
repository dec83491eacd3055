"""What patients and units see of places for births."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from auth import records
from portal.db import session
from portal.establishments import Establishment, Site, today_in
from services.preadmission.maternity.models import (
    OPEN,
    TAKEN,
    MaternityChange,
    MaternityPlaces,
    MaternityRequest,
    MaternityWish,
)
from services.preadmission.models import Preadmission

PAGE_SIZE = 50
GROUPS: Mapping[str, tuple[str, ...]] = {
    "to_answer": ("received", "studied"),
    "offered": ("offered",),
    "waiting_list": ("waiting_list",),
    "confirmed": ("confirmed",),
    "over": ("refused", "cancelled", "born_elsewhere"),
}


@dataclass(frozen=True)
class Room:
    """Places of one site, month and level: how many there are, how many are kept, how many people wait."""

    places: MaternityPlaces
    taken: int
    waiting: int

    @property
    def left(self) -> int:
        return self.places.places - self.taken


def first_day(day: date) -> date:
    return day.replace(day=1)


def of_file(preadmission_id: UUID) -> MaternityRequest | None:
    """The request of a file, with what each site said; the caller has found the file under its own rules."""
    return session.scalar(
        select(MaternityRequest)
        .where(MaternityRequest.preadmission_id == preadmission_id)
        .options(selectinload(MaternityRequest.wishes).options(
            joinedload(MaternityWish.site), joinedload(MaternityWish.establishment), joinedload(MaternityWish.places)
        ))
    )  # fmt: skip


def sites() -> Sequence[Site]:
    """Those that take births: they have places in some month."""
    query = select(Site).where(Site.id.in_(select(MaternityPlaces.site_id))).options(joinedload(Site.establishment))
    return session.scalars(query.order_by(Site.name)).all()


def wished(file: Preadmission, others: Sequence[str], offered: Sequence[Site]) -> Sequence[Site]:
    """The file's own site, then the others wished, in order; `any` stands for all those that take births. Pure."""
    by_key = {str(site.id): site for site in offered}
    found = [file.unit.site]
    for each in others:
        found += offered if each == "any" else [by_key[each]] if each in by_key else []
    return list({site.id: site for site in found}.values())


def tray(establishment_ids: Collection[UUID], group: str, month: date | None, page: int = 1) -> Sequence[MaternityWish]:
    """Wishes at these hospitals: the nearest birth first, those on the list in its order."""
    order = MaternityWish.listed_at if group == "waiting_list" else MaternityRequest.due_on
    query = (
        select(MaternityWish)
        .join(MaternityWish.request)
        .where(MaternityWish.establishment_id.in_(establishment_ids), MaternityWish.state.in_(GROUPS[group]))
        .options(
            joinedload(MaternityWish.request).joinedload(MaternityRequest.patient),
            joinedload(MaternityWish.site),
            joinedload(MaternityWish.places),
        )
        .order_by(order, MaternityWish.id)
    )
    if month is not None:
        query = query.where(func.date_trunc("month", MaternityRequest.due_on) == month)
    return session.scalars(query.limit(PAGE_SIZE + 1).offset((page - 1) * PAGE_SIZE)).all()


def secret(wishes: Sequence[MaternityWish]) -> frozenset[UUID]:
    """The files, of these requests', whose patient asked that nobody be told: no list names them. As the system, since
    a site does not see the file of another one."""
    with records.as_system("maternity.tray"):
        wanted = select(Preadmission.id).where(
            Preadmission.id.in_([each.preadmission_id for each in wishes]), Preadmission.confidential
        )
        return frozenset(session.scalars(wanted))


def counts(establishment_ids: Collection[UUID]) -> Mapping[str, int]:
    """Group → how many wishes."""
    rows = session.execute(
        select(MaternityWish.state, func.count())
        .where(MaternityWish.establishment_id.in_(establishment_ids))
        .group_by(MaternityWish.state)
    )
    by_state: dict[str, int] = dict(rows.all())
    return {group: sum(by_state.get(state, 0) for state in states) for group, states in GROUPS.items()}


def one(establishment_ids: Collection[UUID], wish_id: UUID) -> MaternityWish | None:
    return session.scalar(
        select(MaternityWish)
        .where(MaternityWish.id == wish_id, MaternityWish.establishment_id.in_(establishment_ids))
        .options(
            joinedload(MaternityWish.request).joinedload(MaternityRequest.patient),
            joinedload(MaternityWish.site),
            joinedload(MaternityWish.establishment),
            joinedload(MaternityWish.places),
        )
    )


def history(wish_id: UUID) -> Sequence[MaternityChange]:
    """The latest first."""
    query = select(MaternityChange).where(MaternityChange.wish_id == wish_id)
    return session.scalars(query.order_by(MaternityChange.at.desc(), MaternityChange.id)).all()


def rooms(establishment_ids: Collection[UUID], *, since: date, site_id: UUID | None = None) -> Sequence[Room]:
    """By month, site and level, from that month on."""
    query = select(MaternityPlaces).where(
        MaternityPlaces.establishment_id.in_(establishment_ids), MaternityPlaces.month >= first_day(since)
    )
    if site_id is not None:
        query = query.where(MaternityPlaces.site_id == site_id)
    found = session.scalars(
        query.options(joinedload(MaternityPlaces.site)).order_by(
            MaternityPlaces.month, MaternityPlaces.site_id, MaternityPlaces.level
        )
    ).all()
    held = _held([each.id for each in found])
    return [Room(each, held.get((each.id, True), 0), held.get((each.id, False), 0)) for each in found]


def _held(keys: Sequence[UUID]) -> Mapping[tuple[UUID, bool], int]:
    """(places, whether kept rather than waited for) → how many."""
    kept = MaternityWish.state.in_(TAKEN).label("kept")
    rows = session.execute(
        select(MaternityWish.places_id, kept, func.count())
        .where(MaternityWish.places_id.in_(keys), MaternityWish.state.in_((*TAKEN, "waiting_list")))
        .group_by(MaternityWish.places_id, kept)
    )
    return {(places_id, is_kept): number for places_id, is_kept, number in rows if places_id}


def at(site_id: UUID, due_on: date, level: str) -> MaternityPlaces | None:
    """The places of the month of a birth."""
    return session.scalar(
        select(MaternityPlaces).where(
            MaternityPlaces.site_id == site_id,
            MaternityPlaces.month == first_day(due_on),
            MaternityPlaces.level == level,
        )
    )


def taken(places_id: UUID) -> int:
    query = select(func.count()).where(MaternityWish.places_id == places_id, MaternityWish.state.in_(TAKEN))
    return session.scalar(query) or 0


def first_waiting(places_id: UUID) -> UUID | None:
    """The wish that waits for the longest."""
    return session.scalar(
        select(MaternityWish.id)
        .where(MaternityWish.places_id == places_id, MaternityWish.state == "waiting_list")
        .order_by(MaternityWish.listed_at, MaternityWish.id)
        .limit(1)
    )


def unanswered() -> Sequence[UUID]:
    """Places kept for somebody whose last day to answer is over, where the hospital is."""
    return session.scalars(
        select(MaternityWish.id)
        .join(MaternityWish.establishment)
        .where(MaternityWish.state == "offered", MaternityWish.answer_by < today_in(Establishment.time_zone))
        .limit(500)
    ).all()


def others(wish: MaternityWish) -> Sequence[MaternityWish]:
    """The other wishes of the request that are still open, in a fixed order."""
    return session.scalars(
        select(MaternityWish)
        .where(MaternityWish.request_id == wish.request_id, MaternityWish.id != wish.id, MaternityWish.state.in_(OPEN))
        .order_by(MaternityWish.id)
    ).all()
