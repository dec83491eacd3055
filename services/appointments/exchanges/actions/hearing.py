"""What a message of the hospital system changes here.

Three rules make both sides end alike, whatever was lost, repeated or crossed on its way: a cancellation is final; else
the newest word wins; and where the two have crossed, the portal tells again what it holds.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert

from portal import db
from portal.db import session
from portal.establishments import Establishment, Practitioner
from portal.gateways.his.hl7v2 import Message
from services.appointments import actions as visits
from services.appointments import states as visit
from services.appointments.exchanges import siu, states
from services.appointments.exchanges.actions.telling import tell_again
from services.appointments.exchanges.models import SiuAppointment
from services.appointments.exchanges.siu import Told, absence, motive
from services.appointments.models import Appointment, AppointmentChange, ConsultationSession, SessionReason
from services.appointments.outside import actions as outside
from services.appointments.slots import Slot
from services.exchanges import states as delivered
from services.exchanges.dialect import Dialect
from services.exchanges.models import Delivery, Follower
from services.exchanges.subjects import Heard

_CLOCKS_DIFFER_BY = timedelta(minutes=5)
_TOMORROW = timedelta(days=1)
"""A word from further ahead comes from a wrong clock: taken, it would silence every other one until that day."""
_GONE = ("Cancelled", "Deleted", "Dc")
_BY_HIS = f"system:{states.HIS_ACTOR}"


def _refused(reason: str, error: str = "206") -> Heard:
    return Heard("AE", error, reason)


def hear(place: Establishment, message: Message, codes: Dialect) -> Heard:
    """Do what the message says, or nothing of it. Raises NotHl7."""
    return _hear(place.id, siu.read(message, place.tz, codes), codes)


def _hear(establishment_id: UUID, told: Told, codes: Dialect) -> Heard:
    if told.said_at > db.now() + _TOMORROW:
        return Heard("AR", "102", "wrong_clock")
    appointment = _ours(establishment_id, told)
    if appointment is None and told.is_ours:
        return replace(_refused("unknown_appointment", "204"), said_at=told.said_at)
    word = _word(establishment_id, told, appointment)
    is_late = word.said_at > told.said_at
    if appointment is not None:
        found = _about_ours(word, appointment, told, codes, is_late=is_late)
    else:
        found = Heard(reason="newer_known") if is_late else _about_theirs(word, told, codes)
    return replace(
        found,
        external_id=word.external_id,
        subject_id=appointment.id if appointment else None,
        patient_id=appointment.patient_id if appointment else None,
        said_at=told.said_at,
    )


def patient_of(appointment_id: UUID) -> UUID | None:
    return session.scalar(select(Appointment.patient_id).where(Appointment.id == appointment_id))


def _ours(establishment_id: UUID, told: Told) -> Appointment | None:
    """The appointment of the portal that is meant: by our reference, else by the number the hospital gave to it."""
    here = Appointment.establishment_id == establishment_id
    if told.placer:
        found = session.scalar(select(Appointment).where(here, Appointment.reference == told.placer))
        if found is not None or not told.filler:
            return found
    linked = (SiuAppointment.establishment_id == establishment_id) & (SiuAppointment.external_id == told.filler)
    query = select(Appointment).join(SiuAppointment, SiuAppointment.appointment_id == Appointment.id)
    return session.scalar(query.where(here, linked))


def _word(establishment_id: UUID, told: Told, appointment: Appointment | None) -> SiuAppointment:
    """What the hospital system last said of this appointment, held still until we are done."""
    external_id = told.filler or told.placer
    whose = SiuAppointment.external_id == external_id
    if appointment is not None:
        whose = or_(whose, SiuAppointment.appointment_id == appointment.id)
    query = (
        select(SiuAppointment)
        .where(SiuAppointment.establishment_id == establishment_id, whose)
        .order_by((SiuAppointment.external_id == external_id).desc(), SiuAppointment.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    found = session.scalars(query).first()
    if found is None:
        values = {"id": uuid4(), "establishment_id": establishment_id, "external_id": external_id}
        # Nothing was said before: any word is newer.
        said = {"said_at": told.said_at, "state": "", "appointment_id": appointment.id if appointment else None}
        session.execute(insert(SiuAppointment).values(**values, **said).on_conflict_do_nothing())
        found = session.scalars(query).one()
    if appointment is not None and found.external_id == appointment.reference and told.filler:
        found.external_id = told.filler
        session.flush()
    return found


# -- appointments taken in the hospital system -------------------------------------------------------------------


def _about_theirs(word: SiuAppointment, told: Told, codes: Dialect) -> Heard:
    if told.trigger == states.CANCELLED or told.status in _GONE:
        word.state, word.said_at = visit.CANCELLED, told.said_at
        session.flush()
        outside.free_outside(word.establishment_id, word.external_id, said_at=told.said_at)
        return Heard()
    if told.trigger == states.NO_SHOW:
        word.state, word.said_at = visit.MISSED, told.said_at
        session.flush()
        return Heard()
    return _take(word, told, codes)


def _take(word: SiuAppointment, told: Told, codes: Dialect) -> Heard:
    practitioner_id = _practitioner(word.establishment_id, told, codes)
    if practitioner_id is None:
        return _refused("unknown_practitioner", "204")
    if told.start_at is None or told.end_at is None:
        return _refused("no_time", "101")
    try:
        with session.begin_nested():
            outside.take_outside(
                word.establishment_id,
                word.external_id,
                practitioner_id,
                told.start_at,
                told.end_at,
                said_at=told.said_at,
            )
    except outside.NotATime:
        return _refused("no_time", "102")
    word.practitioner_id, word.start_at, word.end_at = practitioner_id, told.start_at, told.end_at
    word.state, word.said_at = visit.BOOKED, told.said_at
    session.flush()
    # The patient of the portal keeps the appointment, and the hospital's own keeps the rest of its time; people choose.
    return _refused("two_at_one_hour", "205") if _meets_another(practitioner_id, told) else Heard()


def _meets_another(practitioner_id: UUID, told: Told) -> bool:
    query = select(Appointment.id).where(
        Appointment.practitioner_id == practitioner_id,
        Appointment.state.in_((visit.BOOKED, visit.ARRIVED)),
        Appointment.start_at < told.end_at,
        Appointment.end_at > told.start_at,
    )
    return session.scalar(query.limit(1)) is not None


def _practitioner(establishment_id: UUID, told: Told, codes: Dialect) -> UUID | None:
    rpps = codes.rpps(told.practitioner)
    query = select(Practitioner.id).where(Practitioner.establishment_id == establishment_id, Practitioner.rpps == rpps)
    return session.scalar(query) if rpps else None


# -- appointments of the portal ----------------------------------------------------------------------------------


def _about_ours(word: SiuAppointment, appointment: Appointment, told: Told, codes: Dialect, *, is_late: bool) -> Heard:
    _link(word, appointment)
    is_cancellation = told.trigger == states.CANCELLED or told.status in _GONE
    if appointment.state == visit.CANCELLED:
        return _already_cancelled(word, appointment, told, is_cancellation=is_cancellation)
    if is_cancellation:
        return _cancel(word, appointment, told, codes)
    if is_late:
        return Heard(reason="newer_known")
    if told.said_at < _last_change(appointment):
        _remember(word, told, codes)
        tell_again(appointment)
        return Heard(reason="newer_here")
    _remember(word, told, codes)
    found = _follow(appointment, told, codes)
    if found.answer == "AA" and _have_crossed(appointment, told):
        tell_again(appointment)
    return found


def _link(word: SiuAppointment, appointment: Appointment) -> None:
    """An appointment of the portal that the hospital system first told as one of its own fills no time twice."""
    if word.appointment_id is None and word.practitioner_id is not None:
        outside.free_outside(word.establishment_id, word.external_id)
    word.appointment_id = appointment.id
    session.flush()


def _already_cancelled(word: SiuAppointment, appointment: Appointment, told: Told, *, is_cancellation: bool) -> Heard:
    if is_cancellation:
        word.state, word.said_at = visit.CANCELLED, max(word.said_at, told.said_at)
        session.flush()
        return Heard()
    tell_again(appointment)
    return _refused("cancelled_here")


def _cancel(word: SiuAppointment, appointment: Appointment, told: Told, codes: Dialect) -> Heard:
    found = _done(lambda: visits.cancel_for_patient(appointment, motive(told.why, codes)))
    if found.answer == "AA":
        word.state, word.said_at = visit.CANCELLED, max(word.said_at, told.said_at)
        session.flush()
    return found


def _remember(word: SiuAppointment, told: Told, codes: Dialect) -> None:
    """What it says, whether we can follow or not: agents see where the two differ."""
    if told.start_at is not None and told.end_at is not None and told.end_at > told.start_at:
        word.start_at, word.end_at = told.start_at, told.end_at
    word.practitioner_id = _practitioner(word.establishment_id, told, codes) or word.practitioner_id
    word.state = visit.MISSED if told.trigger == states.NO_SHOW else visit.BOOKED
    word.said_at = told.said_at
    session.flush()


def _last_change(appointment: Appointment) -> datetime:
    """When it was last changed here, by anybody but the hospital system."""
    query = select(func.max(AppointmentChange.at)).where(
        AppointmentChange.appointment_id == appointment.id, AppointmentChange.by != _BY_HIS
    )
    # Its clock counts in seconds.
    return (session.scalar(query) or appointment.booked_at).replace(microsecond=0)


def _have_crossed(appointment: Appointment, told: Told) -> bool:
    """Whether something of ours arrived there after this was said: it has replaced there what we do here now."""
    query = (
        select(Delivery.id)
        .join(Delivery.follower)
        .where(
            Follower.kind == delivered.HIS,
            Delivery.subject_id == appointment.id,
            Delivery.state == delivered.ACCEPTED,
            Delivery.event != states.NEW,
            Delivery.settled_at >= told.said_at - _CLOCKS_DIFFER_BY,
        )
    )
    return session.scalar(query.limit(1)) is not None


def _follow(appointment: Appointment, told: Told, codes: Dialect) -> Heard:
    if told.trigger == states.NO_SHOW or told.status == "Noshow":
        if appointment.state == visit.MISSED:
            return Heard()
        return _done(lambda: visits.miss(appointment, absence(told.why, codes)))
    moved = _move(appointment, told, codes)
    if moved.answer != "AA":
        return moved
    if told.status == "Started" and appointment.state == visit.BOOKED:
        return _done(lambda: visits.arrive(appointment))
    if told.status == "Complete" and appointment.state in (visit.BOOKED, visit.ARRIVED):
        return _done(lambda: visits.finish(appointment))
    return Heard()


def _move(appointment: Appointment, told: Told, codes: Dialect) -> Heard:
    practitioner_id = _practitioner(appointment.establishment_id, told, codes) if told.practitioner else None
    if told.practitioner and practitioner_id is None:
        return _refused("unknown_practitioner", "204")
    practitioner_id = practitioner_id or appointment.practitioner_id
    start_at = told.start_at or appointment.start_at
    if (start_at, practitioner_id) == (appointment.start_at, appointment.practitioner_id):
        return Heard()
    slot = _slot(appointment, practitioner_id, start_at)
    if slot is None:
        return _refused("no_session")
    return _done(lambda: visits.move_for_patient(appointment, slot, motive(told.why, codes)))


def _slot(appointment: Appointment, practitioner_id: UUID, start_at: datetime) -> Slot | None:
    """The cell of a session of this practitioner, which takes the reason, that begins then."""
    query = (
        select(ConsultationSession)
        .join(SessionReason, SessionReason.session_id == ConsultationSession.id)
        .where(
            SessionReason.reason_id == appointment.reason_id,
            ConsultationSession.practitioner_id == practitioner_id,
            ConsultationSession.establishment_id == appointment.establishment_id,
            ConsultationSession.start_at <= start_at,
            ConsultationSession.start_at > start_at - timedelta(hours=16),
        )
        .order_by(ConsultationSession.start_at.desc())
    )
    for opened in session.scalars(query):
        cell, rest = divmod(start_at - opened.start_at, timedelta(minutes=opened.step_min))
        if not rest and cell < opened.n_cells:
            return Slot(opened.id, cell)
    return None


_STANDING_IN_THE_WAY: dict[type[Exception], str] = {
    visits.SlotTaken: "time_taken",
    visits.PatientBusy: "patient_busy",
    visits.NotBookable: "no_session",
    visits.AlreadyOver: "over",
    visits.NotYet: "not_yet",
    visit.NotAllowed: "not_allowed",
}


def _done(change: Callable[[], None]) -> Heard:
    """Wholly, or not at all."""
    try:
        with session.begin_nested():
            change()
    except tuple(_STANDING_IN_THE_WAY) as fact:
        return _refused(_STANDING_IN_THE_WAY[type(fact)])
    return Heard()
