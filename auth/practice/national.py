"""Looking for a professional of the country, for rooms below the one that keeps the national directory.

The room of the directory says how (`searched_by`); nobody finds anybody while it is closed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Known:
    """One professional, as a patient reads them. identity: national identifier (`8` and the RPPS number, `0` and the
    ADELI number). places: where they work, the first lines alone."""

    identity: str
    name: str
    occupation: str = ""
    places: Sequence[str] = ()


@dataclass(frozen=True)
class Answer:
    """One page. too_vague: a name or a town is needed. has_more: the search can be narrowed."""

    people: Sequence[Known] = ()
    too_vague: bool = False
    has_more: bool = False


@dataclass
class _Ways:
    search: Callable[[str, str], Answer] = field(default=lambda _name, _place: Answer())
    one: Callable[[str], Known | None] = field(default=lambda _identity: None)


_ways = _Ways()


def searched_by(search: Callable[[str, str], Answer], one: Callable[[str], Known | None]) -> None:
    """The directory says how people are looked for: by name and place, or by identifier. Asked as whoever looks."""
    _ways.search, _ways.one = search, one


def search(name: str, place: str) -> Answer:
    """Those whose name begins so, there. place: a town or a postcode, "" for everywhere."""
    return _ways.search(name, place)


def one(identity: str) -> Known | None:
    return _ways.one(identity)
