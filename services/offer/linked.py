"""What rooms above have for a unit (booking online, a direct line, a referral): they offer links, shown here."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.establishments import Unit


@dataclass(frozen=True)
class Link:
    """label: a lazy translation. href: an address of the portal. is_main: the first thing that one comes for."""

    label: Any
    href: str
    icon: str = "arrow-right"
    is_main: bool = False


Provider = Callable[[Sequence[Unit]], Mapping[UUID, Sequence[Link]]]
"""Units → links for each, by its id. Asked inside a request, once a page."""
_providers: dict[tuple[str, str], Provider] = {}


def offer(code: str, audience: str, provider: Provider) -> None:
    """A room says what it has for units. audience: patient (everybody reads it) or professional; said again, it is
    replaced."""
    _providers[(code, audience)] = provider


def of_units(units: Collection[Unit], audience: str) -> Mapping[UUID, Sequence[Link]]:
    """Every link of each unit, the main ones first."""
    found: dict[UUID, list[Link]] = {each.id: [] for each in units}
    for (_code, whose), provider in _providers.items():
        if whose == audience:
            for unit_id, links in provider(list(units)).items():
                found.setdefault(unit_id, []).extend(links)
    return {unit_id: sorted(links, key=lambda each: not each.is_main) for unit_id, links in found.items()}
