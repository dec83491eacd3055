"""Units that suit what somebody looks for: words (accents and typos forgiven), speciality, place, access, language.

A group has hundreds of units: they are read whole, three statements, and compared here.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from portal.establishments import Establishment, Practitioner, Unit
from services.offer import queries, specialities, words
from services.offer.models import Activity

PAGE_SIZE = 20


@dataclass(frozen=True)
class Asked:
    """What is looked for; empty: whatever. finess: of a hospital. speciality: TRE_R38. age: in years. language: ISO
    639, spoken beside French. audience: see `queries`."""

    words: str = ""
    finess: str = ""
    town: str = ""
    speciality: str = ""
    language: str = ""
    for_wheelchairs: bool = False
    age: int | None = None
    page: int = 1
    audience: str = "patient"

    @property
    def is_empty(self) -> bool:
        return self == Asked(page=self.page, audience=self.audience)


@dataclass(frozen=True)
class Found:
    """A unit that suits, with the activities and practitioners for whom it does: all of them when only the unit or its
    place was looked for."""

    unit: Unit
    activities: Sequence[Activity]
    practitioners: Sequence[Practitioner]


@dataclass(frozen=True)
class Facets:
    """What may be chosen: only what would find something."""

    hospitals: Sequence[Establishment]
    towns: Sequence[str]
    specialities: Sequence[tuple[str, str]]
    languages: Sequence[str]


@dataclass(frozen=True)
class Results:
    found: Sequence[Found]
    total: int
    page: int
    facets: Facets

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


@dataclass(frozen=True)
class _Known:
    """Everything that may be found."""

    units: Sequence[Unit]
    activities: Mapping[UUID, Sequence[Activity]]
    practitioners: Mapping[UUID, Sequence[Practitioner]]


def search(asked: Asked) -> Results:
    """One page of units, the best first, then by hospital and name."""
    known = _known(asked.audience)
    scored = [
        (score, number, found)
        for number, unit in enumerate(known.units)
        if (found := _suiting(asked, unit, known)) is not None and (score := _score(asked, found)) is not None
    ]
    ordered = [_narrowed(asked, each) for _score, _number, each in sorted(scored, key=lambda each: each[:2])]
    pages = max(1, -(-len(ordered) // PAGE_SIZE))
    page = min(max(1, asked.page), pages)
    shown = ordered[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    return Results(shown, len(ordered), page, _facets(known))


def _known(audience: str) -> _Known:
    activities: dict[UUID, list[Activity]] = defaultdict(list)
    people: dict[UUID, list[Practitioner]] = defaultdict(list)
    for activity in queries.activities(audience=audience):
        activities[activity.unit_id].append(activity)
    for person in queries.practitioners():
        people[person.unit_id].append(person)
    return _Known(queries.units(), activities, people)


# -- what suits --------------------------------------------------------------------------------------------------


def _suiting(asked: Asked, unit: Unit, known: _Known) -> Found | None:
    """What of a unit passes every filter; None when nothing does."""
    site = unit.site
    if asked.finess not in ("", unit.establishment.finess) or asked.town not in ("", site.town):
        return None
    if asked.for_wheelchairs and not site.for_wheelchairs:
        return None
    activities = [each for each in known.activities.get(unit.id, ()) if _takes(asked, each)]
    people = [each for each in known.practitioners.get(unit.id, ()) if _speaks(asked, each.languages)]
    if asked.speciality:
        activities = [each for each in activities if each.speciality == asked.speciality]
        people = [each for each in people if specialities.code_of(each.speciality) == asked.speciality]
    is_narrowed = asked.speciality or asked.language or asked.age is not None
    if is_narrowed and not activities and (not people or asked.age is not None):
        return None
    return Found(unit, activities, people)


def _takes(asked: Asked, activity: Activity) -> bool:
    return (asked.age is None or activity.takes(asked.age)) and _speaks(asked, activity.languages)


def _speaks(asked: Asked, languages: Collection[str]) -> bool:
    return not asked.language or asked.language in languages


def _score(asked: Asked, found: Found) -> int | None:
    """How far the words are from those of a unit, what it offers and who receives there: 0 is best; None: some word is
    not found at all."""
    wanted = words.asked(asked.words)
    if not wanted:
        return 0
    by_name, by_offer = words.words_of([found.unit.name]), _vocabulary(found)
    total = 0
    for word in wanted:
        typos = words.nearest(word, by_offer)
        if typos is None:
            return None
        total += 10 * typos + (0 if words.nearest(word, by_name) == 0 else 1)
    return total


def _vocabulary(found: Found) -> frozenset[str]:
    unit = found.unit
    place = [unit.name, unit.presentation, unit.site.name, unit.site.town, unit.establishment.name]
    offered = [text for each in found.activities for text in _said(each)]
    people = [text for each in found.practitioners for text in _named(each)]
    return words.words_of([*place, unit.establishment.short_name, *offered, *people])


def _said(activity: Activity) -> list[str]:
    code = activity.speciality
    known = [specialities.words_of(code), specialities.said_for(code)]
    return [activity.name, activity.presentation, *known, *activity.equipment]


def _named(person: Practitioner) -> list[str]:
    said = specialities.said_for(specialities.code_of(person.speciality))
    return [person.family_name, person.given_name, person.speciality, said]


def _narrowed(asked: Asked, found: Found) -> Found:
    """Only the activities and people that the words name, when they name some and not the unit."""
    wanted = words.asked(asked.words)
    if not wanted:
        return found
    activities = [each for each in found.activities if _names(wanted, _said(each))]
    people = [each for each in found.practitioners if _names(wanted, _named(each))]
    if not activities and not people:
        return found
    return Found(found.unit, activities or found.activities, people)


def _names(wanted: Sequence[str], texts: Sequence[str]) -> bool:
    known = words.words_of(texts)
    return any(words.nearest(word, known) is not None for word in wanted)


def _facets(known: _Known) -> Facets:
    hospitals = {each.establishment_id: each.establishment for each in known.units}
    people = [each for some in known.practitioners.values() for each in some]
    offered = [each for some in known.activities.values() for each in some]
    codes = {each.speciality for each in offered} | {specialities.code_of(each.speciality) for each in people}
    spoken = {code for each in people for code in each.languages} | {
        code for each in offered for code in each.languages
    }
    named = [(code, specialities.words_of(code)) for code in codes if specialities.is_code(code)]
    return Facets(
        list(hospitals.values()),
        sorted({each.site.town for each in known.units} - {""}, key=words.folded),
        sorted(named, key=lambda each: words.folded(each[1])),
        sorted(spoken),
    )
