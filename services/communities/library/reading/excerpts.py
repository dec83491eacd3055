"""A few words of a document around those that were asked for, marked. Pure, and quick on a hundred pages."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

LENGTH: Final = 240
_MOST_PLACES: Final = 50
_LETTERS: Final = "cp1252"
"""One byte for one letter, so that a place among the bytes is the same place in the text; it has œ and ’."""


@dataclass(frozen=True)
class Piece:
    """A part of an excerpt. marked: one of the words asked for."""

    text: str
    marked: bool = False


@dataclass(frozen=True, order=True)
class _Mark:
    start: int
    end: int
    stem: str


def excerpt(text: str, stems: Iterable[str], length: int = LENGTH) -> Sequence[Piece]:
    """The part of the text where most different words are close together; its beginning when there is none."""
    marks = sorted(_marks(text, stems))
    begin = max(0, _best(marks, length) - length // 4) if marks else 0
    begin, end = _whole_words(text, begin, min(len(text), begin + length))
    return [piece for piece in _cut(text, begin, end, marks) if piece.text]


def _plain(byte: int) -> int:
    """Without accent or case; whatever is neither letter nor digit is a space. œ and æ stay, in lower case."""
    letter = bytes([byte]).decode(_LETTERS, "replace").lower()
    if letter in "œæ":
        return letter.encode(_LETTERS)[0]
    first = unicodedata.normalize("NFKD", letter)[0]
    return ord(first) if first.isascii() and first.isalnum() else ord(" ")


_PLAIN: Final = bytes(map(_plain, range(256)))


def _marks(text: str, stems: Iterable[str]) -> Iterator[_Mark]:
    """Each word that begins so, the first fifty of each stem."""
    plain = b" " + text.encode(_LETTERS, "replace").translate(_PLAIN) + b" "
    for stem in {each for each in stems if each.isascii() and each.isalnum()}:
        for way in {stem, stem.replace("oe", "œ").replace("ae", "æ")}:
            wanted, at = b" " + way.encode(_LETTERS), 0
            for _turn in range(_MOST_PLACES):
                at = plain.find(wanted, at)
                if at < 0:
                    break
                end = plain.index(b" ", at + 1)
                yield _Mark(at, end - 1, stem)
                at = end


def _best(marks: Sequence[_Mark], length: int) -> int:
    best, begin = 0, 0
    for place, mark in enumerate(marks):
        near = {each.stem for each in marks[place : place + 40] if each.start < mark.start + length * 3 // 4}
        if len(near) > best:
            best, begin = len(near), mark.start
    return begin


def _whole_words(text: str, begin: int, end: int) -> tuple[int, int]:
    if begin and (gap := text.find(" ", begin, begin + 30)) >= 0:
        begin = gap + 1
    if end < len(text) and (gap := text.rfind(" ", max(begin, end - 30), end)) > begin:
        end = gap
    return begin, end


def _cut(text: str, begin: int, end: int, marks: Sequence[_Mark]) -> Iterator[Piece]:
    at = begin
    yield Piece("… " if begin else "")
    for mark in marks:
        if mark.start < at or mark.end > end:
            continue
        yield Piece(_flat(text[at : mark.start]))
        yield Piece(_flat(text[mark.start : mark.end]), marked=True)
        at = mark.end
    yield Piece(_flat(text[at:end]))
    yield Piece(" …" if end < len(text) else "")


def _flat(text: str) -> str:
    return "".join(" " if each.isspace() else each for each in text)
