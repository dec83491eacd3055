"""Reminders: of what stands when they leave, once a day for each person, never at night, never of anybody's health."""

import email
import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from email.policy import default
from threading import Barrier
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from flask import Flask, current_app
from sqlalchemy import select, update

from auth.contact.models import ContactPoint
from auth.models import Account, Patient, PatientAccess
from portal import db, jobs
from portal.db import session
from portal.gateways import Unavailable
from portal.gateways.mail import connect
from portal.gateways.mail.twin import MailTwin
from portal.message_texts import telephone
from portal.notifications import _outbox
from portal.text_messages import _operator
from services.appointments import actions, states
from services.appointments.models import Appointment, ConsultationSession, Reason
from services.appointments.reminders import actions as choosing
from services.appointments.reminders import jobs as reminding
from services.appointments.reminders import planning, queries
from services.appointments.reminders.models import Reminder, ReminderChoice, ReminderPolicy, ReminderSeen
from services.appointments.slots import Slot
from tests.factories import appointments, hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import audited, prepared, rows, today
from tests.services.appointments.conftest import Ground

PARIS = ZoneInfo("Europe/Paris")


class Telephones:
    """An operator that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.fails: Exception | None = None

    def send(self, to: str, text: str) -> None:
        if self.fails:
            raise self.fails
        self.sent.append((to, text))


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> MailTwin:
    twin = MailTwin()
    monkeypatch.setattr(_outbox, "door", twin)
    return twin


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> Telephones:
    twin = Telephones()
    monkeypatch.setattr(_operator, "door", twin)
    return twin


class Clock:
    """The present moment, as this test wants it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = db.now()
        monkeypatch.setattr(db, "now", lambda: self.now)

    def at(self, day: date, hour: str, tz: ZoneInfo = PARIS) -> None:
        self.now = datetime.combine(day, time.fromisoformat(hour), tz).astimezone(ZoneInfo("UTC"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


WorkJobs = Callable[[], None]


@pytest.fixture
def remind(work_jobs: WorkJobs) -> Callable[[], int]:
    """What the clock does every five minutes, then what workers do; how many messages were asked for."""

    def run() -> int:
        with prepared():
            planned = planning.plan(db.now())
        if planned:
            work_jobs()
        return planned

    return run


Remind = Callable[[], int]
FAR = 40
"""Days ahead of the visits of these tests: far from today, whatever day it is."""


@pytest.fixture
def day(ground: Ground) -> date:
    return today() + timedelta(days=FAR)


@pytest.fixture
def opened(ground: Ground, day: date) -> ConsultationSession:
    with prepared():
        return appointments.consultation(ground.hospital, [ground.reason], day)


@pytest.fixture
def made(ground: Ground, opened: ConsultationSession, work_jobs: WorkJobs, mails: MailTwin) -> Appointment:
    with db.transaction(ground.actor):
        booked = actions.book(ground.patient.id, ground.reason.id, Slot(opened.id, 0))
    work_jobs()
    mails.sent.clear()
    return booked


def _again(made: Appointment) -> Appointment:
    with prepared():
        return session.get_one(Appointment, made.id)


# -- what is sent --------------------------------------------------------------------------------------------------


def test_a_week_before_and_the_day_before(
    made: Appointment, day: date, clock: Clock, remind: Remind, mails: MailTwin
) -> None:
    told = []
    for ahead in range(10, -1, -1):
        for hour in ("07:00", "12:00", "15:05", "18:00", "21:00"):
            clock.at(day - timedelta(days=ahead), hour)
            remind()
            told += [(ahead, hour)] * len(mails.sent)
            mails.sent.clear()
    assert told == [(7, "15:05"), (1, "15:05")]
    assert _again(made).reminded_at is not None
    assert audited().count("appointment.reminded") == 2


def test_it_tells_the_day_the_time_and_the_hospital_and_nothing_else(
    ground: Ground, made: Appointment, day: date, clock: Clock, remind: Remind, mails: MailTwin
) -> None:
    clock.at(day - timedelta(days=1), "15:05")
    remind()
    (mail,) = mails.sent
    assert mail.to == ground.account.email
    text = mail.subject + mail.text
    assert ground.hospital.establishment.name in text
    assert "09:00" in text
    assert re.search(r"/rendez-vous/lien/[\w-]{22}", text)
    hidden = (ground.hospital.unit.name, ground.reason.name, "MERCIER", ground.patient.birth_name, made.reference)
    assert [each for each in hidden if each.lower() in text.lower()] == []


def test_by_text_in_one_part_when_the_person_chose_it(
    ground: Ground, made: Appointment, day: date, clock: Clock, remind: Remind, texts: Telephones, mails: MailTwin
) -> None:
    _choose_texts(ground.account)
    clock.at(day - timedelta(days=2), "15:05")
    remind()
    ((number, text),) = texts.sent
    assert number == "+33612345678"
    assert telephone.parts(text) == 1, text
    assert "09:00" in text
    assert "/rendez-vous/lien/" in text
    assert mails.sent == []


def test_somebody_on_the_phone_with_only_a_mobile_is_reminded_by_text(
    ground: Ground, opened: ConsultationSession, day: date, clock: Clock, remind: Remind, texts: Telephones
) -> None:
    with prepared():
        caller = people.patient("AUTRE", mobile="06 39 98 00 01")
        actions.book_by_phone(caller.id, ground.reason.id, Slot(opened.id, 4))
    clock.at(day - timedelta(days=2), "15:05")
    remind()
    ((number, text),) = texts.sent
    assert number == "+33639980001"
    assert "/rendez-vous/lien/" in text


def test_they_are_told_at_once_of_what_is_booked_moved_and_cancelled_but_not_at_night(
    ground: Ground, opened: ConsultationSession, day: date, clock: Clock, work_jobs: WorkJobs, texts: Telephones
) -> None:
    clock.at(day - timedelta(days=20), "10:00")
    with prepared():
        caller = people.patient("AUTRE", mobile="06 39 98 00 01")
        made = actions.book_by_phone(caller.id, ground.reason.id, Slot(opened.id, 4))
    work_jobs()
    with prepared():
        actions.move_for_patient(session.get_one(Appointment, made.id), Slot(opened.id, 8), "patient_asked")
    work_jobs()
    clock.at(day - timedelta(days=20), "21:00")
    with prepared():
        actions.cancel_for_patient(session.get_one(Appointment, made.id), "unit_closed")
    work_jobs()
    assert [("10:00" in text, "11:00" in text, "/lien/" in text) for _to, text in texts.sent] == [
        (True, False, True), (False, True, True),
    ]  # fmt: skip
    clock.at(day - timedelta(days=19), "08:05")
    with _as_job(99):
        reminding.tell_by_text(str(made.id), int(_again(made).start_at.timestamp()))
    assert "/lien/" not in texts.sent[-1][1]
    assert [telephone.parts(text) for _to, text in texts.sent] == [1, 1, 1]
    hidden = (ground.hospital.unit.name, ground.reason.name, "MERCIER", "AUTRE")
    assert [each for each in hidden for _to, text in texts.sent if each.lower() in text.lower()] == []


def test_a_text_of_the_day_is_not_said_twice(
    ground: Ground, opened: ConsultationSession, day: date, clock: Clock, remind: Remind, work_jobs: WorkJobs,
    texts: Telephones,
) -> None:  # fmt: skip
    """Booked this afternoon for tomorrow: the reminder of ten minutes later is the confirmation."""
    clock.at(day - timedelta(days=1), "14:00")
    with prepared():
        caller = people.patient("AUTRE", mobile="06 39 98 00 01")
        actions.book_by_phone(caller.id, ground.reason.id, Slot(opened.id, 4))
    work_jobs()
    assert texts.sent == []
    for hour in ("14:05", "14:10", "14:15", "15:05", "19:00"):
        clock.at(day - timedelta(days=1), hour)
        remind()
    assert len(texts.sent) == 1


def test_nobody_is_written_to_who_cannot_be_reached(
    ground: Ground, opened: ConsultationSession, day: date, clock: Clock, remind: Remind, texts: Telephones
) -> None:
    with prepared():
        caller = people.patient("AUTRE", mobile="01 99 00 00 00")
        actions.book_by_phone(caller.id, ground.reason.id, Slot(opened.id, 4))
    for ahead in (7, 2, 1):
        clock.at(day - timedelta(days=ahead), "15:05")
        assert remind() == 0
    assert texts.sent == []


@pytest.mark.parametrize(("locale", "words"), [("fr", "09:00"), ("en", "9:00")])
def test_in_its_reader_s_language(
    ground: Ground, made: Appointment, day: date, clock: Clock, remind: Remind, mails: MailTwin, locale: str, words: str
) -> None:
    with prepared():
        session.get_one(Account, ground.account.id).locale = locale
    clock.at(day - timedelta(days=1), "15:05")
    remind()
    assert words in mails.sent[0].text
    assert ("AM" in mails.sent[0].text) == (locale == "en")


@pytest.mark.parametrize(("zone", "place"), [("Indian/Reunion", "Réunion"), ("America/Martinique", "Martinique")])
def test_a_hospital_overseas_reminds_at_its_own_hours_of_its_own_time(
    ground: Ground, day: date, clock: Clock, remind: Remind, mails: MailTwin, work_jobs: WorkJobs, zone: str, place: str
) -> None:
    tz = ZoneInfo(zone)
    with prepared():
        far = hospitals.hospital("990000033", "Hôpital du bout du monde", time_zone=zone)
        why = appointments.reason(far.unit)
        actions.book_by_phone(ground.patient.id, why.id, Slot(appointments.consultation(far, [why], day).id, 0))
    work_jobs()
    mails.sent.clear()
    clock.at(day - timedelta(days=1), "14:55", tz)
    assert remind() == 0
    clock.at(day - timedelta(days=1), "15:05", tz)
    assert remind() == 1
    assert "09:00" in mails.sent[0].text
    assert place in mails.sent[0].text.replace("\u00a0", " ")


# -- never of what does not stand ----------------------------------------------------------------------------------


def test_never_of_a_cancelled_visit(
    ground: Ground, made: Appointment, day: date, clock: Clock, remind: Remind, mails: MailTwin, work_jobs: WorkJobs
) -> None:
    with db.transaction(ground.actor):
        actions.cancel(session.get_one(Appointment, made.id), "other")
    work_jobs()
    mails.sent.clear()
    for ahead in (7, 2, 1):
        clock.at(day - timedelta(days=ahead), "15:05")
        remind()
    assert mails.sent == []


def test_a_visit_cancelled_between_the_planning_and_the_sending_is_not_told(
    ground: Ground, made: Appointment, day: date, clock: Clock, mails: MailTwin, work_jobs: WorkJobs
) -> None:
    clock.at(day - timedelta(days=1), "15:05")
    with prepared():
        assert planning.plan(db.now()) == 1
    with prepared():
        actions.cancel_for_patient(session.get_one(Appointment, made.id), "patient_asked")
    work_jobs()
    assert [mail for mail in mails.sent if "lien/" in mail.text] == []
    (reminder,) = rows(Reminder)
    assert (reminder.state, reminder.because) == ("dropped", "nothing_due")


def test_a_visit_moved_between_the_planning_and_the_sending_is_told_as_it_is_now_or_not_at_all(
    ground: Ground, made: Appointment, opened: ConsultationSession, day: date, clock: Clock, mails: MailTwin,
    work_jobs: WorkJobs,
) -> None:  # fmt: skip
    clock.at(day - timedelta(days=2), "10:00")
    with prepared():
        actions.move_for_patient(session.get_one(Appointment, made.id), Slot(opened.id, 4), "patient_asked")
    work_jobs()
    mails.sent.clear()
    clock.at(day - timedelta(days=1), "15:05")
    with prepared():
        assert planning.plan(db.now()) == 1
        far = appointments.consultation(ground.hospital, [ground.reason], day + timedelta(days=20))
        actions.move_for_patient(session.get_one(Appointment, made.id), Slot(far.id, 0), "patient_asked")
    work_jobs()
    assert [reminder.state for reminder in rows(Reminder)] == ["dropped"]


def test_in_whatever_order_people_and_workers_act_only_what_stands_is_told(
    ground: Ground, day: date, clock: Clock, mails: MailTwin, work_jobs: WorkJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the very moment a message passes the door, each visit it tells of stands, at that time."""
    from itertools import permutations

    stands: list[bool] = []
    real = mails.send

    def send(message: object) -> None:
        text = getattr(message, "text", "")
        if "reminder" in getattr(message, "subject", "").lower() or "rappel" in getattr(message, "subject", "").lower():
            with prepared():
                row = session.scalars(select(Appointment).where(Appointment.patient_id == ground.patient.id)).one()
                stands.append(row.state == states.BOOKED and f"{row.start_at.astimezone(PARIS):%H:%M}" in text)
        real(message)  # type: ignore[arg-type]  # the real sender, kept above

    monkeypatch.setattr(mails, "send", send)
    for offset, order in enumerate(permutations(("move", "cancel", "plan", "work"))):
        on = day + timedelta(days=offset)
        clock.at(on - timedelta(days=20), "10:00")
        with prepared():
            held = appointments.consultation(ground.hospital, [ground.reason], on)
            visit = actions.book_by_phone(ground.patient.id, ground.reason.id, Slot(held.id, 0))
        clock.at(on - timedelta(days=1), "15:05")
        for step in order:
            _do(step, visit.id, Slot(held.id, 6), work_jobs)
        work_jobs()
        with prepared():
            session.execute(update(Appointment).values(patient_id=people.patient(f"P{offset}").id))
    assert stands, "some orders remind"
    assert all(stands)


def _do(step: str, visit_id: UUID, other: Slot, work_jobs: WorkJobs) -> None:
    if step == "work":
        return work_jobs()
    with prepared():
        visit = session.get_one(Appointment, visit_id)
        if step == "plan":
            planning.plan(db.now())
        elif visit.state == states.BOOKED and step == "move":
            actions.move_for_patient(visit, other, "patient_asked")
        elif visit.state == states.BOOKED:
            actions.cancel_for_patient(visit, "patient_asked")
    return None


def test_a_worker_that_was_away_for_two_days_sends_nothing_late(
    made: Appointment, day: date, clock: Clock, mails: MailTwin, work_jobs: WorkJobs
) -> None:
    clock.at(day - timedelta(days=7), "15:05")
    with prepared():
        assert planning.plan(db.now()) == 1
    clock.at(day - timedelta(days=5), "15:05")
    work_jobs()
    assert mails.sent == []
    assert [each.state for each in rows(Reminder)] == ["dropped"]


def test_runs_that_are_late_repeated_or_at_once_ask_for_nothing_twice(
    made: Appointment, day: date, clock: Clock, remind: Remind, mails: MailTwin
) -> None:
    clock.at(day - timedelta(days=1), "19:55")
    assert [remind() for _run in range(4)] == [1, 0, 0, 0]
    assert len(mails.sent) == 1


def test_two_workers_that_plan_at_once_ask_for_one_message(
    made: Appointment, day: date, clock: Clock, mails: MailTwin, work_jobs: WorkJobs
) -> None:
    clock.at(day - timedelta(days=1), "15:05")
    start = Barrier(3)

    def run(app: Flask) -> int:
        with app.app_context():
            start.wait()
            with prepared():
                return planning.plan(db.now())

    app = current_app._get_current_object()  # type: ignore[attr-defined]  # what stands behind the proxy of Flask
    with ThreadPoolExecutor(3) as workers:
        planned = list(workers.map(run, [app] * 3))
    assert sum(planned) == 1
    work_jobs()
    assert len(mails.sent) == 1


def test_a_job_that_runs_twice_sends_once(
    made: Appointment, day: date, clock: Clock, remind: Remind, mails: MailTwin, work_jobs: WorkJobs
) -> None:
    clock.at(day - timedelta(days=1), "15:05")
    remind()
    (reminder,) = rows(Reminder)
    with prepared():
        jobs.enqueue("appointments.send_reminder", reminder_id=str(reminder.id))
    work_jobs()
    assert len(mails.sent) == 1


def test_what_a_dead_worker_left_on_its_way_stays_uncertain_and_is_not_sent_again(
    made: Appointment, day: date, clock: Clock, mails: MailTwin, work_jobs: WorkJobs
) -> None:
    from services.appointments.reminders import sending

    clock.at(day - timedelta(days=1), "15:05")
    with prepared():
        planning.plan(db.now())
        (reminder,) = session.scalars(select(Reminder))
        assert sending.depart(reminder.id, db.now()) is not None  # and the worker dies here
    work_jobs()
    assert mails.sent == []
    assert [(each.state, each.because) for each in rows(Reminder)] == [("uncertain", "crash")]


def test_a_mail_server_that_is_away_is_asked_again_the_same_day_only(
    made: Appointment, day: date, clock: Clock, mails: MailTwin, work_jobs: WorkJobs
) -> None:
    clock.at(day - timedelta(days=1), "15:05")
    mails.faults.down = True
    with prepared():
        planning.plan(db.now())
        (reminder,) = session.scalars(select(Reminder.id))
    with pytest.raises(Unavailable), _as_job(41):
        reminding.send_reminder(str(reminder))
    assert [each.state for each in rows(Reminder)] == ["planned"]
    mails.faults.down = False
    with _as_job(42):
        reminding.send_reminder(str(reminder))
    assert len(mails.sent) == 1
    assert [each.state for each in rows(Reminder)] == ["sent"]


@pytest.mark.parametrize(("fault", "state"), [("refuses", "refused"), ("cut_after", "uncertain")])
def test_what_fails_is_counted_and_not_sent_again(
    made: Appointment, day: date, clock: Clock, remind: Remind, mails: MailTwin, fault: str, state: str
) -> None:
    setattr(mails.faults, fault, True)
    clock.at(day - timedelta(days=1), "15:05")
    remind()
    remind()
    assert [each.state for each in rows(Reminder)] == [state]
    assert _again(made).reminded_at is None
    with prepared():
        found = queries.counts(made.establishment_id, day - timedelta(days=3))
    assert found == {("mail", state): 1}


def _as_job(job_id: int) -> object:
    from contextlib import contextmanager

    @contextmanager
    def run() -> Iterator[None]:
        token = jobs._running.set(jobs._Running(job_id, "appointments.send_reminder"))
        try:
            yield
        finally:
            jobs._running.reset(token)

    return run()


# -- one message a day ---------------------------------------------------------------------------------------------


def test_one_message_a_day_whatever_the_number_of_visits_and_hospitals(
    ground: Ground, made: Appointment, opened: ConsultationSession, day: date, clock: Clock, remind: Remind,
    mails: MailTwin, work_jobs: WorkJobs,
) -> None:  # fmt: skip
    with prepared():
        other = hospitals.hospital("990000025", "Autre hôpital")
        why = appointments.reason(other.unit)
        held = appointments.consultation(other, [why], day, time(14), time(17))
        actions.book_by_phone(ground.patient.id, why.id, Slot(held.id, 0))
        actions.book_by_phone(ground.patient.id, ground.reason.id, Slot(opened.id, 6))
    work_jobs()
    mails.sent.clear()
    clock.at(day - timedelta(days=1), "15:05")
    assert remind() == 1
    (mail,) = mails.sent
    assert [each in mail.text for each in ("09:00", "10:30", "14:00", "Autre hôpital")] == [True] * 4
    assert mail.text.count("/lien/") == 3
    assert [each.visits for each in rows(Reminder)] == [3]


def test_one_message_for_somebody_who_acts_for_several(
    ground: Ground, opened: ConsultationSession, day: date, clock: Clock, remind: Remind, mails: MailTwin,
    work_jobs: WorkJobs,
) -> None:  # fmt: skip
    with prepared():
        for rank, name in enumerate(("UN", "DEUX")):
            child = people.patient(name, birth_on=date(2020, 1, 1))
            people.give_access(ground.account, child, "parent")
            actions.book_by_phone(child.id, ground.reason.id, Slot(opened.id, 2 + 2 * rank))
    work_jobs()
    mails.sent.clear()
    clock.at(day - timedelta(days=1), "15:05")
    assert remind() == 1
    assert mails.sent[0].to == ground.account.email


def test_it_leaves_by_a_real_mail_server(
    made: Appointment, day: date, clock: Clock, remind: Remind, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[str] = []

    class Keep:
        async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:
            parsed = email.message_from_bytes(envelope.original_content or b"", policy=default)
            received.append(parsed.get_body(("plain",)).get_content())  # type: ignore[union-attr]  # the mail has a text
            return "250 taken"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    relay = Controller(Keep(), hostname="127.0.0.1", port=port)
    relay.start()
    try:
        door = connect(f"smtp://127.0.0.1:{port}", sender="Parvis <parvis@hopital.exemple.test>")
        monkeypatch.setattr(_outbox, "door", door)
        clock.at(day - timedelta(days=1), "15:05")
        remind()
    finally:
        relay.stop()
    (text,) = received
    assert re.search(r"/rendez-vous/lien/[\w-]{22}\r?$", text, re.M), "no line of a mail breaks a link"
    assert [each.state for each in rows(Reminder)] == ["sent"]


# -- to whom -------------------------------------------------------------------------------------------------------


def test_a_proxy_hears_only_while_the_patient_has_no_account_and_only_as_long_as_they_may(
    ground: Ground, opened: ConsultationSession, day: date, clock: Clock, remind: Remind, mails: MailTwin,
    work_jobs: WorkJobs,
) -> None:  # fmt: skip
    with prepared():
        child = people.patient("ENFANT", birth_on=date(2020, 1, 1))
        people.give_access(ground.account, child, "parent")
        actions.book_by_phone(child.id, ground.reason.id, Slot(opened.id, 4))
    work_jobs()
    mails.sent.clear()
    clock.at(day - timedelta(days=7), "15:05")
    assert remind() == 1
    with prepared():
        access = session.get_one(PatientAccess, (ground.account.id, child.id))
        access.revoked_at = db.now()
    clock.at(day - timedelta(days=1), "15:05")
    remind()
    assert len(mails.sent) == 1


def test_of_what_is_masked_the_patient_alone_hears_and_without_a_link(
    ground: Ground, made: Appointment, opened: ConsultationSession, day: date, clock: Clock, remind: Remind,
    mails: MailTwin, work_jobs: WorkJobs,
) -> None:  # fmt: skip
    with prepared():
        parent = people.account(name="Un parent", email="parent@exemple.test")
        people.give_access(parent, session.get_one(Patient, ground.patient.id), "carer")
        alone = people.patient("SEULE", email="papier@exemple.test")
        kept = actions.book_by_phone(alone.id, ground.reason.id, Slot(opened.id, 4))
        for each in (made.id, kept.id):
            session.get_one(Appointment, each).masked = True
    work_jobs()
    mails.sent.clear()
    clock.at(day - timedelta(days=1), "15:05")
    remind()
    assert [mail.to for mail in mails.sent] == [ground.account.email]
    assert "/lien/" not in mails.sent[0].text


def test_nobody_is_reminded_of_somebody_who_died(
    ground: Ground, made: Appointment, day: date, clock: Clock, remind: Remind, mails: MailTwin
) -> None:
    with prepared():
        session.get_one(Patient, ground.patient.id).deceased_on = today()
    clock.at(day - timedelta(days=1), "15:05")
    remind()
    assert mails.sent == []


def test_a_person_may_want_none(
    ground: Ground, made: Appointment, day: date, clock: Clock, remind: Remind, mails: MailTwin
) -> None:
    with db.transaction(ground.actor):
        choosing.choose(wanted=False, discreet=False)
    clock.at(day - timedelta(days=1), "15:05")
    assert remind() == 0


def test_a_person_may_want_discretion(
    ground: Ground, made: Appointment, day: date, clock: Clock, remind: Remind, mails: MailTwin
) -> None:
    with db.transaction(ground.actor):
        choosing.choose(wanted=True, discreet=True)
    clock.at(day - timedelta(days=1), "15:05")
    remind()
    text = mails.sent[0].subject + mails.sent[0].text
    assert [each in text for each in ("09:00", ground.hospital.establishment.name, "/lien/")] == [False] * 3
    assert str(day.year) not in text


@pytest.mark.parametrize(
    ("says", "shown"), [("where", [True, True]), ("when", [True, False]), ("nothing", [False] * 2)]
)
def test_a_hospital_says_how_much_its_messages_tell(
    ground: Ground, made: Appointment, day: date, clock: Clock, remind: Remind, mails: MailTwin, says: str,
    shown: list[bool],
) -> None:  # fmt: skip
    _set(ground.hospital, says=says)
    clock.at(day - timedelta(days=1), "15:05")
    remind()
    text = mails.sent[0].subject + mails.sent[0].text
    assert [each in text for each in ("09:00", ground.hospital.establishment.name)] == shown


# -- the hospital's rules ------------------------------------------------------------------------------------------


def test_a_hospital_that_switches_reminders_off_sends_none_even_of_those_on_their_way(
    ground: Ground, made: Appointment, day: date, clock: Clock, mails: MailTwin, work_jobs: WorkJobs
) -> None:
    clock.at(day - timedelta(days=1), "15:05")
    with prepared():
        assert planning.plan(db.now()) == 1
    _set(ground.hospital, is_on=False)
    work_jobs()
    assert mails.sent == []
    with prepared():
        assert planning.plan(db.now() + timedelta(days=1)) == 0


def test_a_reason_may_have_its_own_rules_or_none(
    ground: Ground, made: Appointment, day: date, clock: Clock, remind: Remind, mails: MailTwin
) -> None:
    own = {"is_on": True, "mail_days": [3], "text_days": [], "near_mail": True, "near_text": True, "late_text": True}
    with prepared():
        choosing.change_policy(session.get_one(Reason, ground.reason.id), own)
    told = []
    for ahead in (7, 3, 1):
        clock.at(day - timedelta(days=ahead), "15:05")
        told.append(remind())
    assert told == [0, 1, 0]
    with prepared():
        choosing.change_policy(session.get_one(Reason, ground.reason.id), own | {"is_on": False, "mail_days": [2]})
    clock.at(day - timedelta(days=2), "15:05")
    assert remind() == 0


def test_nothing_leaves_at_night_even_what_was_planned_before_it(
    made: Appointment, day: date, clock: Clock, mails: MailTwin, work_jobs: WorkJobs
) -> None:
    clock.at(day - timedelta(days=1), "19:58")
    with prepared():
        assert planning.plan(db.now()) == 1
    clock.at(day - timedelta(days=1), "20:02")
    work_jobs()
    assert mails.sent == []


def test_what_was_looked_at_is_forgotten_after_a_few_days(
    made: Appointment, day: date, clock: Clock, remind: Remind
) -> None:
    clock.at(day - timedelta(days=7), "15:05")
    remind()
    assert len(rows(ReminderSeen)) == 1
    clock.at(day + timedelta(days=1), "03:41")
    with _as_job(7):
        reminding.forget()
    assert (len(rows(ReminderSeen)), len(rows(Reminder))) == (0, 1)


def test_no_shows_are_told_apart_by_whether_a_reminder_was_sent(ground: Ground) -> None:
    with prepared():
        held = appointments.consultation(ground.hospital, [ground.reason], today() - timedelta(days=3))
        for cell, (state, told) in enumerate((("done", True), ("missed", True), ("missed", False), ("booked", True))):
            past = appointments.past(people.patient(f"P{cell}"), ground.reason, held, 2 * cell, state=state)
            past.reminded_at = db.now() if told else None
    with prepared():
        found = queries.no_shows(ground.hospital.establishment.id, db.now() - timedelta(days=30))
    assert (found.reminded, found.reminded_missed, found.others, found.others_missed) == (2, 1, 1, 1)


# -- who sees the tables -------------------------------------------------------------------------------------------


def test_each_table_is_closed_to_those_whom_it_does_not_concern(
    ground: Ground, made: Appointment, day: date, clock: Clock, remind: Remind
) -> None:
    with db.transaction(ground.actor):
        choosing.choose(wanted=True, discreet=True)
    _set(ground.hospital)
    with prepared():
        choosing.change_policy(session.get_one(Reason, ground.reason.id), None)
        session.add(ReminderPolicy(reason_id=ground.reason.id, establishment_id=ground.hospital.establishment.id))
        account, other = people.patient_with_account(birth_name="AUTRE")
        elsewhere = hospitals.hospital("990000025", "Autre hôpital").establishment.id
        far, near = people.agent(elsewhere, "appointments"), people.agent(made.establishment_id, "appointments")
    clock.at(day - timedelta(days=7), "15:05")
    remind()
    tables = (Reminder, ReminderSeen, ReminderChoice, ReminderPolicy)
    seen = {}
    for name, actor in {
        "patient": ground.actor,
        "other": people.as_patient(account, other),
        "near": people.as_agent(near, made.establishment_id, "appointments"),
        "far": people.as_agent(far, elsewhere, "appointments"),
        "nobody": db.ANONYMOUS,
    }.items():
        with db.transaction(actor):
            seen[name] = [len(session.scalars(select(table)).all()) for table in tables]
    assert seen == {
        "patient": [1, 0, 1, 0],
        "other": [0, 0, 0, 0],
        "near": [1, 0, 0, 1],
        "far": [0, 0, 0, 0],
        "nobody": [0, 0, 0, 0],
    }


def _set(hospital: Hospital, **values: object) -> None:
    usual = {"is_on": True, "mail_days": [7, 1], "text_days": [2], "near_mail": True, "near_text": True,
             "late_text": True, "send_at": 15, "quiet_from": 20, "quiet_until": 8, "says": "where"}  # fmt: skip
    with prepared():
        choosing.change_setting(hospital.establishment.id, usual | values)


def _choose_texts(account: Account) -> None:
    with prepared():
        session.get_one(Account, account.id).channels = ["sms"]
        session.add(
            ContactPoint(
                account_id=account.id,
                kind="mobile",
                value="+33612345678",
                code_digest=b"",
                verified_at=db.now(),
                code_expires_at=db.now(),
            )
        )
