"""Looks at screens: the agent's own, a person's, and those of an auditor's hospitals."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import joinedload

from auth.support.models import SupportSession
from portal import db
from portal.db import session


def mine(session_id: UUID) -> SupportSession | None:
    """One that the agent asked for, at a hospital where they still give support."""
    actor = db.current_actor()
    query = select(SupportSession).where(
        SupportSession.id == session_id,
        SupportSession.account_id == actor.account_id,
        SupportSession.establishment_id.in_(actor.rights.get("support", ())),
    )
    return session.scalar(query.options(joinedload(SupportSession.patient), joinedload(SupportSession.establishment)))


def my_current_ones() -> Sequence[SupportSession]:
    """Those that the agent waits for or sees now, the last one first."""
    actor = db.current_actor()
    query = select(SupportSession).where(
        SupportSession.account_id == actor.account_id,
        SupportSession.establishment_id.in_(actor.rights.get("support", ())),
        _is_current(db.now()),
    )
    whole = query.options(joinedload(SupportSession.patient))
    return session.scalars(whole.order_by(SupportSession.asked_at.desc()).limit(20)).all()


def of_person(patient_id: UUID) -> Sequence[SupportSession]:
    """Those that wait for the person's code, or see their screens now."""
    query = select(SupportSession).where(SupportSession.patient_id == patient_id, _is_current(db.now()))
    return session.scalars(query.options(joinedload(SupportSession.establishment)).limit(5)).all()


def of_account(account_id: UUID | None) -> Sequence[SupportSession]:
    """Those about the holder of an account, for the pages where they act for nobody in particular."""
    query = select(SupportSession).where(SupportSession.person_account_id == account_id, _is_current(db.now()))
    return session.scalars(query.options(joinedload(SupportSession.establishment)).limit(5)).all()


PAGE_SIZE: Final = 50
"""Lines of a page of the register."""


def register(establishment_ids: Collection[UUID], page: int = 1, *, alone: bool = False) -> Sequence[SupportSession]:
    """What an auditor reads: who looked, why, for how long, the latest first. A page, and one more line when another
    page follows; alone: only those without the person on the phone."""
    query = select(SupportSession).where(SupportSession.establishment_id.in_(establishment_ids))
    if alone:
        query = query.where(SupportSession.alone_kind != "")
    whole = query.options(joinedload(SupportSession.patient), joinedload(SupportSession.establishment))
    latest_first = whole.order_by(SupportSession.asked_at.desc(), SupportSession.id)
    return session.scalars(latest_first.offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE + 1)).all()


def minutes_left(open_: SupportSession) -> int:
    """Whole minutes, one at least while it is open."""
    left = (open_.ends_at - db.now()) if open_.ends_at else timedelta()
    return max(0, -(-int(left.total_seconds()) // 60))


def _is_current(at: datetime) -> ColumnElement[bool]:
    waits = SupportSession.opened_at.is_(None) & (SupportSession.code_until > at)
    return SupportSession.ended_at.is_(None) & or_(waits, SupportSession.ends_at > at)
