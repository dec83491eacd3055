"""What members of a circle are shown: rooms above say it, and this one knows nothing of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from auth.records import as_system


@dataclass(frozen=True)
class Line:
    """One thing. at: the moment it is sorted and shown by. href: where it is read, "" when its line says all."""

    title: str
    at: datetime | None = None
    detail: str = ""
    href: str = ""


@dataclass(frozen=True)
class Looking:
    """Whose file is looked at, by virtue of which place in the circle."""

    member_id: UUID
    patient_id: UUID


@dataclass(frozen=True)
class Section:
    """code: of the part of the page. scope: what the patient must let see (`states.SCOPES`). title, empty: lazy
    translations. lines: asked as the professional, whom row-level security shows what the patient lets them see.
    opened: False when it opens no row to them: then asked as the system, and the statement looks at the place itself.
    """

    code: str
    scope: str
    title: Any
    empty: Any
    icon: str
    lines: Callable[[Looking], Sequence[Line]]
    opened: bool = True


_sections: dict[str, Section] = {}


def show(section: Section) -> None:
    """A room shows something to members of the circle; said again, it is replaced."""
    _sections[section.code] = section


def of(scopes: Sequence[str], looking: Looking) -> Sequence[tuple[Section, Sequence[Line]]]:
    """What these scopes open, in their order."""
    shown = [each for scope in scopes for each in _sections.values() if each.scope == scope]
    found = {each.code: each.lines(looking) for each in shown if each.opened}
    with as_system("circle.show"):
        found |= {each.code: each.lines(looking) for each in shown if not each.opened}
    return [(each, found[each.code]) for each in shown]
