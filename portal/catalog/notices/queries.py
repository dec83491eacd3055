"""What is announced now. Every page asks: the answer is remembered for a few seconds, whoever reads."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from portal import blanking, db
from portal.catalog.models import Texts
from portal.catalog.notices.models import LEVELS, SiteNotice
from portal.catalog.queries import GROUP_ZONE
from portal.db import session
from portal.establishments import Establishment

KEEP_S: Final = 10
"""How long a process relies on what it has read: a notice is on every page after that."""


@dataclass(frozen=True)
class Notice:
    """A notice out of the database. place: the hospital's short name, "" for the whole group."""

    id: UUID
    establishment_id: UUID | None
    place: str
    zone: ZoneInfo
    level: str
    texts: Texts
    shown_from: datetime
    shown_until: datetime | None
    window_from: datetime | None
    window_until: datetime | None

    def is_shown(self, at: datetime) -> bool:
        return self.shown_from <= at and (self.shown_until is None or at < self.shown_until)


class _Remembered:
    notices: Sequence[Notice] | None = None
    read_at: float = 0.0


def shown(establishment_id: UUID | None = None) -> Sequence[Notice]:
    """The notices of now, the gravest first. establishment_id: of the hospital whose page it is: those of others are
    left out; a common page shows all of them."""
    now = db.now()
    found = [
        each for each in _known()
        if each.is_shown(now) and (establishment_id is None or each.establishment_id in (None, establishment_id))
    ]  # fmt: skip
    return sorted(found, key=lambda each: LEVELS.index(each.level))


def forget() -> None:
    """Read again at the next page of this process."""
    _Remembered.notices = None


def suppose_none() -> None:
    """There is no notice, as somebody who has just emptied the tables knows; until `forget`."""
    _Remembered.notices, _Remembered.read_at = (), math.inf


def _known() -> Sequence[Notice]:
    if blanking.is_on():  # what is read here is blanked, and must not be remembered for others
        return _Remembered.notices or ()
    if _Remembered.notices is None or time.monotonic() - _Remembered.read_at > KEEP_S:
        _Remembered.notices, _Remembered.read_at = _read(), time.monotonic()
    return _Remembered.notices


def _read() -> Sequence[Notice]:
    """Those that are shown now or will be: one statement."""
    not_over = or_(SiteNotice.shown_until.is_(None), SiteNotice.shown_until > db.now())
    rows = session.execute(
        select(SiteNotice, Establishment)
        .outerjoin(Establishment, Establishment.id == SiteNotice.establishment_id)
        .where(SiteNotice.withdrawn_at.is_(None), not_over)
        .order_by(SiteNotice.shown_from)
    )
    return [told(notice, hospital) for notice, hospital in rows]


def told(notice: SiteNotice, hospital: Establishment | None) -> Notice:
    """A notice as pages show it."""
    return Notice(
        notice.id, notice.establishment_id, (hospital.short_name or hospital.name) if hospital else "",
        hospital.tz if hospital else GROUP_ZONE, notice.level, notice.texts, notice.shown_from, notice.shown_until,
        notice.window_from, notice.window_until,
    )  # fmt: skip


# -- for those who write them ------------------------------------------------------------------------------------


def all_at(here: frozenset[UUID], limit: int = 100) -> Sequence[SiteNotice]:
    """Notices of the group and of these hospitals, newest first."""
    place = SiteNotice.establishment_id
    mine = or_(place.is_(None), place.in_(here))
    return session.scalars(select(SiteNotice).where(mine).order_by(SiteNotice.created_at.desc()).limit(limit)).all()


def one_at(here: frozenset[UUID], notice_id: UUID) -> SiteNotice | None:
    """One of those."""
    found = session.get(SiteNotice, notice_id)
    return found if found and (found.establishment_id is None or found.establishment_id in here) else None
