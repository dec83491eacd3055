"""PES files piece by piece, whatever their size: a night of titres fits in memory no better than the PDF files that go
with them.

All that PES says stands in attributes `V`; text is only the attached files, which are passed over without being kept.
There is no DTD in PES, and none is read: without one there are no entities, hence nothing to expand or to fetch.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat

from portal.delimited import NotSuchAFile

MAX_BYTES: Final = 256 * 1024 * 1024
"""A tag without an end is held in memory whole: no file may be larger than what may be held."""
MAX_DEPTH: Final = 30  # the deepest known tag, a signature apart, has 9
MAX_MARKS: Final = 200_000  # of one piece, the largest collective titre has some thousand lines of 30 tags
_CHUNK: Final = 1 << 16
_ENCODINGS: Final = ("utf-8", "utf-16", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252")
_HELD: Final = ("EnTetePES", "BlocBordereau", "Piece")
"""What is kept until it ends, and then given as one mark."""


@dataclass(slots=True)
class Mark:
    """A tag with its `V` and what it holds. line: where it began in the file."""

    name: str
    value: str
    line: int
    held: list["Mark"] = field(default_factory=list)

    def each(self, name: str) -> Iterator["Mark"]:
        """Those of this name in it, at any depth, in the order of the file."""
        for mark in self.held:
            if mark.name == name:
                yield mark
            yield from mark.each(name)

    def first(self, *names: str) -> str:
        """The `V` of the first one of these names that has one, without spaces around; "" when there is none."""
        return next(filter(None, (_value(self, name) for name in names)), "")


def _value(mark: Mark, name: str) -> str:
    for each in mark.held:
        if each.name == name and each.value:
            return each.value
        if each.held and (found := _value(each, name)):
            return found
    return ""


def marks(source: Path | bytes, domain: str) -> Iterator[Mark]:
    """The header, the heads of the bordereaux and the pieces of a domain (`PES_RecetteAller`), in their order.

    Raises NotSuchAFile: not XML, too large, with a DTD, or without that domain; perhaps after some marks were given.
    """
    reader = _Reader(domain)
    with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        for chunk in _within(MAX_BYTES, iter(lambda: file.read(_CHUNK), b"")):
            yield from reader.feed(chunk)
        yield from reader.feed(b"", last=True)
    if not reader.domain_seen:
        raise NotSuchAFile(f"no {domain} in the file")


def is_xml(source: Path | bytes) -> bool:
    """Whether it looks like XML: a CSV file of ours begins with a letter."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            source = file.read(_CHUNK)
    return source.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<" or source[:2] in (b"\xff\xfe", b"\xfe\xff")


def _within(limit: int, chunks: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise NotSuchAFile(f"the file is larger than {limit} bytes")
        yield chunk


class _Reader:
    """What expat calls. Everything outside the domain and the header goes by."""

    def __init__(self, domain: str) -> None:
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = False
        self._parser.XmlDeclHandler = self._declared
        self._parser.StartDoctypeDeclHandler = self._refuse_dtd
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._domain = domain
        self.domain_seen = False
        self._inside = False
        self._depth = 0
        self._open: list[Mark] = []
        self._marks = 0
        self._ready: list[Mark] = []

    def feed(self, chunk: bytes, *, last: bool = False) -> list[Mark]:
        try:
            self._parser.Parse(chunk, last)
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise NotSuchAFile(f"the file is not well-formed XML: {error}") from None
        ready, self._ready = self._ready, []
        return ready

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            raise NotSuchAFile(f"the file is encoded in {encoding[:40]}, which is not read")

    def _refuse_dtd(self, *_what: Any) -> None:
        raise NotSuchAFile("the file holds a DTD")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise NotSuchAFile("the file is nested too deeply")
        name = tag.rpartition(" ")[2]
        if name == self._domain:
            self._inside = self.domain_seen = True
        if self._open or (name in _HELD and (self._inside or name == "EnTetePES")):
            self._hold(Mark(name, attributes.get("V", "").strip(), self._parser.CurrentLineNumber))

    def _hold(self, mark: Mark) -> None:
        self._marks = self._marks + 1 if self._open else 1
        if self._marks > MAX_MARKS:
            raise NotSuchAFile(f"line {mark.line}: a piece without an end")
        if self._open:
            self._open[-1].held.append(mark)
        self._open.append(mark)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if self._open:
            mark = self._open.pop()
            if not self._open:
                self._ready.append(mark)
        if tag.rpartition(" ")[2] == self._domain:
            self._inside = False
