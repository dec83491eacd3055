"""Terminals, and the appointment that somebody shows at one."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload

from portal import calendar, db
from portal.db import session
from portal.establishments import Establishment, Unit
from services.appointments import states
from services.appointments.kiosk import codes
from services.appointments.kiosk.actions import digest
from services.appointments.kiosk.models import Kiosk
from services.appointments.models import Appointment
from services.appointments.queries.appointments import appointments


def _kiosks() -> Select[Kiosk]:
    return select(Kiosk).options(joinedload(Kiosk.establishment))


def by_token(token: str) -> Kiosk | None:
    """The terminal in service that shows this."""
    if not token:
        return None
    return session.scalar(_kiosks().where(Kiosk.token_digest == digest(token), Kiosk.revoked_at.is_(None)))


def kiosks(establishments: Collection[UUID]) -> Sequence[Kiosk]:
    """Those of these hospitals, those shut out last."""
    query = _kiosks().join(Kiosk.establishment).where(Kiosk.establishment_id.in_(establishments))
    return session.scalars(
        query.order_by(Kiosk.revoked_at.is_not(None), Establishment.name, Kiosk.name, Kiosk.id)
    ).all()  # fmt: skip


def kiosk(kiosk_id: UUID, establishments: Collection[UUID]) -> Kiosk | None:
    return session.scalar(_kiosks().where(Kiosk.id == kiosk_id, Kiosk.establishment_id.in_(establishments)))


def units(establishments: Collection[UUID]) -> Sequence[Unit]:
    """Those that a terminal may serve."""
    query = select(Unit).options(joinedload(Unit.establishment)).where(Unit.establishment_id.in_(establishments))
    return session.scalars(query.order_by(Unit.name, Unit.uf)).all()


def served(unit: Unit) -> bool:
    """Whether a terminal in service takes those who come to this unit."""
    query = select(Kiosk.id).where(
        Kiosk.establishment_id == unit.establishment_id,
        Kiosk.token_digest.is_not(None),
        Kiosk.revoked_at.is_(None),
        or_(func.cardinality(Kiosk.unit_ids) == 0, Kiosk.unit_ids.contains([unit.id])),
    )
    return session.scalar(query.limit(1)) is not None


def shown(typed: str, establishment_id: UUID) -> Appointment | None:
    """The appointment of what was scanned or typed at a terminal of this hospital; None when there is none.

    As the system. A reference is one hospital's: this one's first, else another one's, so that somebody who took the
    wrong tram is told where to go.
    """
    try:
        read = codes.read(typed)
    except codes.NotACode:
        return None
    if isinstance(read, tuple):
        found = session.scalar(appointments().where(Appointment.id.in_(read)))
    else:
        here_first = Appointment.establishment_id != establishment_id
        query = appointments().where(Appointment.reference == read).order_by(here_first, Appointment.start_at.desc())
        found = session.scalar(query.limit(1))
    return found if found is not None and found.patient.deceased_on is None else None


# -- who is there ------------------------------------------------------------------------------------------------


def waiting(unit: Unit) -> Sequence[Appointment]:
    """Those who arrived today in a unit and were not called in yet, the first to arrive first."""
    query = (
        appointments()
        .where(
            Appointment.unit_id == unit.id,
            Appointment.state == states.ARRIVED,
            Appointment.called_at.is_(None),
            Appointment.arrived_at >= _midnight(unit, db.now()),
        )
        .order_by(Appointment.arrived_at, Appointment.id)
    )
    return session.scalars(query).all()


def arrivals(unit: Unit) -> Mapping[bool, int]:
    """How many arrived today, at a terminal (True) and at the desk (False)."""
    rows = session.execute(
        select(Appointment.at_kiosk, func.count())
        .where(Appointment.unit_id == unit.id, Appointment.arrived_at >= _midnight(unit, db.now()))
        .group_by(Appointment.at_kiosk)
    )
    return {False: 0, True: 0} | dict(rows.all())


def _midnight(unit: Unit, now: datetime) -> datetime:
    tz = unit.establishment.tz
    return datetime.combine(calendar.civil_day(now, tz), datetime.min.time(), tz)
