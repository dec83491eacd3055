"""What an administrator must see before the figures: what is late, what failed, what is not fed."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import literal, select, text

from admin import queries_deadlines
from admin.queries_connectors import LATE
from admin.queries_deadlines import Places
from admin.queries_figures import Reading
from auth.emergencies import queries as emergencies
from portal import db
from portal.db import session
from portal.kpi import Definition

Kind = Literal["to_judge", "deadlines", "figures_late", "jobs_failed", "jobs_late", "not_fed"]


@dataclass(frozen=True)
class Alert:
    """Something to look at. number: how many; definitions: the figures it is about."""

    kind: Kind
    number: int = 0
    definitions: tuple[Definition, ...] = ()


@dataclass(frozen=True)
class Health:
    """Up to when events are counted; jobs that were given up; jobs that have waited for ten minutes."""

    rolled_up_at: datetime | None
    failed: int
    late: int


def health() -> Health:
    """In one statement."""
    return Health(*session.execute(_HEALTH).one())


def alerts(readings: Collection[Reading], found: Health, audited: Collection[UUID], rights: Places) -> Iterator[Alert]:
    """The most urgent first. audited: the hospitals where the reader judges emergency openings. rights: whose
    deadlines are the reader's."""
    to_judge, late = _waiting(audited, rights)
    if late:
        yield Alert("deadlines", late)
    if to_judge:
        yield Alert("to_judge", to_judge)
    if found.rolled_up_at is None or db.now() - found.rolled_up_at > LATE:
        yield Alert("figures_late")
    if found.failed:
        yield Alert("jobs_failed", found.failed)
    if found.late:
        yield Alert("jobs_late", found.late)
    if unfed := tuple(each.definition for each in readings if not each.figure.fed):
        yield Alert("not_fed", len(unfed), unfed)


def _waiting(audited: Collection[UUID], rights: Places) -> tuple[int, int]:
    """Emergency openings to judge, answers that are late: in one statement."""
    late = queries_deadlines.late(rights)
    asked = [emergencies.to_judge(audited).scalar_subquery(), literal(0) if late is None else late.scalar_subquery()]
    found = session.execute(select(*asked)).one()
    return found[0], found[1]


_HEALTH = text(
    "select (select rolled_up_at from kpi_watermark),"
    " count(*) filter (where status = 'failed' and not exists (select 1 from job_settled s where s.job_id = j.id)),"
    " count(*) filter (where status = 'todo' and coalesce(scheduled_at, now()) < now() - interval '10 minutes')"
    " from procrastinate_jobs j where status in ('failed', 'todo')"
)
