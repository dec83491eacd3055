"""Hospitals' CSV files: UTF-8, `;`-separated, with a header. Pure.

Unknown columns are ignored; a missing one refuses the file before anything is written; a line that cannot be read
never stops the others.
"""

import codecs
import csv
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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
        number = 1
        while True:
            number += 1
            try:
                row = next(self._cells)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(number, {}, f"the line cannot be read: {error}")
                continue
            if row:
                yield self._row(number, row)

    def _row(self, number: int, row: Sequence[str]) -> Row:
        cells = dict(zip(self.header, (cell.strip() for cell in row), strict=False))
        wrong = f"{len(row)} cells, {len(self.header)} columns" if len(row) != len(self.header) else ""
        return Row(number, cells, wrong)


@contextmanager
def opened(path: Path) -> Iterator[Delimited]:
    """Raises NotSuchAFile when the file is not in UTF-8, from its first byte to its last, or its header is no line."""
    _check_encoding(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield Delimited(csv.reader(file, delimiter=";", strict=True))


def _check_encoding(path: Path) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            raise NotSuchAFile("the file is not encoded in UTF-8") from error
