"""Booking: one transaction, every trace of it, or nothing at all."""

from datetime import time, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from auth.models import Patient, PatientRecord
from portal import catalog, db
from portal.audit import AuditEvent
from portal.db import session
from portal.kpi import KpiEvent
from services.appointments import actions
from services.appointments.actions import KnownPatientsOnly, NotBookable, PatientBusy, SlotTaken
from services.appointments.models import Appointment, AppointmentChange, Claim, ConsultationSession, Reason
from services.appointments.slots import Slot
from tests.factories import appointments, hospitals, people
from tests.ground import today
from tests.services.appointments.conftest import Ground


def _book(ground: Ground, cell: int = 0) -> Appointment:
    with db.transaction(ground.actor):
        return actions.book(ground.patient.id, ground.reason.id, ground.slot(cell))


def _count(table: type) -> int:
    with db.transaction(db.system("tests")):
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_booking_leaves_every_trace(ground: Ground) -> None:
    made = _book(ground, 2)
    with db.transaction(db.system("tests")):
        row = session.get_one(Appointment, made.id)
        assert (row.state, row.channel, row.start_at) == ("booked", "web", ground.opened.at(2))
        assert row.end_at - row.start_at == timedelta(minutes=30)
        assert session.get_one(ConsultationSession, ground.opened.id).free == ground.opened.open & ~0b1100
        claims = session.scalars(select(Claim).where(Claim.owner_id == made.id)).all()
        assert {claim.resource_id for claim in claims} == {ground.patient.id, ground.hospital.practitioner.id}
        assert len(claims) == 2 * 6
        assert session.scalars(select(AppointmentChange.to_state)).all() == ["booked"]
        line = session.scalars(select(AuditEvent).where(AuditEvent.action == "appointment.booked")).one()
        assert (line.patient_id, line.object_id, line.actor) == (ground.patient.id, made.id, ground.actor.label)
        event = session.scalars(select(KpiEvent).where(KpiEvent.event == "appointment_booked")).one()
        assert (event.channel, event.dimension) == ("web", "open_online")
        assert session.scalars(text("select task_name from procrastinate_jobs")).all() == [
            "appointments.confirm_by_mail"
        ]
        record = (ground.patient.id, ground.hospital.establishment.id)
        assert session.get(PatientRecord, record) is not None, "the hospital's agents may see the patient"


def test_a_reference_can_be_read_aloud(ground: Ground) -> None:
    reference = _book(ground).reference
    assert len(reference) == 8
    assert not set(reference) & set("AEIOUY01")


def test_a_taken_slot_is_refused_and_leaves_nothing(ground: Ground) -> None:
    _book(ground)
    before = (_count(Appointment), _count(Claim), _count(AuditEvent), _count(KpiEvent))
    with db.transaction(db.system("tests")):
        account, other = people.patient_with_account(birth_name="AUTRE")
    with pytest.raises(SlotTaken), db.transaction(people.as_patient(account, other)):
        actions.book(other.id, ground.reason.id, ground.slot(1))
    assert (_count(Appointment), _count(Claim), _count(AuditEvent), _count(KpiEvent)) == before


def test_nobody_has_two_appointments_at_one_time(ground: Ground) -> None:
    """Even with another practitioner: 9:00–9:30 here, 9:15–9:45 there."""
    with db.transaction(db.system("tests")):
        colleague = hospitals.practitioner(ground.hospital.unit, "10000000025", "TRAN", "Minh")
        other = appointments.consultation(ground.hospital, [ground.reason], practitioner=colleague)
    _book(ground)
    with pytest.raises(PatientBusy), db.transaction(ground.actor):
        actions.book(ground.patient.id, ground.reason.id, Slot(other.id, 1))
    with db.transaction(db.system("tests")):
        assert session.get_one(ConsultationSession, other.id).free == other.open, "the session got its cells back"


def test_two_sessions_of_one_practitioner_cannot_double_book(ground: Ground) -> None:
    """Sessions entered twice by mistake: their masks do not see each other, the practitioner's claims do."""
    with db.transaction(db.system("tests")):
        twin = appointments.consultation(ground.hospital, [ground.reason])
        account, other = people.patient_with_account(birth_name="AUTRE")
    _book(ground)
    with pytest.raises(SlotTaken), db.transaction(people.as_patient(account, other)):
        actions.book(other.id, ground.reason.id, Slot(twin.id, 1))


