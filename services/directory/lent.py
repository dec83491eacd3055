"""The directory lent to rooms beside and below, which do not import it: what a patient may read of it, and no box."""

from auth.practice import national
from auth.practice.national import Answer, Known
from auth.records import as_system
from services.directory import queries
from services.directory.queries import Person

_MOST_PLACES = 2


def declare() -> None:
    national.searched_by(search, one)


def search(name: str, place: str) -> Answer:
    """As the system: patients have no key to the directory, only these few words of it."""
    with as_system("directory.lend"):
        found = queries.search(name, place=place)
    return Answer([_known(each) for each in found.people], found.too_vague, found.has_next)


def one(identity: str) -> Known | None:
    with as_system("directory.lend"):
        person = queries.person(identity)
    return _known(person) if person is not None else None


def _known(person: Person) -> Known:
    occupation = next((each.occupation for each in person.activities if each.occupation), "")
    lines = [
        ", ".join(filter(None, (each.place, f"{each.postcode} {each.town}".strip()))) for each in person.activities
    ]
    places = list(dict.fromkeys(filter(None, lines)))[:_MOST_PLACES]
    return Known(person.id, person.full_name, occupation, places)
