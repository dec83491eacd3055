"""A file of hospitals' totals: `finess;code;day;grain;value`, read line by line and taken in batch after batch."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID

from portal import db, delimited, establishments
from portal.db import Actor
from portal.establishments import Establishment
from portal.kpi import hospital_totals
from portal.kpi.hospital_totals import Entry, NotATotal, Received

COLUMNS: Final = ("finess", "code", "day", "grain", "value")
REMARKS_KEPT: Final = 1000
_BATCH: Final = 5000

T = TypeVar("T")


@dataclass(frozen=True)
class Refused:
    """A line that was not taken, and why."""

    line: int
    why: NotATotal


@dataclass
class Report(Received):
    """What became of a file's lines. remarks: the first thousand refused ones; refused: all of them."""

    refused: int = 0
    remarks: list[Refused] = field(default_factory=list)

    def add(self, received: Received) -> None:
        self.added += received.added
        self.changed += received.changed
        self.unchanged += received.unchanged

    def refuse(self, line: Refused) -> None:
        self.refused += 1
        if len(self.remarks) < REMARKS_KEPT:
            self.remarks.append(line)


def import_totals(source: Path | bytes, actor: Actor) -> Report:
    """Load a file, each batch in a transaction of its own: run again after a cut, it changes nothing twice. Raises
    `delimited.NotSuchAFile`."""
    with db.transaction(actor):
        places = {each.finess: each for each in establishments.establishments()}
    report = Report()
    for batch in _batches(read(source, places), _BATCH):
        with db.transaction(actor):
            _take(batch, report)
    return report


def take_here(source: bytes, only_at: Collection[UUID]) -> Report:
    """Load what a file holds, in the current transaction. only_at: lines of other hospitals are refused. Raises
    `delimited.NotSuchAFile`."""
    places = {each.finess: each for each in establishments.establishments() if each.id in only_at}
    report = Report()
    for batch in _batches(read(source, places), _BATCH):
        _take(batch, report)
    return report


def read(source: Path | bytes, places: dict[str, Establishment]) -> Iterator[Entry | Refused]:
    """The lines of a file: totals of these hospitals (by FINESS), or why not. Raises `delimited.NotSuchAFile`."""
    with delimited.opened(source) as file:
        file.need(COLUMNS)
        for number, cells, wrong in file.picked(COLUMNS):
            yield Refused(number, NotATotal("line", wrong)) if wrong else _read_line(number, cells, places)


def _read_line(number: int, cells: tuple[str, ...], places: dict[str, Establishment]) -> Entry | Refused:
    finess, code, day, grain, value = cells
    if finess not in places:
        return Refused(number, NotATotal("finess", finess))
    try:
        return hospital_totals.read_entry(places[finess], code, day, grain, value)
    except NotATotal as error:
        return Refused(number, error)


def _take(batch: list[Entry | Refused], report: Report) -> None:
    report.add(hospital_totals.receive([each for each in batch if isinstance(each, Entry)], "file"))
    for each in batch:
        if isinstance(each, Refused):
            report.refuse(each)


def _batches(lines: Iterator[T], size: int) -> Iterator[list[T]]:
    yield from iter(lambda: list(islice(lines, size)), [])
