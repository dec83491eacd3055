"""What goes into the copy of somebody's data: each room adds its part here, and knows nothing of the others.

A part is plain data, the same for the JSON file and for the PDF, with the files as they were sent.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from portal.files import StoredFile

Value = str | int | bool | date | datetime | None | list[str]


@dataclass(frozen=True)
class Fact:
    """One piece of data. code: its name in the JSON file; label: in the PDF (a lazy translation). words: how the PDF
    says a value that is a code or an amount."""

    code: str
    label: Any
    value: Value
    words: Any = ""


@dataclass(frozen=True)
class Entry:
    """One thing: an appointment, a bill… title: what tells it from the others, for people."""

    title: str
    facts: Sequence[Fact]


@dataclass(frozen=True)
class Part:
    """All that one room holds about a person. files: those the person may open."""

    code: str
    title: Any
    entries: Sequence[Entry] = ()
    files: Sequence[StoredFile] = field(default=())


Contribution = Callable[[UUID], Part]
_contributions: dict[str, Contribution] = {}


def contribute(code: str, contribution: Contribution) -> None:
    """A room says how to collect what it holds about a patient (patient id → Part). Said again, it is replaced.

    Called as the system and for the person themselves: nothing that was masked from others is left out.
    """
    _contributions[code] = contribution


def parts(patient_id: UUID) -> Iterator[Part]:
    """What every room holds about this person, in the order the rooms came."""
    for contribution in _contributions.values():
        yield contribution(patient_id)
