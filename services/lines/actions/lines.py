"""What an administrator does with a line: describe it, close it for a while, take it away."""

from dataclasses import asdict, dataclass
from uuid import UUID, uuid4

from portal import audit, db
from portal.db import session
from portal.establishments import Unit
from services.lines.models import Line


@dataclass(frozen=True)
class Described:
    """A line as an administrator writes it; see `models.Line`. week: as `hours.write` writes each day."""

    speciality: str
    label: str
    number: str
    answers: str
    week: tuple[str, ...]
    holidays: str = "closed"
    for_what: str = ""
    not_for: str = ""
    rank: int = 10
    takes_callbacks: bool = True
    answer_minutes: int = 120
    escalation_email: str = ""
    alternative_id: UUID | None = None


def add_line(unit: Unit, told: Described) -> Line:
    """Give practitioners a number of this unit."""
    made = Line(id=uuid4(), establishment_id=unit.establishment_id, unit_id=unit.id, **_facts(told))
    session.add(made)
    session.flush()
    _record(made, "added")
    return made


def change_line(line: Line, told: Described) -> None:
    for name, value in _facts(told).items():
        setattr(line, name, value)
    session.flush()
    _record(line, "changed")


def close_line(line: Line, note: str = "", *, instead: Line | None = None) -> None:
    """Nobody answers it for now, whatever its hours. note: what practitioners read. instead: the line to call, when it
    names none of another unit itself."""
    line.is_open, line.closed_note = False, note
    if instead is not None and (line.alternative is None or line.alternative.unit_id == line.unit_id):
        line.alternative_id = instead.id
    session.flush()
    _record(line, "closed")


def open_line(line: Line) -> None:
    line.is_open, line.closed_note = True, ""
    session.flush()
    _record(line, "opened")


def remove_line(line: Line) -> None:
    """Never shown any more; what was asked of it stays."""
    line.removed_at = db.now()
    session.flush()
    _record(line, "removed")


def _facts(told: Described) -> dict[str, object]:
    return asdict(told) | {"week": list(told.week)}


def _record(line: Line, what: str) -> None:
    audit.record(f"line.{what}", establishment_id=line.establishment_id, object_kind="direct_line", object_id=line.id)
