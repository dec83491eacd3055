"""A request reaches its answer: times are kept for the patient, taken once, given back when nobody takes them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import ProgrammingError

from portal import calendar, db, files
from portal.calendar import HOLIDAY_RULES
from portal.db import ANONYMOUS, Actor, session
from portal.establishments import Unit
from portal.notifications import Notification
from services.appointments import actions as engine
from services.appointments.actions import HoldEnded, SlotTaken
from services.appointments.models import Appointment, ConsultationSession, Hold, Reason
from services.appointments.requests import actions, jobs, states
from services.appointments.requests.actions import (
    AlreadyAsked,
    Asked,
    ChangedMeanwhile,
    LetterNeeded,
    ProposalGone,
    RequestOver,
    TooManyProposals,
)
from services.appointments.requests.models import AppointmentRequest, Proposal, RequestChange, RequestMessage
from services.appointments.slots import Slot
from services.appointments.wishes import Wishes
from tests.english import in_english  # noqa: F401
from tests.factories import appointments, hospitals, people, preadmission
from tests.ground import audited, count, prepared, rows, today
from tests.services.appointments.conftest import Ground
from tests.statements import executed

PARIS = ZoneInfo("Europe/Paris")


@dataclass(frozen=True)
class Place:
    """A ground, an agent of the hospital, and another session the day after."""

    ground: Ground
    agent: Actor
    agent_account: Any
    later: ConsultationSession

    def sent(self, **facts: Any) -> AppointmentRequest:
        with db.transaction(self.ground.actor):
            return actions.send(self.ground.patient.id, self.asked(**facts))

    def asked(self, **facts: Any) -> Asked:
        unit = session.get_one(Unit, self.ground.reason.unit_id)
        reason = session.get_one(Reason, self.ground.reason.id)
        wishes = Wishes([(today(), today() + timedelta(days=30))])
        known: dict[str, Any] = {"unit": unit, "reason": reason, "wishes": wishes, "phone": "06 39 98 00 00"}
        return Asked(**known | facts)

    def proposed(self, *cells: int, days: int = 3) -> AppointmentRequest:
        asked = self.sent()
        with db.transaction(self.agent):
            chosen = [self.ground.slot(cell) for cell in cells or (0,)]
            actions.propose(session.get_one(AppointmentRequest, asked.id), self.ground.reason.id, chosen, days)
        return asked

    def now(self, asked: AppointmentRequest) -> AppointmentRequest:
        with prepared():
            return session.get_one(AppointmentRequest, asked.id)

    def proposals(self) -> list[Proposal]:
        return sorted(rows(Proposal), key=lambda each: each.start_at)

    def free(self) -> int:
        with prepared():
            return session.get_one(ConsultationSession, self.ground.opened.id).free


@pytest.fixture
def place(ground: Ground) -> Place:
    here = ground.hospital.establishment.id
    with prepared():
        account = people.agent(here, "appointments")
        later = appointments.consultation(ground.hospital, [ground.reason], today() + timedelta(days=8))
    return Place(ground, people.as_agent(account, here, "appointments"), account, later)


def one(asked: AppointmentRequest) -> AppointmentRequest:
    return session.get_one(AppointmentRequest, asked.id)


# -- asking ------------------------------------------------------------------------------------------------------


def test_a_request_arrives_with_a_reference_and_a_date_for_its_answer(place: Place) -> None:
    asked = place.sent(text="J’habite loin")
    assert (asked.state, len(asked.reference)) == ("sent", 8)
    assert asked.due_at is not None
    assert asked.due_at > db.now()
    assert [each.text for each in rows(RequestMessage)] == ["J’habite loin"]
    assert [each.to_state for each in rows(RequestChange)] == ["sent"]
    assert "appointment_request.sent" in audited()


def test_one_asks_once_for_the_same_thing(place: Place) -> None:
    place.sent()
    with pytest.raises(AlreadyAsked):
        place.sent()
    place.sent(reason=None)  # something else of the same unit


def test_once_answered_one_may_ask_again(place: Place) -> None:
    asked = place.sent()
    with db.transaction(place.agent):
        actions.refuse(one(asked), "no_time_soon", "")
    assert place.sent().reference != asked.reference


def test_what_is_for_referred_patients_needs_the_letter(place: Place) -> None:
    with prepared():
        session.get_one(Reason, place.ground.reason.id).by_referral_only = True
    with pytest.raises(LetterNeeded):
        place.sent()


# -- proposing ---------------------------------------------------------------------------------------------------


def test_proposed_times_are_kept_from_everybody_else(place: Place) -> None:
    asked = place.proposed(0, 4)
    assert place.now(asked).state == "proposed"
    assert count(Hold) == 2
    with prepared():
        account, other = people.patient_with_account(birth_name="AUTRE")
    for cell in (0, 4):
        with pytest.raises(SlotTaken), db.transaction(people.as_patient(account, other)):
            engine.book(other.id, place.ground.reason.id, place.ground.slot(cell))


def test_taking_one_gives_the_others_back_in_the_same_breath(place: Place) -> None:
    before = place.free()
    asked = place.proposed(0, 4, 8)
    chosen = place.proposals()[1]
    with db.transaction(place.ground.actor):
        made = actions.accept(one(asked), chosen.id)
    assert (made.start_at, made.patient_id) == (chosen.start_at, place.ground.patient.id)
    assert [each.outcome for each in place.proposals()] == ["given_back", "accepted", "given_back"]
    assert count(Hold) == 0
    assert place.free() == before & ~(0b11 << 4)
    assert (place.now(asked).state, place.now(asked).appointment_id) == ("accepted", made.id)


def test_a_second_click_books_nothing_more(place: Place) -> None:
    asked = place.proposed(0, 4)
    first, second = place.proposals()
    with db.transaction(place.ground.actor):
        actions.accept(one(asked), first.id)
    for again in (first, second):
        with pytest.raises(RequestOver), db.transaction(place.ground.actor):
            actions.accept(one(asked), again.id)
    assert count(Appointment) == 1


def test_declining_frees_the_times_and_the_hospital_looks_again(place: Place) -> None:
    before = place.free()
    asked = place.proposed(0, 4)
    with db.transaction(place.ground.actor):
        actions.decline(one(asked), "Plutôt un mardi")
    now = place.now(asked)
    assert (now.state, place.free(), count(Hold)) == ("handled", before, 0)
    assert now.due_at is not None, "the hospital owes an answer again"


def test_at_most_three_times_wait_for_an_answer(place: Place) -> None:
    asked = place.proposed(0, 2)
    with pytest.raises(TooManyProposals), db.transaction(place.agent):
        actions.propose(one(asked), place.ground.reason.id, [place.ground.slot(4), place.ground.slot(6)], 3)
    assert count(Hold) == 2, "all or nothing"


def test_a_taken_time_is_not_proposed_and_nothing_is_kept(place: Place) -> None:
    with prepared():
        other = people.patient(birth_name="AUTRE")
        appointments.booked(other, place.ground.reason, place.ground.opened, 4)
    asked = place.sent()
    with pytest.raises(SlotTaken), db.transaction(place.agent):
        actions.propose(one(asked), place.ground.reason.id, [place.ground.slot(0), place.ground.slot(4)], 3)
    assert (count(Hold), place.now(asked).state) == (0, "sent")


def test_the_second_of_two_agents_is_told_that_the_request_changed(place: Place) -> None:
    asked = place.sent()
    seen = place.now(asked).version
    with db.transaction(place.agent):
        actions.propose(one(asked), place.ground.reason.id, [place.ground.slot(0)], 3, seen)
    with pytest.raises(ChangedMeanwhile), db.transaction(place.agent):
        actions.propose(one(asked), place.ground.reason.id, [place.ground.slot(4)], 3, seen)
    assert count(Hold) == 1


# -- time passes -------------------------------------------------------------------------------------------------


def end(asked: AppointmentRequest) -> None:
    """The date to answer has passed."""
    with prepared():
        session.execute(update(Proposal).values(expires_at=db.now() - timedelta(seconds=1)))
        session.execute(update(Hold).values(expires_at=db.now() - timedelta(seconds=1)))


@pytest.mark.parametrize("swept_first", [True, False])
def test_times_that_nobody_took_are_free_again_and_the_patient_is_told_once(
    place: Place, swept_first: bool, work_jobs: Callable[[], None]
) -> None:
    before = place.free()
    asked = place.proposed(0, 4)
    work_jobs()
    mails = count(Notification)
    end(asked)
    if swept_first:
        with prepared():
            engine.sweep()
    for _ in range(2):
        jobs.expire_proposals()
    work_jobs()
    assert (place.now(asked).state, place.free(), count(Hold)) == ("handled", before, 0)
    assert {each.outcome for each in place.proposals()} == {"expired"}
    assert count(Notification) == mails + 1


def test_a_time_that_is_over_is_not_taken(place: Place) -> None:
    asked = place.proposed(0)
    end(asked)
    with pytest.raises(HoldEnded), db.transaction(place.ground.actor):
        actions.accept(one(asked), place.proposals()[0].id)
    assert count(Appointment) == 0


def test_a_question_without_answer_for_a_month_closes_the_request(place: Place) -> None:
    asked = place.sent()
    with db.transaction(place.agent):
        actions.ask_more(one(asked), "Quel jour ?")
    jobs.close_silent_requests()
    assert place.now(asked).state == "more_asked"
    with prepared():
        session.execute(update(AppointmentRequest).values(changed_at=db.now() - timedelta(days=31)))
    jobs.close_silent_requests()
    assert place.now(asked).state == "expired"


def test_words_are_forgotten_a_year_after(place: Place) -> None:
    asked = place.sent(text="Des mots")
    with db.transaction(place.ground.actor):
        actions.withdraw(one(asked))
    with prepared():
        assert actions.forget_words() == 0
        session.execute(update(AppointmentRequest).values(closed_at=db.now() - timedelta(days=366)))
        assert actions.forget_words() == 1
    assert rows(RequestMessage) == []


# -- everybody at once -------------------------------------------------------------------------------------------


def together(app: Flask, *acts: Callable[[], object]) -> list[object]:
    """Do all of it at the same time; what each gave, or the fact that stood in its way."""
    done: list[object] = [None] * len(acts)
    ready = threading.Barrier(len(acts))

    def run(rank: int, act: Callable[[], object]) -> None:
        with app.app_context():
            ready.wait()
            try:
                done[rank] = act()
            except Exception as fact:
                done[rank] = fact

    threads = [threading.Thread(target=run, args=each) for each in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return done


def test_two_clicks_at_once_make_one_appointment(app: Flask, place: Place) -> None:
    asked = place.proposed(0, 4)
    first, second = (each.id for each in place.proposals())

    def take(proposal_id: UUID) -> UUID:
        with db.transaction(place.ground.actor):
            return actions.accept(one(asked), proposal_id).id

    done = together(app, lambda: take(first), lambda: take(second), lambda: take(first))
    assert sum(isinstance(each, UUID) for each in done) == 1, done
    assert sum(isinstance(each, RequestOver) for each in done) == 2, done
    assert (count(Appointment), count(Hold)) == (1, 0)


def test_expiring_while_accepting_ends_one_way_or_the_other(app: Flask, place: Place) -> None:
    asked = place.proposed(0, 4)
    proposal_id = place.proposals()[0].id
    with prepared():
        session.execute(update(Proposal).values(expires_at=db.now() - timedelta(seconds=1)))

    def take() -> UUID:
        with db.transaction(place.ground.actor):
            return actions.accept(one(asked), proposal_id).id

    done = together(app, take, jobs.expire_proposals)
    with prepared():
        engine.sweep()
    now = place.now(asked)
    assert count(Hold) == 0
    if isinstance(done[0], UUID):
        assert (now.state, count(Appointment)) == ("accepted", 1)
    else:
        assert isinstance(done[0], RequestOver | ProposalGone | HoldEnded), done
        assert (now.state, count(Appointment)) == ("handled", 0)


def test_two_agents_who_propose_at_once_keep_the_times_of_one(app: Flask, place: Place) -> None:
    asked = place.sent()
    seen = place.now(asked).version

    def offer(cell: int) -> str:
        with db.transaction(place.agent):
            actions.propose(one(asked), place.ground.reason.id, [place.ground.slot(cell)], 3, seen)
        return "kept"

    done = together(app, lambda: offer(0), lambda: offer(4))
    assert sorted(type(each).__name__ for each in done) == ["ChangedMeanwhile", "str"], done
    assert count(Hold) == 1


def test_an_agent_who_dies_while_proposing_keeps_nothing(place: Place) -> None:
    asked, before = place.sent(), place.free()

    def propose_and_die() -> None:
        actions.propose(one(asked), place.ground.reason.id, [place.ground.slot(0), place.ground.slot(4)], 3)
        raise SystemError

    with pytest.raises(SystemError), db.transaction(place.agent):
        propose_and_die()
    assert (place.free(), count(Hold), place.now(asked).state) == (before, 0, "sent")


# -- the hospital's answers --------------------------------------------------------------------------------------


def test_booking_on_the_phone_answers_the_request_and_frees_what_was_proposed(place: Place) -> None:
    asked = place.proposed(0, 4)
    with db.transaction(place.agent):
        made = actions.book(one(asked), session.get_one(Reason, place.ground.reason.id), Slot(place.later.id, 0))
    assert made.channel == "phone"
    assert (place.now(asked).state, count(Hold)) == ("accepted", 0)


def test_another_unit_finds_it_new(place: Place) -> None:
    with prepared():
        ward = hospitals.unit(place.ground.hospital.establishment, place.ground.hospital.site, "2002", "Imagerie")
        appointments.reason(ward)
    asked = place.sent()
    with db.transaction(place.agent):
        actions.take(one(asked))
        actions.transfer(one(asked), session.get_one(Unit, ward.id))
    now = place.now(asked)
    assert (now.state, now.unit_id, now.reason_id, now.assigned_to) == ("sent", ward.id, None, None)


def test_a_closed_request_does_not_move(place: Place) -> None:
    asked = place.sent()
    with db.transaction(place.agent):
        actions.refuse(one(asked), "not_here", "Voyez votre médecin")
    for act in (
        lambda request: actions.ask_more(request, "?"),
        actions.take,
        actions.withdraw,
        lambda request: actions.refuse(request, "not_here", ""),
    ):
        with pytest.raises(RequestOver), db.transaction(place.agent):
            act(one(asked))


def test_figures_say_what_became_of_requests(place: Place) -> None:
    asked = place.proposed(0)
    with db.transaction(place.ground.actor):
        actions.accept(one(asked), place.proposals()[0].id)
    with prepared():
        told = {
            row.event: row.number
            for row in session.execute(text("select event, count(*) as number from kpi_event group by event"))
        }
    for event in ("sent", "answered", "became", "closed"):
        assert told[f"appointment_request_{event}"] == 1


def test_mails_say_nothing_of_health(place: Place, work_jobs: Callable[[], None]) -> None:
    asked = place.proposed(0)
    with db.transaction(place.agent):
        actions.refuse(one(asked), "not_here", "Voyez le service des poumons")
    work_jobs()
    said = " ".join(f"{each.subject} {each.body}" for each in rows(Notification))
    assert asked.reference in said
    for secret in ("Cardiologie", "Consultation de suivi", "poumons", "MERCIER"):
        assert secret not in said


# -- states and clocks -------------------------------------------------------------------------------------------


def test_every_state_is_reached_and_closed_ones_are_final() -> None:
    reached = set().union(*states.TRANSITIONS.values())
    assert reached == set(states.STATES)
    assert all(not states.TRANSITIONS[state] for state in states.CLOSED)


moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))


@given(moments, st.integers(0, 60 * 40), st.sampled_from(HOLIDAY_RULES))
def test_time_of_work_counts_back_to_what_was_given(since: datetime, minutes: int, rules: str) -> None:
    spent = timedelta(minutes=minutes)
    due = calendar.Office(PARIS, rules).due(since, spent)
    assert due >= since
    assert calendar.Office(PARIS, rules).worked(since, due) == spent


@given(moments, st.integers(1, 5))
def test_hospitals_close_on_a_day_of_work(since: datetime, days: int) -> None:
    closing = calendar.Office(PARIS).closing(since, days).astimezone(PARIS)
    assert (closing.hour, calendar.is_business_day(closing.date())) == (17, True)


def test_nobody_is_due_an_answer_on_a_holiday() -> None:
    friday = datetime(2026, 12, 24, 15, 0, tzinfo=UTC)  # a Thursday, an hour before the hospital closes
    assert calendar.Office(PARIS).due(friday, timedelta(hours=8)) == datetime(2026, 12, 28, 15, 0, tzinfo=UTC)


@given(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.integers(0, 23), st.sampled_from(["morning", "afternoon"]))
def test_half_days_are_the_hospital_s(day: date, hour: int, half: str) -> None:
    at = datetime(day.year, day.month, day.day, hour, tzinfo=PARIS)
    assert Wishes(half=half).suit(at, PARIS) == ((hour < 12) == (half == "morning"))
    assert Wishes(weekdays=[day.weekday()]).suit(at, PARIS)
    assert not Wishes([(day + timedelta(days=1), day + timedelta(days=9))]).suit(at, PARIS)


# -- who sees what -----------------------------------------------------------------------------------------------

TABLES = (AppointmentRequest, RequestMessage, RequestChange, Proposal)


def test_strangers_see_and_change_nothing(place: Place) -> None:
    place.sent(text="Des mots")
    here = place.ground.hospital.establishment.id
    with prepared():
        elsewhere = hospitals.hospital("990000025", "Autre hôpital").establishment.id
        account, other = people.patient_with_account(birth_name="AUTRE")
        strangers = (
            ANONYMOUS,
            people.as_patient(account, other),
            people.as_agent(people.agent(elsewhere, "appointments"), elsewhere, "appointments"),
            people.as_agent(people.agent(here, "billing"), here, "billing", "documents"),
            people.as_professional(people.professional()),
        )
    for who in strangers:
        with db.transaction(who):
            assert [session.scalar(select(func.count()).select_from(table)) for table in TABLES] == [0, 0, 0, 0], who
            assert session.execute(update(AppointmentRequest).values(phone="x")).rowcount == 0  # type: ignore[attr-defined]  # what an update gives has it


def test_changes_are_never_altered(place: Place) -> None:
    place.sent()
    with pytest.raises(ProgrammingError, match="permission denied"), db.transaction(db.system("tests")):
        session.execute(update(RequestChange).values(reason="x"))


# -- pages -------------------------------------------------------------------------------------------------------


def filled(place: Place, **changes: str) -> dict[str, str]:
    day = today() + timedelta(days=3)
    last = today() + timedelta(days=20)
    return {
        "once": str(uuid4()),
        "patient_id": str(place.ground.patient.id),
        "about": f"reason:{place.ground.reason.id}",
        "first_on-day": str(day.day), "first_on-month": str(day.month), "first_on-year": str(day.year),
        "last_on-day": str(last.day), "last_on-month": str(last.month), "last_on-year": str(last.year),
        "weekdays": "1", "half": "morning", "phone": "06 39 98 00 00", "text": "",
    } | changes  # fmt: skip


@pytest.fixture
def browser(place: Place, sign_in: Callable[[Any], FlaskClient]) -> FlaskClient:
    return sign_in(place.ground.account)


@pytest.fixture
def desk(place: Place, sign_in: Callable[[Any], FlaskClient]) -> FlaskClient:
    return sign_in(place.agent_account)


NEW = "/rendez-vous/demandes/nouvelle"


def test_a_patient_asks_and_follows(app: Flask, browser: FlaskClient, place: Place) -> None:
    page = browser.get(f"{NEW}?reason={place.ground.reason.id}")
    assert f'value="reason:{place.ground.reason.id}"' in page.text
    answer = browser.post(NEW, data=filled(place))
    assert answer.status_code == 303
    receipt = browser.get(answer.headers["Location"])
    asked = rows(AppointmentRequest)[0]
    assert asked.reference in receipt.text
    assert (asked.weekdays, asked.half) == (2, "morning")
    for address in ("/rendez-vous/demandes", f"/rendez-vous/demandes/{asked.id}"):
        with executed(app) as statements:
            assert browser.get(address).status_code == 200
        assert len(statements) <= 14, statements


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"phone": ""}, "phone number"),
        ({"phone": "<script>"}, "Check this phone"),
        ({"about": "reason:x"}, "choice"),
        ({"last_on-year": "1999"}, "day to come"),
        ({"text": "voir http://exemple.test"}, "no link"),
        ({"text": "2 79 03 75 056 123 45"}, "social security"),
        ({"text": "x" * 501}, "500 characters"),
        ({"patient_id": "00000000-0000-4000-8000-000000000000"}, "who it is for"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_sent(
    browser: FlaskClient, place: Place, wrong: dict[str, str], words: str
) -> None:
    answer = browser.post(NEW, data=filled(place, **wrong))
    assert answer.status_code == 422
    assert words in answer.text
    assert count(AppointmentRequest) == 0


def test_an_upload_outlives_a_refused_form_and_reaches_the_desk(
    browser: FlaskClient, desk: FlaskClient, place: Place
) -> None:
    pdf = preadmission.pdf()
    letter = (BytesIO(pdf), "courrier.pdf")
    refused = browser.post(NEW, data=filled(place, phone="") | {"file": letter}, content_type="multipart/form-data")
    assert refused.status_code == 422
    stored = rows(files.StoredFile)
    assert "courrier.pdf" in refused.text
    assert len(stored) == 1
    browser.post(NEW, data=filled(place, received=str(stored[0].id)))
    asked = rows(AppointmentRequest)[0]
    message = rows(RequestMessage)[0]
    opened = desk.get(f"/admin/demandes-de-rendez-vous/{asked.id}/lettres/{message.id}")
    assert (opened.status_code, opened.data) == (200, pdf)
    assert "appointment_request.letter_opened" in audited()


def test_a_second_request_for_the_same_thing_leads_to_the_first(browser: FlaskClient, place: Place) -> None:
    first = place.sent()
    answer = browser.post(NEW, data=filled(place))
    assert (answer.status_code, first.reference in answer.text) == (409, True)


def test_a_patient_takes_a_proposed_time(browser: FlaskClient, place: Place) -> None:
    asked = place.proposed(0, 4)
    here = f"/rendez-vous/demandes/{asked.id}"
    page = browser.get(here)
    assert all(str(each.id) in page.text for each in place.proposals())
    assert browser.post(f"{here}/accepter", data={}).status_code == 422
    for _ in range(2):  # the second click leads to the same appointment
        answer = browser.post(f"{here}/accepter", data={"proposal": str(place.proposals()[0].id)})
        assert answer.headers["Location"] == f"/rendez-vous/{rows(Appointment)[0].id}/confirme"
    assert count(Appointment) == 1


def test_a_time_that_is_over_is_said_in_words(browser: FlaskClient, place: Place) -> None:
    asked = place.proposed(0)
    chosen = place.proposals()[0].id
    end(asked)
    answer = browser.post(f"/rendez-vous/demandes/{asked.id}/accepter", data={"proposal": str(chosen)})
    assert (answer.status_code, "not kept any more" in answer.text) == (409, True)


def test_another_patient_finds_nothing(place: Place, sign_in: Callable[[Any], FlaskClient]) -> None:
    asked = place.proposed(0)
    with prepared():
        account, _other = people.patient_with_account(birth_name="AUTRE")
    stranger = sign_in(account)
    here = f"/rendez-vous/demandes/{asked.id}"
    assert stranger.get(here).status_code == 404
    for act in ("accepter", "autres-dates", "retirer"):
        assert stranger.post(f"{here}/{act}", data={}).status_code == 404
    assert stranger.post(f"{here}/repondre", data={"once": str(asked.id)}).status_code == 404


def test_the_desk_sees_proposes_and_books(app: Flask, desk: FlaskClient, place: Place) -> None:
    asked = place.sent()
    tray = "/admin/demandes-de-rendez-vous"
    with executed(app) as statements:
        page = desk.get(tray)
    assert place.ground.patient.full_name in page.text
    assert len(statements) <= 12, statements
    with executed(app) as statements:
        assert desk.get(f"{tray}/{asked.id}").status_code == 200
    assert len(statements) <= 14, statements
    times = desk.get(f"{tray}/{asked.id}/horaires")
    assert str(place.ground.slot(0)) in times.text
    assert desk.post(f"{tray}/{asked.id}/horaires", data={"days": "3"}).status_code == 422
    sent = {"slot": [str(place.ground.slot(0)), str(place.ground.slot(4))], "days": "3"}
    assert desk.post(f"{tray}/{asked.id}/horaires", data=sent).status_code == 303
    assert count(Hold) == 2
    booked = {"slot": str(Slot(place.later.id, 0)), "days": "3", "book": "1"}
    assert desk.post(f"{tray}/{asked.id}/horaires", data=booked).status_code == 303
    assert (count(Appointment), count(Hold)) == (1, 0)


def test_an_agent_who_says_yes_for_the_patient_books_on_the_phone(desk: FlaskClient, place: Place) -> None:
    asked = place.proposed(0, 4)
    chosen = next(each for each in place.proposals() if not each.outcome)
    answer = desk.post(f"/admin/demandes-de-rendez-vous/{asked.id}/accepter", data={"proposal": str(chosen.id)})
    assert answer.status_code == 303
    assert [each.channel for each in rows(Appointment)] == ["phone"]


def test_a_hostile_time_is_no_time(desk: FlaskClient, place: Place) -> None:
    asked = place.sent()
    address = f"/admin/demandes-de-rendez-vous/{asked.id}/horaires"
    for slot in ("x", "-", f"{place.ground.opened.id}-99", "' or 1=1 --"):
        assert desk.post(address, data={"slot": slot, "days": "3"}).status_code == 422
    assert desk.post(address, data={"slot": str(place.ground.slot(0)), "days": "900"}).status_code == 422


def test_an_agent_of_another_hospital_finds_nothing(place: Place, sign_in: Callable[[Any], FlaskClient]) -> None:
    asked = place.sent()
    with prepared():
        elsewhere = hospitals.hospital("990000025", "Autre hôpital").establishment.id
        agent = people.agent(elsewhere, "appointments")
    stranger = sign_in(agent)
    assert stranger.get(f"/admin/demandes-de-rendez-vous/{asked.id}").status_code == 404
    assert place.ground.patient.full_name not in stranger.get("/admin/demandes-de-rendez-vous").text
