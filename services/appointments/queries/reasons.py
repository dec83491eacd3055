"""Reasons for consultation, and who receives for them."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Select, literal_column, or_, select, true
from sqlalchemy.orm import contains_eager, joinedload

from portal import calendar, db
from portal.db import session
from portal.establishments import Establishment, Practitioner, Unit
from services.appointments.models import ConsultationSession, Reason, SessionReason
from services.appointments.offered import open_online
from services.appointments.queries.spelling import letters


def online_reasons(finess: str = "", wanted: str = "") -> Sequence[Reason]:
    """Reasons that may be booked online, by hospital, unit and rank: of one hospital when its number is given, and
    whose unit or name holds every word wanted."""
    query = online().order_by(Establishment.name, Unit.name, Reason.position, Reason.name)
    rows = session.scalars(query.where(Establishment.finess == finess) if finess else query).all()
    words = [letters(word) for word in wanted.split()]
    return [each for each in rows if all(word in letters(f"{each.unit.name} {each.name}") for word in words)]


def online_reason(reason_id: UUID) -> Reason | None:
    return session.scalar(online().where(Reason.id == reason_id))


def online_with_namesakes(reasons: Collection[UUID]) -> Sequence[Reason]:
    """These reasons, and those of the same name in other units: for whom the nearest place is not the soonest."""
    names = select(Reason.name).where(Reason.id.in_(reasons))
    query = online().where(or_(Reason.id.in_(reasons), Reason.name.in_(names)))
    return session.scalars(query.order_by(Establishment.name, Unit.name, Reason.position)).all()


def online() -> Select[Reason]:
    return _reasons().where(open_online())


def _reasons() -> Select[Reason]:
    return (
        select(Reason)
        .join(Reason.unit)
        .join(Unit.establishment)
        .options(
            contains_eager(Reason.unit).options(contains_eager(Unit.establishment), joinedload(Unit.site)),
        )
    )


def reasons_at(establishments: Collection[UUID]) -> Sequence[Reason]:
    """Every reason that these hospitals give, for their agents."""
    query = _reasons().where(Reason.establishment_id.in_(establishments), Reason.closed_at.is_(None))
    return session.scalars(query.order_by(Establishment.name, Unit.name, Reason.position, Reason.name)).all()


def practitioners_for(*reasons: Reason) -> Sequence[Practitioner]:
    """Who receives for these reasons from now on, by name."""
    opened = (
        ConsultationSession.unit_id.in_([each.unit_id for each in reasons]),
        ConsultationSession.local_date >= calendar.earliest_day(db.now()),
        ConsultationSession.free != 0,
        ConsultationSession.start_at > db.now(),
    )
    here = select(ConsultationSession.practitioner_id).where(*opened).distinct().subquery()
    # For each of them, no further than the first session that takes one of the reasons.
    takes_one = (
        select(literal_column("1"))
        .select_from(ConsultationSession)
        .join(SessionReason, SessionReason.session_id == ConsultationSession.id)
        .where(
            ConsultationSession.practitioner_id == here.c.practitioner_id,
            SessionReason.reason_id.in_([each.id for each in reasons]),
            *opened,
        )
        .limit(1)
        .lateral()
    )
    query = select(Practitioner).join(here, here.c.practitioner_id == Practitioner.id).join(takes_one, true())
    return sorted(session.scalars(query), key=lambda each: (each.family_name, each.given_name))
