"""A file of bills from its first line to its last: batch after batch, each in its own transaction with its part of the
report. Run again after a cut, it changes nothing twice."""

import hashlib
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from uuid import UUID

from portal import db, establishments
from portal.db import Actor
from portal.delimited import NotSuchAFile
from services.billing import bill_file
from services.billing.bill_file import Line
from services.billing.imports import actions
from services.billing.imports.actions import Hospitals, Tally
from services.billing.pes import stream, titles
from services.billing.sources import queries as sources

_BATCH = 10_000
_SYSTEM = db.system("billing.import")


@dataclass(frozen=True)
class Reading:
    """How a PES file is read. finess: whose it is, where it does not say. ref_tiers_is_ipp: its debtors' references
    are the patients' IPP."""

    finess: str = ""
    ref_tiers_is_ipp: bool = False


@dataclass
class ImportReport(Tally):
    """What became of the file's lines; the first thousand remarks are kept, all lines are counted."""

    import_id: UUID | None = None


def import_bills(
    source: Path | bytes,
    name: str = "",
    *,
    actor: Actor = _SYSTEM,
    only_at: Collection[UUID] | None = None,
    reading: Reading = Reading(),
) -> ImportReport:
    """Load a file of bills, or what one holds: CSV, or PES. only_at: lines of other hospitals are refused.

    Raises NotSuchAFile; what was taken in before stays, and the report says so.
    """
    is_pes = stream.is_xml(source)
    with db.transaction(_SYSTEM):
        hospitals = _hospitals(only_at)
    with db.transaction(actor):
        digest, size = _fingerprint(source)
        shown = name or (source.name if isinstance(source, Path) else "")
        import_id = actions.begin(shown[-200:], "pes" if is_pes else "csv", digest, size)
    report = ImportReport(import_id=import_id)
    lines = _titles(source, reading) if is_pes else bill_file.read(source)
    try:
        _take_in(lines, hospitals, report)
    except NotSuchAFile as error:
        _end(import_id, str(error))
        raise
    _end(import_id)
    return report


def _titles(source: Path | bytes, reading: Reading) -> Iterator[Line]:
    return titles.read(source, finess=reading.finess, ref_tiers_is_ipp=reading.ref_tiers_is_ipp)


def _take_in(lines: Iterator[Line], hospitals: Hospitals, report: ImportReport) -> None:
    """While the database merges one batch, the next one is read: on two processors, that is nearly twice as fast."""
    merging: Future[Tally] | None = None
    with ThreadPoolExecutor(1) as database:
        try:
            while batch := list(islice(lines, _BATCH)):
                _wait(merging, report)
                room = actions.REMARKS_KEPT - len(report.remarks)
                merging = database.submit(_merge, report.import_id, batch, hospitals, room)
        finally:
            _wait(merging, report)


def _wait(merging: Future[Tally] | None, report: ImportReport) -> None:
    if merging is not None:
        report.take_in(merging.result())


def _merge(import_id: UUID | None, batch: list[Line], hospitals: Hospitals, room: int) -> Tally:
    assert import_id is not None, "the import was written down"
    with db.transaction(_SYSTEM):
        return actions.merge_lines(import_id, batch, hospitals, room)


def _end(import_id: UUID, why: str = "") -> None:
    with db.transaction(_SYSTEM):
        actions.end(import_id, why=why)


def _hospitals(only_at: Collection[UUID] | None) -> Hospitals:
    taken = [place for place in establishments.establishments() if only_at is None or place.id in only_at]
    known = sources.sources_at([place.id for place in taken])
    return Hospitals(
        {place.finess: place.id for place in taken},
        frozenset((source.establishment_id, source.kind, source.code) for source in known),
    )


def _fingerprint(source: Path | bytes) -> tuple[bytes, int]:
    if isinstance(source, bytes):
        return hashlib.sha256(source).digest(), len(source)
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest(), source.stat().st_size
