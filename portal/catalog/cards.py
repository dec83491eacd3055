"""What rooms there are, and how each presents itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Group:
    """Trays of the staff that share one entry of the menu: a line of it for each right would fill the screen."""

    title: Any
    icon: str


@dataclass(frozen=True)
class Card:
    """How a room presents itself. Texts are lazy translations; endpoints are Flask's.

    audience: patient | professional. staff_endpoint: its tray, shown to staff holding `right`, under `group` if any.
    waiting: how many things there wait for the signed-in person, asked once when their home shows the card.
    """

    code: str
    title: Any
    text: Any
    icon: str
    endpoint: str
    audience: str = "patient"
    staff_title: Any = ""
    staff_endpoint: str = ""
    right: str = ""
    group: Group | None = None
    waiting: Callable[[], int] | None = None


_cards: dict[str, Card] = {}


def offer(card: Card) -> None:
    """A room puts its card in the catalogue."""
    _cards[card.code] = card


def cards(audience: str = "patient") -> Sequence[Card]:
    """The cards for an audience, in the order the rooms were registered."""
    return [card for card in _cards.values() if card.audience == audience]


def staff_cards() -> Sequence[Card]:
    return [card for card in _cards.values() if card.staff_endpoint]


def card(code: str) -> Card | None:
    """The card of that code, when a room has offered it."""
    return _cards.get(code)
