"""A file of the directory from its first line to its last: read into the staging block by block, then merged at once.

Nothing of the directory changes before the merge, which is one transaction. Killed while it reads, it goes on from the
last block that was committed; killed while it merges, it merges again. One import at a time.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, text

from portal import db
from portal.db import session
from services.directory import actions, lines, rows, staging
from services.directory.actions import Implausible
from services.directory.columns import NotTheDirectory
from services.directory.lines import Lines, Source
from services.directory.models import DirectoryImport
from services.directory.rows import Maker, Rows

SAMPLES_KEPT: Final = 100
_BLOCKS: Final = 4
_LOCK: Final = 0x5041_5256_4944_4952  # "PARVIDIR"
_SYSTEM: Final = db.system("directory.import")


class AlreadyLoading(Exception):
    """Another import of the directory is under way."""


@dataclass(frozen=True)
class Report:
    """What became of one file. state: done, refused or left_out (a file that holds nothing we keep). resumed: it went
    on from where it had been cut. seconds: from its first line, or from there, to its end. samples: the first lines
    refused, [{"line", "why"}]."""

    file: str
    state: str
    why: str = ""
    kind: str = ""
    lines: int = 0
    refused: int = 0
    resumed: bool = False
    seconds: float = 0.0
    counts: dict[str, dict[str, int]] | None = None
    samples: Sequence[dict[str, object]] = ()


def load(paths: Sequence[Path], *, force: bool = False) -> list[Report]:
    """Load files, people before boxes. All are recognised before anything is written.

    Raises NotTheDirectory when one is none of the directory's, AlreadyLoading.
    """
    found = [source for path in paths for source in lines.sources(path)]
    order = ("people", "boxes", "left_out")
    with _alone():
        return [_loaded(each, force) for each in sorted(found, key=lambda each: order.index(each.layout.kind))]


def arguments(files: Sequence[Path], *, force: bool = False) -> list[str]:
    """The command line of the process that loads files."""
    return [sys.executable, "-m", "services.directory", *(["--force"] if force else []), "--", *map(str, files)]


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock of imports on a connection of its own: it goes with us, however we end."""
    with db.transaction(_SYSTEM):
        engine = session.connection().engine
    with engine.connect() as connection:
        # In a transaction that waits as long as the import lasts: behind a pooler a connection is ours no longer.
        connection.execute(text("set local idle_in_transaction_session_timeout = 0"))
        if not connection.scalar(text("select pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}):
            raise AlreadyLoading
        yield


def _loaded(source: Source, force: bool) -> Report:
    if source.layout.kind == "left_out":
        return Report(source.name, "left_out", "nothing of this file is kept")
    began = time.monotonic()
    with db.transaction(_SYSTEM):
        imported, resumed = _begun(source)
    why = _taken_in(source, imported, force)
    with db.transaction(_SYSTEM):
        done = _of(imported.id)
        if why:
            actions.refuse(done, why)
        seconds = round(time.monotonic() - began, 2)
        return Report(
            done.file_name, done.state, done.why, done.kind, done.lines, done.refused, resumed, seconds, done.counts,
            done.samples,
        )  # fmt: skip


def _taken_in(source: Source, imported: DirectoryImport, force: bool) -> str:
    """Read and merge; why the file is refused, "" when it is not."""
    if not force and (newer := _newer(source)):
        return f"a file generated on {newer} was loaded already"
    try:
        if imported.state == "reading":
            _read(source, imported)
        with db.transaction(_SYSTEM):
            actions.finish(_of(imported.id), force=force)
    except (Implausible, NotTheDirectory) as error:
        return str(error)
    return ""


def _begun(source: Source) -> tuple[DirectoryImport, bool]:
    """The import to go on with, and whether it had begun before."""
    last = session.scalar(
        select(DirectoryImport)
        .where(DirectoryImport.state.in_(("reading", "merging")))
        .order_by(DirectoryImport.began_at.desc(), DirectoryImport.id)
        .limit(1)
    )
    if last is not None:
        # What waits is not on disk for ever: a database that crashed starts with empty staging tables.
        waiting = staging.count(staging.COUNTED[last.kind])
        if last.digest == source.digest and last.kind == source.layout.kind and waiting == last.staged:
            return last, True
        actions.refuse(last, "cut, and never gone on with")
    return actions.begin(source), False


def _newer(source: Source) -> str:
    """When a later file of this kind that was loaded had been generated, "" when there is none."""
    with db.transaction(_SYSTEM):
        last = session.scalar(
            select(func.max(DirectoryImport.generated_on)).where(
                DirectoryImport.kind == source.layout.kind, DirectoryImport.state == "done"
            )
        )
    return last if last and source.generated_on and last > source.generated_on else ""


def _read(source: Source, imported: DirectoryImport) -> None:
    """While the database takes one block in, the next one is read: on two processors, nearly twice as fast."""
    maker = rows.maker(source.layout)
    taking: Future[None] | None = None
    with lines.opened(source) as file, ThreadPoolExecutor(1) as database:
        for some in _batches(lines.read(source, file, at=imported.read_to, number=imported.lines + 2), maker):
            if taking is not None:
                taking.result()
            taking = database.submit(_stage, imported.id, *some)
        if taking is not None:
            taking.result()
    with db.transaction(_SYSTEM):
        _of(imported.id).state = "merging"


def _batches(blocks: Iterator[Lines], maker: Maker) -> Iterator[tuple[Rows, int, int]]:
    """Rows of some blocks, the byte after them, and the lines of the file down to there, without the header."""
    while some := list(islice(blocks, 1)):
        made, ends_at, number = Rows(), 0, 0
        for each in chain(some, islice(blocks, _BLOCKS - 1)):
            made.take_in(maker.rows(each))
            ends_at, number = each.ends_at, each.first + max(len(each.text), 1) - 2
        yield made, ends_at, number


def _stage(import_id: UUID, made: Rows, ends_at: int, number: int) -> None:
    """One batch and how far it goes, together: whoever goes on after a kill finds both or none."""
    with db.transaction(_SYSTEM):
        for table, each in made.tables.items():
            staging.copy(table, each)
        imported = _of(import_id)
        imported.read_to, imported.lines = ends_at, number
        imported.staged += len(made.tables.get(staging.COUNTED[imported.kind], ()))
        imported.refused += len(made.refused)
        room = SAMPLES_KEPT - len(imported.samples)
        some = [{"line": line, "why": why} for line, why in sorted(made.refused.items())[:room]]
        imported.samples = [*imported.samples, *some]


def _of(import_id: UUID) -> DirectoryImport:
    return session.get_one(DirectoryImport, import_id)
