"""The lines that a practitioner keeps at hand."""

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from portal import audit, db
from portal.db import session
from services.lines.models import FavouriteLine, Line


def keep(professional_id: UUID, line: Line) -> None:
    """Show it first to this practitioner."""
    row = {"professional_id": professional_id, "line_id": line.id, "added_at": db.now()}
    session.execute(insert(FavouriteLine).values(row).on_conflict_do_nothing())
    _record(line, "kept")


def let_go(professional_id: UUID, line: Line) -> None:
    session.execute(
        delete(FavouriteLine).where(FavouriteLine.professional_id == professional_id, FavouriteLine.line_id == line.id)
    )
    _record(line, "let_go")


def _record(line: Line, what: str) -> None:
    audit.record(f"line.{what}", establishment_id=line.establishment_id, object_kind="direct_line", object_id=line.id)
