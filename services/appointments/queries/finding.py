"""Finding a consultation: by words, speciality, practitioner, place, needs or language, and its first free day."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Row, select

from portal import db
from portal.db import session
from portal.establishments import Establishment, Practitioner, Site, Unit
from services.appointments.models import ConsultationSession, Reason, SessionReason
from services.appointments.queries.free_slots import Asking, Offer, Wish, first_times
from services.appointments.queries.reasons import online
from services.appointments.queries.spelling import letters

Person = Row[UUID, UUID, str, str, str, list[str]]
"""A practitioner: id, unit, family name, given name, speciality, languages."""
PAGE_SIZE = 40
NEEDS = ("for_wheelchairs", "for_hearing", "for_sight")
"""What a place offers to those who need it: columns of Site."""


@dataclass(frozen=True)
class Search:
    """What somebody looks for; empty: whatever. needs: among NEEDS. language: ISO 639. soonest: by first free day."""

    words: str = ""
    finess: str = ""
    town: str = ""
    speciality: str = ""
    language: str = ""
    needs: Collection[str] = ()
    practitioner_id: UUID | None = None
    never_came: bool = False
    by_video: bool = False
    soonest: bool = False
    page: int = 1

    @property
    def is_empty(self) -> bool:
        return self == Search(soonest=self.soonest, page=self.page)


@dataclass(frozen=True)
class Found:
    """A reason, its first free time if there is one, and with whom when the search names practitioners."""

    reason: Reason
    first: Offer | None
    practitioners: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class Facets:
    """What may be chosen in the search: only what would find something."""

    hospitals: Sequence[Establishment]
    towns: Sequence[str]
    specialities: Sequence[str]
    languages: Sequence[str]
    needs: Sequence[str]
    has_video: bool


@dataclass(frozen=True)
class Results:
    found: Sequence[Found]
    total: int
    page: int
    facets: Facets

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


def find(search: Search) -> Results:
    """Reasons open online that suit, in the order of hospitals and units, or by their first free day."""
    reasons = session.scalars(
        online().order_by(Establishment.name, Unit.name, Reason.position, Reason.name)
    ).all()  # fmt: skip
    people = _practitioners({each.establishment_id for each in reasons})
    matched = _matched(search, [each for each in reasons if _suits(search, each)], people)
    facets = _facets(reasons, people)
    pages = max(1, -(-len(matched) // PAGE_SIZE))
    page = min(max(1, search.page), pages)
    shown = slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE)
    if not search.soonest:
        return Results(_with_first(matched[shown]), len(matched), page, facets)
    found = sorted(_with_first(matched), key=lambda each: (each.first is None, each.first and each.first.at))
    return Results(found[shown], len(matched), page, facets)


def _suits(search: Search, reason: Reason) -> bool:
    """What the reason and its place tell, whoever receives."""
    site: Site = reason.unit.site
    return (
        (not search.finess or reason.unit.establishment.finess == search.finess)
        and (not search.town or site.town == search.town)
        and all(getattr(site, need) for need in search.needs)
        and not (search.never_came and not reason.open_to_new_patients)
        and (not search.by_video or reason.is_remote)
    )


# -- with whom ---------------------------------------------------------------------------------------------------


def _practitioners(establishments: Collection[UUID]) -> Sequence[Person]:
    table = Practitioner
    return session.execute(
        select(table.id, table.unit_id, table.family_name, table.given_name, table.speciality, table.languages)
        .where(table.establishment_id.in_(establishments))
        .order_by(table.family_name)
    ).all()


def _matched(search: Search, reasons: Sequence[Reason], people: Sequence[Person]) -> list[Found]:
    """The reasons whose words suit, or that somebody who suits receives for."""
    words = [letters(word) for word in search.words.split()]
    left = {each.id: [word for word in words if word not in _text(each)] for each in reasons}
    by_speciality = {each.id for each in reasons if search.speciality and each.speciality == search.speciality}
    suiting = [each for each in people if _is_wanted(search, each)]
    texts = {each.id: letters(f"{each.given_name}{each.family_name}{each.speciality}") for each in suiting}
    named = {each for each, text in texts.items() if any(word in text for word in words)}
    narrowed = bool(search.language or search.practitioner_id)
    asked = set(texts) if narrowed or search.speciality else named
    receive = _receive(asked) if narrowed or search.speciality or any(left.values()) else {}
    found = []
    for each in reasons:
        needs_somebody = narrowed or left[each.id] or (search.speciality and each.id not in by_speciality)
        with_whom = tuple(
            one for one in receive.get(each.id, ()) if all(word in texts[one] for word in left[each.id])
        )  # fmt: skip
        if not needs_somebody:
            found.append(Found(each, None))
        elif with_whom:
            found.append(Found(each, None, with_whom))
    return found


def _text(reason: Reason) -> str:
    unit = reason.unit
    return letters(f"{unit.name} {reason.name} {reason.speciality} {unit.site.name} {unit.site.town}")


def _is_wanted(search: Search, person: Person) -> bool:
    return (
        (search.practitioner_id is None or person.id == search.practitioner_id)
        and (not search.language or search.language in person.languages)
        and (not search.speciality or person.speciality == search.speciality)
    )


def _receive(practitioners: Collection[UUID]) -> Mapping[UUID, Sequence[UUID]]:
    """Reason → those of these practitioners who receive for it from now on."""
    if not practitioners:
        return {}
    rows = session.execute(
        select(SessionReason.reason_id, ConsultationSession.practitioner_id)
        .join(ConsultationSession, ConsultationSession.id == SessionReason.session_id)
        .where(ConsultationSession.practitioner_id.in_(practitioners), ConsultationSession.start_at > db.now())
        .distinct()
    )
    found: dict[UUID, list[UUID]] = {}
    for reason_id, practitioner_id in rows:
        found.setdefault(reason_id, []).append(practitioner_id)
    return found


# -- when, and what else -----------------------------------------------------------------------------------------


def _with_first(matched: Sequence[Found]) -> list[Found]:
    """The first free time of each; with those who were asked for, when somebody was."""
    anybody = [each.reason for each in matched if not each.practitioners]
    somebody = [each.reason for each in matched if each.practitioners]
    names = {one for each in matched for one in each.practitioners}
    first = {**first_times(Asking.online(anybody)), **first_times(Asking.online(somebody, Wish(tuple(sorted(names)))))}
    return [replace(each, first=first.get(each.reason.id)) for each in matched]


def _facets(
    reasons: Sequence[Reason], people: Sequence[Person]
) -> Facets:  # fmt: skip
    units = {each.unit_id: each.unit for each in reasons}
    here = [each for each in people if each.unit_id in units]
    hospitals = {each.establishment.id: each.establishment for each in units.values()}
    specialities = {each.speciality for each in here} | {each.speciality for each in reasons}
    return Facets(
        list(hospitals.values()),
        sorted({each.site.town for each in units.values()} - {""}, key=letters),
        sorted(specialities - {""}, key=letters),
        sorted({code for each in here for code in each.languages}),
        [need for need in NEEDS if any(getattr(each.site, need) for each in units.values())],
        any(each.is_remote for each in reasons),
    )
