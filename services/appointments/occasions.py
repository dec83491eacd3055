"""Appointments as something that questionnaires are sent around: by unit, or by reason."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, time, timedelta
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from portal import calendar
from portal.db import session
from portal.establishments import Establishment
from services.appointments import states
from services.appointments.models import SERVICE, Appointment, Reason
from services.questionnaires import occasions
from services.questionnaires.occasions import Happening, Occasion, Subject

_STANDING = (states.BOOKED, states.ARRIVED, states.DONE)
"""Neither cancelled, nor missed: nobody is asked how a visit went that did not happen."""


def declare() -> None:
    occasions.offer(Occasion(SERVICE, _l("Appointments"), _on, _standing, _subjects))


def _on(establishment_id: UUID, first: date, last: date) -> Sequence[Happening]:
    tz = session.get_one(Establishment, establishment_id).tz
    since = calendar.to_utc_or_after(first, time(), tz)
    until = calendar.to_utc_or_after(last + timedelta(days=1), time(), tz)
    query = _appointments().where(
        Appointment.establishment_id == establishment_id, Appointment.start_at >= since, Appointment.start_at < until
    )
    return [_happening(each) for each in session.scalars(query)]


def _standing(ids: Collection[UUID]) -> Mapping[UUID, Happening]:
    return {each.id: _happening(each) for each in session.scalars(_appointments().where(Appointment.id.in_(ids)))}


def _appointments() -> Select[Appointment]:
    query = select(Appointment).options(joinedload(Appointment.establishment))
    return query.where(Appointment.state.in_(_STANDING)).order_by(Appointment.start_at, Appointment.id)


def _happening(each: Appointment) -> Happening:
    return Happening(
        each.id,
        each.patient_id,
        each.establishment_id,
        each.unit_id,
        calendar.civil_day(each.start_at, each.establishment.tz),
        str(each.reason_id),
        each.masked,
    )


def _subjects(establishments: Collection[UUID]) -> Sequence[Subject]:
    query = select(Reason).where(Reason.establishment_id.in_(establishments), Reason.closed_at.is_(None))
    reasons = session.scalars(query.order_by(Reason.name))
    return [Subject(str(each.id), each.name, each.establishment_id, each.unit_id) for each in reasons]
