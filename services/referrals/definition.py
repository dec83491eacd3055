"""What a unit wants of a referral, as data: how urgent it may be, and which files come with it.

Both are lists of small objects kept in columns: a hospital changes its rules on a screen, never in code.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeVar

KINDS: Final = ("opinion", "consultation", "examination", "day_hospital", "hospitalisation", "follow_up")
OUTCOMES: Final = {
    "opinion": "opinion",
    "consultation": "appointment",
    "examination": "appointment",
    "day_hospital": "stay",
    "hospitalisation": "stay",
    "follow_up": "stay",
}
"""What a unit usually makes of a request of each kind when it accepts it."""
_LONGEST = 300
_MOST = 12
_MOST_HOURS = 24 * 90


class NotADefinition(Exception):
    """The rules of a unit make no sense. `code` says why; `rank` which line it is, from 0."""

    def __init__(self, code: str, rank: int) -> None:
        super().__init__(code)
        self.code, self.rank = code, rank


@dataclass(frozen=True)
class Level:
    """A degree of urgency. when: when to choose it, in the unit's words. answer_hours: within how many hours of
    business days the unit answers; 0 when it is never left to a form, and one calls."""

    code: str
    label: str
    when: str
    answer_hours: int

    @property
    def by_phone(self) -> bool:
        return self.answer_hours == 0


@dataclass(frozen=True)
class AskedFile:
    """A file that comes with the request (letter, result, images' report)."""

    code: str
    label: str
    required: bool


Line = TypeVar("Line", Level, AskedFile)


def levels(written: Sequence[dict[str, Any]]) -> tuple[Level, ...]:
    """The urgency grid of an offer, from the most urgent on. Raises NotADefinition."""
    read = tuple(
        Level(
            _code(line, rank),
            _text(line, "label", rank),
            _text(line, "when", rank, empty=True),
            _hours(line.get("answer_hours"), rank),
        )
        for rank, line in enumerate(written)
    )
    if all(level.by_phone for level in read):
        raise NotADefinition("no_written_level", 0)
    return _distinct(read)


def asked_files(written: Sequence[dict[str, Any]]) -> tuple[AskedFile, ...]:
    """The files that an offer asks for, in their order. Raises NotADefinition."""
    read = tuple(
        AskedFile(_code(line, rank), _text(line, "label", rank), line.get("required") is True)
        for rank, line in enumerate(written)
    )
    return _distinct(read)


def written(lines: Sequence[Level] | Sequence[AskedFile]) -> list[dict[str, Any]]:
    """As a column keeps them."""
    return [asdict(line) for line in lines]


def _distinct(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    if len(lines) > _MOST:
        raise NotADefinition("too_many", _MOST)
    seen: set[str] = set()
    for rank, line in enumerate(lines):
        if line.code in seen:
            raise NotADefinition("twice", rank)
        seen.add(line.code)
    return lines


def _code(line: dict[str, Any], rank: int) -> str:
    code = line.get("code")
    if not isinstance(code, str) or not code.replace("_", "").isalnum() or not code.isascii() or len(code) > 40:
        raise NotADefinition("code", rank)
    return code


def _text(line: dict[str, Any], name: str, rank: int, *, empty: bool = False) -> str:
    text = line.get(name, "")
    if not isinstance(text, str) or len(text) > _LONGEST or not (empty or text.strip()):
        raise NotADefinition(name, rank)
    return text.strip()


def _hours(value: object, rank: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST_HOURS:
        raise NotADefinition("answer_hours", rank)
    return value


USUAL_LEVELS: Final = (
    Level("now", "Tout de suite", "Le patient ne peut pas attendre", 0),
    Level("two_days", "Sous 48 heures", "Une réponse est nécessaire dans les deux jours ouvrés", 48),
    Level("week", "Dans la semaine", "L’état du patient est stable", 5 * 24),
    Level("month", "Dans le mois", "Suivi ou bilan programmé", 10 * 24),
)
"""The grid of a unit that has not written its own."""
