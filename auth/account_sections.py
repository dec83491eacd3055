"""What "My account" leads to: each noun of this package puts its page on the hub, for the audiences it concerns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Section:
    """One page of the account. title, text: lazy translations; endpoint: Flask's, without parameters."""

    title: Any
    text: Any
    icon: str
    endpoint: str
    audiences: tuple[str, ...] = ("patient",)


_sections: dict[str, Section] = {}


def offer(section: Section) -> None:
    """Put a page on the hub; offered again, it keeps its place."""
    _sections[section.endpoint] = section


def sections(audience: str) -> Sequence[Section]:
    """The pages for an audience, in the order they were offered."""
    return [section for section in _sections.values() if audience in section.audiences]
