"""Whom the closing of a service touches: each room, or what stands above it, says so for its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Touched:
    """So many of these. words: a translatable text without the number; href: where they are seen, "" for nowhere."""

    words: Any
    count: int
    href: str = ""


Ask = Callable[[UUID, date], Sequence[Touched]]
_asked: dict[str, Ask] = {}


def tell_with(code: str, ask: Ask) -> None:
    """Ask this before the service `code` is closed at a hospital from a day on."""
    _asked[code] = ask


def of(code: str, establishment_id: UUID, from_on: date) -> Sequence[Touched]:
    """Whom it touches, those that are not nobody."""
    ask = _asked.get(code)
    return [each for each in ask(establishment_id, from_on) if each.count] if ask else []
