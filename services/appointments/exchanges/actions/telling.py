"""What a hospital system and subscribers are told of appointments: which changes, and in which words.

There is no cursor: a change that is committed late, or that a restore brought back, is found all the same.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, text, update

from auth.models import PatientRecord
from portal import db
from portal.db import session
from services.appointments import states as visit
from services.appointments.exchanges import siu, states
from services.appointments.exchanges.models import SiuAppointment
from services.appointments.models import Appointment, AppointmentChange
from services.exchanges import actions as exchanges
from services.exchanges import states as delivered
from services.exchanges.dialect import Dialect
from services.exchanges.models import Delivery
from services.exchanges.subjects import Written

AT_ONCE = 5000

_PLAN = text("""
insert into delivery (id, follower_id, establishment_id, subject_kind, subject_id, change_id, event, changed_at, state,
                      control_id)
select gen_random_uuid(), f.id, f.establishment_id, :subject, c.appointment_id, c.id, w.event, c.at,
       case when f.kind = 'his' and c.by = :by_his then 'not_needed' else 'waiting' end,
       left(replace(c.id::text, '-', ''), 16)
from appointment_change c
join follower f on f.establishment_id = c.establishment_id and f.follows_since <= c.at
cross join lateral (select case
  when c.from_state = '' then 'S12'
  when c.to_state = 'cancelled' then 'S15'
  when c.to_state = 'missed' then 'S26'
  when c.from_state = 'booked' and c.to_state = 'booked' then 'S13'
  else 'S14' end as trigger) t
cross join lateral (select case
  when f.kind = 'his' then t.trigger
  when c.to_state = 'arrived' then 'appointment.arrived'
  else case t.trigger when 'S12' then 'appointment.booked' when 'S13' then 'appointment.moved'
    when 'S15' then 'appointment.cancelled' when 'S26' then 'appointment.missed' else '' end end as event) w
where c.at >= :since and (f.kind = 'his' or w.event = any(f.events))
  and not exists (select 1 from delivery d where d.follower_id = f.id and d.change_id = c.id)
order by c.at
limit :at_once
on conflict (follower_id, change_id) do nothing
""")


def plan(since: datetime) -> int:
    """Write down what each follower is to be told of the changes since then; how many are new."""
    by_his = f"system:{states.HIS_ACTOR}"
    asked = {"since": since, "by_his": by_his, "at_once": AT_ONCE, "subject": states.SUBJECT}
    return int(session.connection().execute(_PLAN, asked).rowcount)


def is_superseded(waiting: Delivery) -> bool:
    """Nobody needs to hear that a cancelled appointment had moved: its cancellation says all."""
    appointment = _of(waiting)
    is_over = appointment is not None and appointment.state == visit.CANCELLED
    return is_over and waiting.event in (states.RESCHEDULED, states.MODIFIED)


def write(waiting: Delivery, codes: Dialect) -> Written | None:
    """The SIU message of an appointment as it is now."""
    appointment = _of(waiting)
    if appointment is None:
        return None
    ipp = session.scalar(
        select(PatientRecord.ipp).where(
            PatientRecord.patient_id == appointment.patient_id,
            PatientRecord.establishment_id == appointment.establishment_id,
        )
    )
    filler = _filler(appointment)
    return Written(
        siu.write(siu.Telling(waiting.event, waiting.control_id, appointment, filler, ipp or "", db.now()), codes)
    )


def _of(told: Delivery) -> Appointment | None:
    return session.get(Appointment, told.subject_id, populate_existing=True) if told.subject_id else None


def _filler(appointment: Appointment) -> str:
    """The hospital system's own number of an appointment of the portal, when it gave one."""
    found = session.scalar(
        select(SiuAppointment.external_id)
        .where(SiuAppointment.appointment_id == appointment.id, SiuAppointment.external_id != appointment.reference)
        .limit(1)
    )
    return found or ""


def facts(waiting: Delivery) -> Mapping[str, object]:
    """What a subscriber is told: numbers and times."""
    appointment = _of(waiting)
    if appointment is None:
        return {}
    change = session.get(AppointmentChange, waiting.change_id) if waiting.change_id else None
    start_at = change.start_at if change is not None and change.start_at else appointment.start_at
    told = {"id": str(appointment.id), "reference": appointment.reference, "start_at": start_at.isoformat()}
    return {"appointment": told}


def agree(told_of: Delivery) -> None:
    """What the hospital system accepted, it now holds."""
    told = _of(told_of) if told_of.state == delivered.ACCEPTED else None
    if told is not None:
        session.execute(
            update(SiuAppointment)
            .where(SiuAppointment.appointment_id == told.id)
            .values(start_at=told.start_at, end_at=told.end_at, practitioner_id=told.practitioner_id, state=told.state)
        )


def tell_again(appointment: Appointment) -> bool:
    """Tell the hospital system the appointment as it is now, whatever it holds. False when it has no system."""
    final = {visit.CANCELLED: states.CANCELLED, visit.MISSED: states.NO_SHOW}
    event = final.get(appointment.state, states.MODIFIED)
    return exchanges.tell_again(appointment.establishment_id, states.SUBJECT, appointment.id, event)


def find(establishments: Collection[UUID], reference: str) -> Sequence[UUID]:
    """The appointment of these hospitals that bears this reference."""
    query = select(Appointment.id).where(
        Appointment.establishment_id.in_(establishments), Appointment.reference == reference
    )
    return session.scalars(query).all()


def references(appointments: Collection[UUID]) -> Mapping[UUID, str]:
    """The reference of each of these appointments."""
    rows = session.execute(select(Appointment.id, Appointment.reference).where(Appointment.id.in_(appointments)))
    return {row.id: row.reference for row in rows}


def forget(before: datetime) -> None:
    """What the hospital system said of appointments that are long over."""
    session.execute(delete(SiuAppointment).where(SiuAppointment.said_at < before, SiuAppointment.end_at < before))
