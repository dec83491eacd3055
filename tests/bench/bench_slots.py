"""appointments.next_slots: the page of free times of a unit of 25 practitioners over 90 days, p95 in ms, against its
own statements. appointments.hot: sixteen patients who want the same times at once; double bookings."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from uuid import UUID

from flask import Flask
from sqlalchemy import text

from portal import db
from services.appointments import actions
from services.appointments.actions import PatientBusy, SlotTaken
from services.appointments.models import ConsultationSession, Reason
from services.appointments.slots import Slot
from tests.bench.harness import Ground, application, ground, p95_ms, quickest, report, report_faults, size
from tests.bench.replay import player, recorded
from tests.factories import appointments, hospitals, people

NAMES = ("appointments.next_slots", "appointments.hot")
PRACTITIONERS = 25
DAYS = 90
LOOKS = 30
PATIENTS = 16
_DOUBLES = text("""
select count(*) from appointment a join appointment b on a.id < b.id and a.state = 'booked' and b.state = 'booked'
and (a.practitioner_id = b.practitioner_id or a.patient_id = b.patient_id)
and a.start_at < b.end_at and b.start_at < a.end_at
""")
_REPEATED = text("""
insert into consultation_session (id, establishment_id, site_id, unit_id, practitioner_id, start_at, local_date,
  step_min, n_cells, open, free)
select gen_random_uuid(), establishment_id, site_id, unit_id, practitioner_id, start_at + make_interval(days => day),
  local_date + day, step_min, n_cells, open, free
from consultation_session, generate_series(1, :days) day
""")
_OFFERED = text("""
insert into session_reason (session_id, reason_id, establishment_id)
select id, :reason, :establishment from consultation_session on conflict do nothing
""")


def run() -> None:
    with ground() as place:
        app = application(place.settings)
        with app.app_context(), db.transaction(db.system("bench")):
            reason, opened = fill(size(PRACTITIONERS))
            wanted = [people.patient(f"PATIENT {number}").id for number in range(PATIENTS)]
        _next_slots(app, place, reason)
        _hot(app, reason.id, opened, wanted)


def fill(practitioners: int) -> tuple[Reason, ConsultationSession]:
    """A morning of each practitioner, repeated every day; the reason, and one of the mornings."""
    where = hospitals.hospital()
    reason = appointments.reason(where.unit, duration_min=15)
    doctors = [
        hospitals.practitioner(where.unit, f"2{number:010d}", f"DOCTEUR {number}", "Bench")
        for number in range(practitioners)
    ]
    tomorrow = date.today() + timedelta(days=1)
    opened = [appointments.consultation(where, [reason], tomorrow, practitioner=doctor) for doctor in doctors]
    db.session.execute(_REPEATED, {"days": DAYS - 1})
    db.session.execute(_OFFERED, {"reason": reason.id, "establishment": where.establishment.id})
    return reason, opened[0]


def _next_slots(app: Flask, place: Ground, reason: Reason) -> None:
    browser, address = app.test_client(), f"/rendez-vous/choisir-un-creneau?reason={reason.id}"

    def look() -> None:
        answer = browser.get(address)
        if answer.status_code != 200 or "app-slots__input" not in answer.text:
            raise RuntimeError(f"the free times answered {answer.status_code}")

    look()
    with recorded(app) as statements:
        look()
    with player(place, statements, writes=False) as play:
        ours, limit = quickest(lambda: p95_ms(look, LOOKS), lambda: p95_ms(play, LOOKS), 3)
    note = f"{size(PRACTITIONERS)} practitioners, {DAYS} days, {len(statements)} statements a page"
    report("appointments.next_slots", ours, "ms", limit, lower_is_better=True, note=note)


def _hot(app: Flask, reason_id: UUID, opened: ConsultationSession, wanted: list[UUID]) -> None:
    """Every patient asks for each time of one morning, all of them for the same one at the same moment."""
    together = Barrier(len(wanted))

    def want(patient_id: UUID) -> int:
        return sum(_books(app, together, patient_id, reason_id, Slot(opened.id, cell)) for cell in range(9))

    with ThreadPoolExecutor(len(wanted)) as everybody:
        won = sum(everybody.map(want, wanted))
    with app.app_context(), db.transaction(db.system("bench")) as current:
        doubles = int(current.scalar(_DOUBLES) or 0)
    note = f"{len(wanted)} patients at once for each of 9 times; {won} bookings"
    report_faults("appointments.hot", doubles + abs(won - 9), "double bookings", note)


def _books(app: Flask, together: Barrier, patient_id: UUID, reason_id: UUID, slot: Slot) -> bool:
    together.wait(60)
    try:
        with app.app_context(), db.transaction(db.system("bench")):
            actions.book_by_phone(patient_id, reason_id, slot)
            return True
    except (SlotTaken, PatientBusy):
        return False
