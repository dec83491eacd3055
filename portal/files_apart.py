"""What is done to hostile files, each time in a process apart (`portal.apart`): opened to the end, copied, drawn."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from portal import apart
from portal.apart import GaveUp
from portal.file_sniffing import FileDamaged, FileRefused, Kind

_HERE: Final = Path(__file__).parent
_LARGEST: Final = 200 * 1024 * 1024
"""Bytes of a copy: a PDF may grow when its annotations are drawn on its pages."""


class CannotCopy(Exception):
    """The file was received, and yet no copy of it can be made."""


@dataclass(frozen=True)
class Copy:
    data: bytes
    media_type: str


def sheets_of(kind: Kind, whole: bytes) -> int:
    """Open a file to its end, and count the sheets of a PDF; anything else has one. Raises FileRefused."""
    try:
        facts, _data = apart.heard(apart.run(_HERE / "file_opening.py", whole, [kind.value]))
    except GaveUp:  # it eats, hangs or breaks its parser: nobody else should open it
        raise FileDamaged from None
    if "refused" in facts:
        raise _refusal(str(facts["refused"]), facts.get("facts"))
    return int(facts["sheets"])


def _refusal(name: str, facts: Any) -> FileRefused:
    """The refusal as its parser raised it; a plain one for whatever else is said."""
    known = {each.__name__: each for each in _below(FileRefused)}
    try:
        return known[name](*facts)
    except (KeyError, TypeError):
        return FileDamaged()


def _below(kind: type[FileRefused]) -> list[type[FileRefused]]:
    return [each for below in kind.__subclasses__() for each in (below, *_below(below))]


def copy_of(data: bytes, media_type: str) -> Copy:
    """The copy of a received PDF, JPEG, PNG or HEIC, for people to look at. Raises CannotCopy."""
    facts, made = _copies(data, "copy", media_type)
    return Copy(made, str(facts["type"]))


def emblem(data: bytes, box: tuple[int, int]) -> tuple[bytes, int, int]:
    """A received PNG or JPEG as a small PNG that keeps what is transparent, with its width and height in pixels, both
    within `box`. Raises CannotCopy."""
    facts, made = _copies(data, "emblem", *map(str, box))
    return made, int(facts["width"]), int(facts["height"])


def turned(data: bytes, rotation: int) -> bytes:
    """The copy of a PDF, turned clockwise (90, 180, 270 degrees). Raises CannotCopy."""
    return _copies(data, "turn", str(rotation))[1]


def picture(data: bytes, *, sheet: int = 0, rotation: int = 0, watermark: str = "") -> bytes:
    """A copied JPEG, or that sheet of a copied PDF, from 1, as a JPEG whose longest side is 1800 pixels; turned
    clockwise (0, 90, 180, 270 degrees), with words written across it. Raises CannotCopy."""
    asked = [str(sheet), str(rotation), watermark]
    try:
        return apart.run(_HERE / "file_sheets.py", data, asked, most=_LARGEST)
    except GaveUp:
        raise CannotCopy from None


def _copies(data: bytes, *arguments: str) -> tuple[dict[str, Any], bytes]:
    try:
        facts, made = apart.heard(apart.run(_HERE / "file_copies.py", data, arguments, most=_LARGEST))
    except GaveUp:
        raise CannotCopy from None
    if "refused" in facts:
        raise CannotCopy
    return facts, made


def renamed(name: str, media_type: str) -> str:
    """The name of the copy: the person's own, with the extension of what it is now."""
    stem, extension = os.path.splitext(name)
    return f"{stem}.jpg" if media_type == "image/jpeg" else f"{stem}{extension}"