def test_delays_bind_the_web_and_not_the_phone(ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        late = appointments.reason(ground.hospital.unit, min_delay_hours=24 * 30)
        far = appointments.reason(ground.hospital.unit, max_delay_days=2)
        opened = appointments.consultation(ground.hospital, [late, far], opens=time(14), closes=time(17))
    for reason in (late, far):
        with pytest.raises(SlotTaken), db.transaction(ground.actor):
            actions.book(ground.patient.id, reason.id, Slot(opened.id, 0))
    with db.transaction(db.system("tests")):
        assert actions.book_by_phone(ground.patient.id, late.id, Slot(opened.id, 0)).channel == "phone"


def test_the_past_is_taken(ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        today = db.now().astimezone(ground.hospital.establishment.tz).date()
        gone = appointments.consultation(ground.hospital, [ground.reason], day=today - timedelta(days=1))
        with pytest.raises(SlotTaken):
            actions.book_by_phone(ground.patient.id, ground.reason.id, Slot(gone.id, 0))


@pytest.mark.parametrize("cell", [11, 12, 59])
def test_an_appointment_does_not_go_beyond_its_session(ground: Ground, cell: int) -> None:
    with pytest.raises(SlotTaken), db.transaction(ground.actor):
        actions.book(ground.patient.id, ground.reason.id, ground.slot(cell))


def test_a_reason_is_booked_only_where_it_is_taken(ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        elsewhere = appointments.reason(ground.hospital.unit, "Épreuve d’effort")
    for reason_id, session_id in ((elsewhere.id, ground.opened.id), (ground.reason.id, UUID(int=0))):
        with pytest.raises(NotBookable), db.transaction(ground.actor):
            actions.book(ground.patient.id, reason_id, Slot(session_id, 0))


def test_a_reason_closed_online_is_for_the_phone(ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        closed = appointments.reason(ground.hospital.unit, bookable_online=False)
        opened = appointments.consultation(ground.hospital, [closed], opens=time(14), closes=time(16))
    with pytest.raises(NotBookable), db.transaction(ground.actor):
        actions.book(ground.patient.id, closed.id, Slot(opened.id, 0))
    with db.transaction(db.system("tests")):
        actions.book_by_phone(ground.patient.id, closed.id, Slot(opened.id, 0))
        event = session.scalars(select(KpiEvent).where(KpiEvent.event == "appointment_booked")).one()
        assert (event.channel, event.dimension) == ("phone", "not_open_online")


def test_a_closed_service_takes_no_booking_online(ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        row = session.get_one(catalog.PublishedService, (ground.hospital.establishment.id, "appointments"))
        row.closed_on = today()
    with pytest.raises(NotBookable):
        _book(ground)


def test_some_reasons_are_for_patients_whom_the_hospital_follows(ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        follow_up = appointments.reason(ground.hospital.unit, open_to_new_patients=False)
        opened = appointments.consultation(ground.hospital, [follow_up], opens=time(14), closes=time(16))
    with pytest.raises(KnownPatientsOnly), db.transaction(ground.actor):
        actions.book(ground.patient.id, follow_up.id, Slot(opened.id, 0))
    with db.transaction(db.system("tests")):
        people.known_at(ground.patient, ground.hospital.establishment.id, "8000001")
    with db.transaction(ground.actor):
        assert actions.book(ground.patient.id, follow_up.id, Slot(opened.id, 0)).state == "booked"


@pytest.mark.parametrize(
    ("youngest", "oldest", "may"), [(None, 9, False), (60, None, False), (18, 60, True), (None, None, True)]
)
def test_a_reason_is_for_patients_of_its_age(
    ground: Ground, youngest: int | None, oldest: int | None, may: bool
) -> None:
    with db.transaction(db.system("tests")):
        reason = session.get_one(Reason, ground.reason.id)
        reason.min_age, reason.max_age = youngest, oldest
        day = ground.opened.local_date
        session.get_one(Patient, ground.patient.id).birth_on = day.replace(year=day.year - 40, day=1)
    with db.transaction(ground.actor):
        if may:
            assert actions.book(ground.patient.id, ground.reason.id, ground.slot(0)).id
        else:
            with pytest.raises(actions.NotTheAge):
                actions.book(ground.patient.id, ground.reason.id, ground.slot(0))
