"""Hospitals' CSV files: UTF-8, `;`-separated, with a header. Pure.

Unknown columns are ignored; a missing one refuses the file before anything is written; a line that cannot be read
never stops the others.
"""

import codecs
import csv
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

_CHUNK = 1 << 20


class NotSuchAFile(Exception):
    """The file as a whole is not what it should be; says why."""


@dataclass(frozen=True, repr=False)  # a log line must not name a person
class Row:
    """One line, by its columns, without spaces around. wrong: why it cannot be read, "" when it can."""

    number: int
    cells: dict[str, str]
    wrong: str = ""


class Delimited:
    """An open file: its header, then its rows, one at a time."""

    def __init__(self, cells: Iterator[list[str]]) -> None:
        self._cells = cells
        try:
            self.header: Sequence[str] = [name.strip() for name in next(cells, [])]
        except csv.Error as error:
            raise NotSuchAFile(f"the first line cannot be read: {error}") from error

    def need(self, columns: Collection[str]) -> None:
        """Raises NotSuchAFile when one of them is missing."""
        if missing := [name for name in columns if name not in self.header]:
            raise NotSuchAFile(f"missing columns: {', '.join(missing)}")

    def __iter__(self) -> Iterator[Row]:
        for number, row, wrong in self._rows():
            yield Row(number, dict(zip(self.header, (cell.strip() for cell in row), strict=False)), wrong)

    def picked(self, columns: Sequence[str]) -> Iterator[tuple[int, tuple[str, ...], str]]:
        """Number, the cells of these columns in this order ("" for one the file has not), and why the line cannot be
        read (no cells then): for files of many lines, where cells by name cost too much. Two columns or more."""
        places = {name: place for place, name in enumerate(self.header)}
        nowhere = len(self.header)
        pick = itemgetter(*(places.get(name, nowhere) for name in columns))
        for number, row, wrong in self._rows():
            row.append("")
            yield number, () if wrong else tuple(map(str.strip, pick(row))), wrong

    def _rows(self) -> Iterator[tuple[int, list[str], str]]:
        number, wide = 1, len(self.header)
        while True:
            number += 1
            try:
                row = next(self._cells)
            except StopIteration:
                return
            except csv.Error as error:
                yield number, [], f"the line cannot be read: {error}"
                continue
            if row:
                yield number, row, f"{len(row)} cells, {wide} columns" if len(row) != wide else ""


@contextmanager
def opened(source: Path | bytes) -> Iterator[Delimited]:
    """source: a file, or what one holds. Raises NotSuchAFile when it is not in UTF-8, from its first byte to its last,
    or its header is no line."""
    with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        _check_encoding(file)
        file.seek(0)
        with TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
            yield Delimited(csv.reader(text, delimiter=";", strict=True))


def _check_encoding(file: BinaryIO) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise NotSuchAFile("the file is not encoded in UTF-8") from error
