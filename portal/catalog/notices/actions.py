"""To announce something, to change it, to take it back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from portal import audit, db
from portal.catalog import words
from portal.catalog.notices import queries
from portal.catalog.notices.models import SiteNotice
from portal.db import session


class AlreadyWithdrawn(Exception):
    """Somebody took it back meanwhile."""


@dataclass(frozen=True)
class Draft:
    """What is announced: `models.SiteNotice`."""

    level: str
    texts: Mapping[str, Mapping[str, str]]
    shown_from: datetime
    shown_until: datetime | None = None
    window_from: datetime | None = None
    window_until: datetime | None = None

    @property
    def columns(self) -> dict[str, Any]:
        return dict(vars(self)) | {"texts": words.kept(self.texts)}


def announce(establishment_id: UUID | None, draft: Draft) -> SiteNotice:
    """establishment_id: None for the whole group."""
    made = SiteNotice(id=uuid4(), establishment_id=establishment_id, **draft.columns)
    session.add(made)
    session.flush()
    _record("notice.announced", made)
    return made


def change(notice: SiteNotice, draft: Draft) -> None:
    """Raises AlreadyWithdrawn."""
    _hold(notice)
    for name, value in draft.columns.items():
        setattr(notice, name, value)
    session.flush()
    _record("notice.changed", notice)


def withdraw(notice: SiteNotice) -> None:
    """Take it off every page. Raises AlreadyWithdrawn."""
    _hold(notice)
    notice.withdrawn_at = db.now()
    session.flush()
    _record("notice.withdrawn", notice)


def _hold(notice: SiteNotice) -> None:
    session.refresh(notice, with_for_update={"key_share": True})
    if notice.withdrawn_at is not None:
        raise AlreadyWithdrawn


def _record(action: str, notice: SiteNotice) -> None:
    audit.record(
        action, establishment_id=notice.establishment_id, object_kind="site_notice", object_id=notice.id,
        level=notice.level,
    )  # fmt: skip
    queries.forget()
