"""Figures of the day for the admissions office. Of the team, never of one agent; no figure tells of a person."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from uuid import UUID

from sqlalchemy import case, distinct, func, select

from portal.db import session
from portal.establishments import Establishment
from services.pieces.models import Piece, PieceChange
from services.preadmission.models import Preadmission, PreadmissionChange
from services.preadmission.queries.tray import TrayFilter, tray

_SETTLED = ("validated", "refused", "to_complete")


@dataclass(frozen=True)
class Figures:
    """received, answered: files of the day. Delays: in hours of the clock, from sending to first answer, over the
    `window` last days; None without an answer. first_time: share of pieces accepted as they were first sent.
    refusals: reason → how many, the most frequent first. counts: groups of the tray now."""

    received: int
    answered: Mapping[str, int]
    counts: Mapping[str, int]
    median_h: float | None
    p90_h: float | None
    first_time: float | None
    refusals: Sequence[tuple[str, int]]
    window: int = 30

    @property
    def treated(self) -> int:
        return sum(self.answered.values())


def of_day(establishment_ids: frozenset[UUID], day: date, window: int = 30) -> Figures:
    """day: on the calendar of the first of these hospitals. In six statements."""
    begins, ends = _bounds(establishment_ids, day)
    delays = _delays(establishment_ids, ends - timedelta(days=window), ends)
    accepted, judged, refusals = _pieces(establishment_ids, ends - timedelta(days=window), ends)
    return Figures(
        received=_received(establishment_ids, begins, ends),
        answered=_answered(establishment_ids, begins, ends),
        counts=tray(establishment_ids, TrayFilter()).counts,
        median_h=quantile(delays, 0.5),
        p90_h=quantile(delays, 0.9),
        first_time=accepted / judged if judged else None,
        refusals=refusals,
        window=window,
    )


def quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share of them do not exceed; None of nothing."""
    ordered = sorted(values)
    return ordered[max(ceil(share * len(ordered)), 1) - 1] if ordered else None


def _bounds(establishment_ids: Collection[UUID], day: date) -> tuple[datetime, datetime]:
    """The moments between which this day lies at the hospital."""
    where = session.scalars(
        select(Establishment).where(Establishment.id.in_(establishment_ids)).order_by(Establishment.name)
    ).first()
    zone = where.tz if where else UTC
    return datetime.combine(day, time.min, zone), datetime.combine(day + timedelta(days=1), time.min, zone)


def _received(establishment_ids: Collection[UUID], begins: datetime, ends: datetime) -> int:
    return session.scalar(
        select(func.count())
        .select_from(Preadmission)
        .where(
            Preadmission.establishment_id.in_(establishment_ids),
            Preadmission.submitted_at >= begins,
            Preadmission.submitted_at < ends,
        )
    ) or 0  # fmt: skip


def _answered(establishment_ids: Collection[UUID], begins: datetime, ends: datetime) -> Mapping[str, int]:
    """State entered → how many files entered it that day."""
    rows = session.execute(
        select(PreadmissionChange.to_state, func.count(distinct(PreadmissionChange.preadmission_id)))
        .join(Preadmission, Preadmission.id == PreadmissionChange.preadmission_id)
        .where(
            Preadmission.establishment_id.in_(establishment_ids),
            PreadmissionChange.at >= begins,
            PreadmissionChange.at < ends,
            PreadmissionChange.to_state.in_(_SETTLED),
        )
        .group_by(PreadmissionChange.to_state)
    )
    found: dict[str, int] = dict(rows.all())  # type: ignore[arg-type]  # rows of two columns are pairs
    return {state: found.get(state, 0) for state in _SETTLED}


def _delays(establishment_ids: Collection[UUID], begins: datetime, ends: datetime) -> Sequence[float]:
    """Hours from the sending of each file to the first answer."""
    first = (
        select(PreadmissionChange.preadmission_id, func.min(PreadmissionChange.at).label("at"))
        .where(PreadmissionChange.to_state.in_(_SETTLED))
        .where(PreadmissionChange.at >= begins, PreadmissionChange.at < ends)
        .group_by(PreadmissionChange.preadmission_id)
        .subquery()
    )
    rows = session.execute(
        select(first.c.at, Preadmission.submitted_at)
        .join(Preadmission, Preadmission.id == first.c.preadmission_id)
        .where(Preadmission.establishment_id.in_(establishment_ids), Preadmission.submitted_at.is_not(None))
    )
    return [(at - sent).total_seconds() / 3600 for at, sent in rows if sent is not None and at >= sent]


def _pieces(
    establishment_ids: Collection[UUID], begins: datetime, ends: datetime
) -> tuple[int, int, Sequence[tuple[str, int]]]:
    """Pieces accepted without a refusal, pieces judged, refusals by reason."""
    here = (Piece.establishment_id.in_(establishment_ids), PieceChange.at >= begins, PieceChange.at < ends)
    each = (
        select(
            PieceChange.piece_id,
            func.count(case((PieceChange.to_state == "refused", 1))).label("refused"),
            func.count(case((PieceChange.to_state == "accepted", 1))).label("accepted"),
        )
        .join(Piece, Piece.id == PieceChange.piece_id)
        .where(*here, PieceChange.to_state.in_(("accepted", "refused")))
        .group_by(PieceChange.piece_id)
        .subquery()
    )
    at_once = func.count(case(((each.c.refused == 0) & (each.c.accepted > 0), 1)))
    accepted, judged = session.execute(select(at_once, func.count()).select_from(each)).one()
    refusals = session.execute(
        select(PieceChange.reason, func.count())
        .join(Piece, Piece.id == PieceChange.piece_id)
        .where(*here, PieceChange.to_state == "refused")
        .group_by(PieceChange.reason)
        .order_by(func.count().desc(), PieceChange.reason)
    ).all()
    return accepted, judged, [(reason, count) for reason, count in refusals]
