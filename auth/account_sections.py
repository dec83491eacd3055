"""What "My account" leads to: each noun of this package puts its page on the hub, for the audiences it concerns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Section:
    """One page of the account. title, text: lazy translations; endpoint: Flask's, without parameters.

    rank: the lowest first; who one is and how one is reached come before the rest.
    """

    title: Any
    text: Any
    icon: str
    endpoint: str
    audiences: tuple[str, ...] = ("patient",)
    rank: int = 50


_sections: dict[str, Section] = {}


def offer(section: Section) -> None:
    """Put a page on the hub; offered again, it keeps its place."""
    _sections[section.endpoint] = section


def sections(audience: str) -> Sequence[Section]:
    """The pages for an audience, by rank, then in the order they were offered."""
    offered = [section for section in _sections.values() if audience in section.audiences]
    return sorted(offered, key=lambda section: section.rank)
