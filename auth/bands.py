"""Bands under the menus of every page: for whom, where and in whose stead the signed-in person acts now."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Band:
    """One line. text, link_text, button: translated words; href: a page that changes it; action: an address that
    ends it, by POST. tone: plain, or strong when the person acts for somebody else."""

    text: Any
    icon: str = "user"
    tone: str = "plain"
    href: str = ""
    link_text: Any = ""
    action: str = ""
    button: Any = ""


Source = Callable[[], Iterable[Band]]
_sources: list[Source] = []


def offer(source: Source) -> None:
    """Let a noun say its bands; asked once a page, offered once."""
    if source not in _sources:
        _sources.append(source)


def bands() -> list[Band]:
    """What the current page must say before anything else, strong ones first."""
    found = [band for source in _sources for band in source()]
    return sorted(found, key=lambda band: band.tone != "strong")
