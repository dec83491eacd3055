"""What each file of the directory brought, newest first."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from portal.db import session
from services.directory.models import DirectoryImport

PAGE_SIZE: Final = 50
LATE_AFTER: Final = timedelta(days=4)
"""Published seven days a week; a long weekend without news is no alarm yet."""


def imports(page: int = 1) -> Sequence[DirectoryImport]:
    """One page, and one more when there is a next page."""
    newest = select(DirectoryImport).order_by(DirectoryImport.began_at.desc(), DirectoryImport.id)
    return session.scalars(newest.offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE + 1)).all()


def one(import_id: UUID) -> DirectoryImport | None:
    return session.get(DirectoryImport, import_id)


def is_late(now: datetime) -> str:
    """Since when the directory is out of date, "" when it is not."""
    last = last_done()
    if last is None:
        return "no file was loaded yet"
    return f"not brought up to date since {last:%Y-%m-%d}" if now - last > LATE_AFTER else ""


def last_done() -> datetime | None:
    """When the directory was last brought up to date, None before the first time."""
    return session.scalar(select(func.max(DirectoryImport.ended_at)).where(DirectoryImport.state == "done"))
