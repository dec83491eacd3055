"""Patients whom a practitioner has already met in the portal, as they are named there.

Rooms above (an exchange of documents) `offer` what the practitioner reads there; no hospital's file is ever read here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from auth.identity.traits import key
from services.sent_patients import queries

SENT: Final = "sent"
_MOST: Final = 12


@dataclass(frozen=True, repr=False)
class Known:
    """Somebody, as they were named there. id: of the row of the room that knows it. at: when."""

    id: UUID
    birth_name: str
    first_name: str
    birth_on: date
    at: datetime
    sex: str = ""
    mobile: str = ""
    email: str = ""
    source: str = SENT

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.birth_name}"

    @property
    def key(self) -> str:
        """To name them in an address: nothing of who they are."""
        return f"{self.source}-{self.id}"


Source = Callable[[UUID], Sequence[Known]]
"""A practitioner → whom they named there, latest first."""
_sources: dict[str, Source] = {}


def offer(code: str, source: Source) -> None:
    """A room says whom a practitioner named there."""
    _sources[code] = source


def known_to(professional_id: UUID) -> Sequence[Known]:
    """Each once (their own list first: it says more), the latest dozen, by name."""
    found = [*_own(professional_id)]
    for source in _sources.values():
        found += source(professional_id)
    once: dict[tuple[str, str, date], Known] = {}
    for each in found:
        once.setdefault((key(each.birth_name), key(each.first_name), each.birth_on), each)
    lately = sorted(once.values(), key=lambda each: each.at, reverse=True)[:_MOST]
    return sorted(lately, key=lambda each: (each.birth_name, each.first_name, each.birth_on))


def named(professional_id: UUID, wanted: str) -> Known | None:
    """The one with that `key`, among those."""
    return next((each for each in known_to(professional_id) if each.key == wanted), None)


def _own(professional_id: UUID) -> list[Known]:
    return [
        Known(
            each.id, each.birth_name, each.first_name, each.birth_on, each.created_at, each.sex, each.mobile, each.email
        )
        for each in queries.patients(professional_id)
    ]
