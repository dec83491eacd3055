"""What an import writes down of itself: it began, it ended, or its file was refused."""

from typing import Any

from portal import audit, db
from portal.db import session
from services.directory import staging
from services.directory.lines import Source
from services.directory.models import DirectoryImport


class Implausible(Exception):
    """The file would take half of the directory away, or is older than what was loaded; says which."""


_FEW = 20
"""Fewer rows than that say nothing about a file."""


def begin(source: Source) -> DirectoryImport:
    """A file begins to be read; what another one left waiting is forgotten."""
    staging.empty()
    made = DirectoryImport(
        kind=source.layout.kind,
        file_name=source.name,
        origin=source.path.name[-200:],
        generated_on=source.generated_on,
        digest=source.digest,
        size=source.size,
        actor=db.current_actor().label,
        state="reading",
        why="",
        read_to=source.starts_at,
        lines=0,
        staged=0,
        refused=0,
        samples=[],
        counts={},
    )
    session.add(made)
    session.flush()
    audit.record("directory.import_began", object_kind="directory_import", object_id=made.id, kind=made.kind)
    return made


def finish(imported: DirectoryImport, *, force: bool = False) -> None:
    """Make the directory what the staged file says. Raises Implausible, unless forced, with nothing changed."""
    if not force and imported.refused * 2 > imported.lines:
        raise Implausible(f"{imported.refused} of {imported.lines} lines cannot be read")
    done = staging.merge(imported.kind)
    for what, merged in done.items():
        if not force and merged.before >= _FEW and merged.removed * 2 > merged.before:
            raise Implausible(f"{merged.removed} of {merged.before} {what} would go")
    staging.empty()
    imported.counts = {what: merged.counts() for what, merged in done.items()}
    imported.state, imported.ended_at = "done", db.now()
    told: dict[str, Any] = {
        f"{what}_{verb}": number for what, each in imported.counts.items() for verb, number in each.items()
    }
    audit.record("directory.imported", object_kind="directory_import", object_id=imported.id, **told)


def refuse(imported: DirectoryImport, why: str) -> None:
    """The file changes nothing; the report says why."""
    staging.empty()
    imported.state, imported.why, imported.ended_at = "refused", why, db.now()
    audit.record("directory.import_refused", object_kind="directory_import", object_id=imported.id)
