"""Visits that go together are booked together or not at all."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select

from auth.models import Account, Patient
from portal import db
from portal.db import session
from services.appointments import actions as room
from services.appointments.actions import (
    KnownPatientsOnly,
    PatientBusy,
    SlotTaken,
    TooLateToCancel,
    TooManyAppointments,
)
from services.appointments.models import Appointment, Claim, ConsultationSession, Reason
from services.appointments.pathways import actions, queries
from services.appointments.pathways.models import Pathway, PathwayStep
from services.appointments.pathways.queries import Visit, Ways
from services.appointments.slots import Slot
from tests.factories import appointments, hospitals, pathways, people
from tests.pages import PageClient

SignIn = Callable[..., PageClient]


@dataclass(frozen=True)
class Place:
    pathway: Pathway
    first: Reason
    second: Reason
    morning: ConsultationSession
    other: ConsultationSession
    account: Account
    patient: Patient

    @property
    def actor(self) -> db.Actor:
        return people.as_patient(self.account, self.patient)

    @property
    def address(self) -> str:
        return f"/rendez-vous/parcours/{self.pathway.id}"


@pytest.fixture
def place(app: Flask) -> Place:
    """An exercise test of an hour with one practitioner, then half an hour with another, the same morning."""
    with db.transaction(db.system("tests")):
        where = hospitals.hospital(phone="01 99 00 00 00")
        first = appointments.reason(where.unit, "Épreuve d’effort", 60, bookable_online=False)
        second = appointments.reason(where.unit, "Consultation", 30)
        colleague = hospitals.practitioner(where.unit, "10000000017", "DELORME")
        morning = appointments.consultation(where, [first])
        other = appointments.consultation(where, [second], practitioner=colleague)
        account, patient = people.patient_with_account()
        made = pathways.pathway(where.unit, [first, second])
        return Place(made, first, second, morning, other, account, patient)


def day_of(place: Place) -> date:
    return place.morning.local_date


def found(place: Place, channel: str = "web") -> Ways:
    pathway = session.get_one(Pathway, place.pathway.id)
    return queries.ways(pathway, channel, day_of(place))


def book(place: Place, at: Sequence[int] = (0, 4)) -> UUID:
    pathway = session.get_one(Pathway, place.pathway.id)
    slots = [Slot(place.morning.id, at[0]), Slot(place.other.id, at[1])]
    visits = queries.chosen(pathway, slots)
    assert visits is not None
    return actions.book(place.patient.id, pathway, visits)


def test_days_are_proposed_when_every_visit_fits(place: Place) -> None:
    with db.transaction(place.actor):
        (ways,) = found(place).days.values()
    first, then = ways[0]
    assert (first.offer.reason.id, then.offer.reason.id) == (place.first.id, place.second.id)
    assert first.until <= then.at <= first.until + timedelta(minutes=60)


def test_no_day_is_proposed_when_the_second_visit_is_full(place: Place) -> None:
    with db.transaction(db.system("tests")):
        whoever = people.patient("AUTRE")
        for cell in range(0, 12, 2):
            room.book_by_phone(whoever.id, place.second.id, Slot(place.other.id, cell))
    with db.transaction(place.actor):
        assert not found(place).days


def test_all_visits_are_booked_and_share_one_id(place: Place) -> None:
    with db.transaction(place.actor):
        chain_id = book(place)
    with db.transaction(place.actor):
        visits = queries.of_chain(chain_id, {place.patient.id})
        assert [each.reason_id for each in visits] == [place.first.id, place.second.id]
        assert {each.state for each in visits} == {"booked"}


def test_one_person_does_not_fill_a_unit_with_pathways(place: Place) -> None:
    """A reason's limit of visits to come holds here too; agents may go beyond."""
    with db.transaction(db.system("tests")):
        session.get_one(Reason, place.first.id).max_to_come = 1
    with db.transaction(place.actor):
        book(place)
    with pytest.raises(TooManyAppointments), db.transaction(place.actor):
        book(place, (6, 10))
    with db.transaction(db.system("tests")):
        slots = [Slot(place.morning.id, 6), Slot(place.other.id, 10)]
        pathway = session.get_one(Pathway, place.pathway.id)
        actions.book_by_phone(place.patient.id, pathway, queries.chosen(pathway, slots) or [])


def test_when_one_is_taken_none_is_booked(place: Place) -> None:
    with db.transaction(place.actor):
        pathway = session.get_one(Pathway, place.pathway.id)
        visits = queries.chosen(pathway, [Slot(place.morning.id, 0), Slot(place.other.id, 4)])
    with db.transaction(db.system("tests")):
        room.book_by_phone(people.patient("AUTRE").id, place.second.id, Slot(place.other.id, 4))
    with pytest.raises(SlotTaken), db.transaction(place.actor):
        actions.book(place.patient.id, session.get_one(Pathway, place.pathway.id), visits or ())
    with db.transaction(db.system("tests")):
        assert session.scalar(select(func.count()).select_from(Appointment)) == 1
        assert session.scalar(select(func.count()).select_from(Claim)) == 12
        opened = session.get_one(ConsultationSession, place.morning.id)
        assert opened.free == opened.open


def test_nobody_is_in_two_places(place: Place) -> None:
    with db.transaction(place.actor):
        book(place)
    with db.transaction(db.system("tests")):
        reason = session.get_one(Reason, place.second.id)
        colleague = hospitals.practitioner(reason.unit, "10000000025", "IMBERT")
        where = session.get_one(ConsultationSession, place.other.id)
        elsewhere = room.open_session(
            colleague, reason.unit, day_of(place), *_hours(where), [reason], 15
        )  # fmt: skip
    with pytest.raises(PatientBusy), db.transaction(place.actor):
        room.book(place.patient.id, place.second.id, Slot(elsewhere.id, 4))


def _hours(opened: ConsultationSession) -> tuple[time, time]:
    local = [moment.astimezone(opened.practitioner.unit.establishment.tz).time() for moment in (
        opened.start_at, opened.at(opened.n_cells))]  # fmt: skip
    return local[0], local[1]


@pytest.mark.parametrize("at", [(0, 3), (0, 10), (4, 0)])
def test_times_that_do_not_follow_one_another_are_no_pathway(place: Place, at: tuple[int, int]) -> None:
    with db.transaction(place.actor):
        pathway = session.get_one(Pathway, place.pathway.id)
        assert queries.chosen(pathway, [Slot(place.morning.id, at[0]), Slot(place.other.id, at[1])]) is None


def test_a_pathway_for_known_patients_is_not_for_others(place: Place) -> None:
    with db.transaction(db.system("tests")):
        session.get_one(Pathway, place.pathway.id).known_only = True
    with pytest.raises(KnownPatientsOnly), db.transaction(place.actor):
        book(place)


def test_visits_are_given_back_together(place: Place) -> None:
    with db.transaction(place.actor):
        chain_id = book(place)
    with db.transaction(place.actor):
        assert actions.cancel(queries.of_chain(chain_id, {place.patient.id}), "unavailable") == 2
    with db.transaction(db.system("tests")):
        assert session.scalar(select(func.count()).select_from(Claim)) == 0


def test_within_the_cut_off_none_is_given_back(place: Place) -> None:
    with db.transaction(place.actor):
        chain_id = book(place)
    with db.transaction(db.system("tests")):
        session.get_one(Reason, place.second.id).cancel_cutoff_hours = 24 * 30
    with pytest.raises(TooLateToCancel), db.transaction(place.actor):
        actions.cancel(queries.of_chain(chain_id, {place.patient.id}), "unavailable")
    with db.transaction(place.actor):
        assert {each.state for each in queries.of_chain(chain_id, {place.patient.id})} == {"booked"}


class TestASeries:
    @pytest.fixture
    def weekly(self, place: Place) -> Pathway:
        with db.transaction(db.system("tests")):
            reason = session.get_one(Reason, place.second.id)
            doctor = session.get_one(ConsultationSession, place.other.id).practitioner
            for week in (1, 3):
                room.open_session(
                    doctor, reason.unit, day_of(place) + timedelta(days=7 * week), *_hours(
                        session.get_one(ConsultationSession, place.other.id)), [reason], 15,
                )  # fmt: skip
            return pathways.pathway(reason.unit, [reason], kind="series", times=4, every_days=7, tolerance_days=1)

    def test_comes_back_at_the_same_hour_and_says_where_nothing_is_free(self, place: Place, weekly: Pathway) -> None:
        with db.transaction(place.actor):
            pathway = session.get_one(Pathway, weekly.id)
            visits = queries.series(pathway, Slot(place.other.id, 4), "web")
            kinds = [isinstance(each, Visit) for each in visits]
            tz = pathway.establishment.tz
            hours = {each.at.astimezone(tz).time() for each in visits if isinstance(each, Visit)}
        assert kinds == [True, True, False, True]
        assert len(hours) == 1

    def test_books_what_is_free(self, place: Place, weekly: Pathway) -> None:
        with db.transaction(place.actor):
            pathway = session.get_one(Pathway, weekly.id)
            visits = [
                each for each in queries.series(pathway, Slot(place.other.id, 4), "web") if isinstance(each, Visit)
            ]
            chain_id = actions.book(place.patient.id, pathway, visits)
        with db.transaction(place.actor):
            assert len(queries.of_chain(chain_id, {place.patient.id})) == 3


class TestPages:
    def test_one_finds_chooses_books_and_cancels(self, place: Place, sign_in: SignIn) -> None:
        browser = sign_in(place.account)
        assert place.pathway.name in browser.get("/rendez-vous/parcours").text
        page = browser.get(place.address)
        assert "Épreuve d’effort" in page.text
        slots = f"{place.morning.id}-0_{place.other.id}-4"
        asked = browser.get(f"{place.address}?slots={slots}&continue=1")
        assert asked.status_code == 302
        confirm = browser.get(asked.location)
        assert confirm.status_code == 200
        form = {"slots": slots, "patient_id": str(place.patient.id), "once": str(uuid4())}
        booked = browser.post(f"{place.address}/confirmer", data=form)
        assert booked.status_code == 303
        assert browser.get(booked.location).status_code == 200
        shown = booked.location.split("?")[0]
        assert browser.post(f"{shown}/annuler", data={}).status_code == 422
        assert browser.post(f"{shown}/annuler", data={"why": "unavailable"}).status_code == 303

    def test_a_time_taken_meanwhile_answers_409_with_other_days(self, place: Place, sign_in: SignIn) -> None:
        with db.transaction(db.system("tests")):
            room.book_by_phone(people.patient("AUTRE").id, place.second.id, Slot(place.other.id, 4))
        browser = sign_in(place.account)
        slots = f"{place.morning.id}-0_{place.other.id}-4"
        form = {"slots": slots, "patient_id": str(place.patient.id), "once": str(uuid4())}
        answer = browser.post(f"{place.address}/confirmer", data=form)
        assert answer.status_code == 409
        assert 'name="slots"' in answer.text

    @pytest.mark.parametrize(
        "slots",
        ["", "x", "a-b_c", "0" * 3000, "00000000-0000-4000-8000-000000000000-0_00000000-0000-4000-8000-000000000000-1"],
    )
    def test_nonsense_is_not_found(self, place: Place, sign_in: SignIn, slots: str) -> None:
        assert sign_in(place.account).get(f"{place.address}/confirmer?slots={slots}").status_code == 404

    def test_another_patient_sees_nothing(self, place: Place, sign_in: SignIn) -> None:
        with db.transaction(place.actor):
            chain_id = book(place)
        with db.transaction(db.system("tests")):
            other, _patient = people.patient_with_account(birth_name="AUTRE")
        browser = sign_in(other)
        assert browser.get(f"/rendez-vous/parcours/reserves/{chain_id}").status_code == 404
        assert (
            browser.post(f"/rendez-vous/parcours/reserves/{chain_id}/annuler", data={"why": "other"}).status_code == 404
        )


def test_patients_change_no_pathway(place: Place) -> None:
    for table in (Pathway, PathwayStep):
        with db.transaction(place.actor):
            assert session.execute(table.__table__.update().values(establishment_id=uuid4())).rowcount == 0


def test_the_pages_of_a_series_read_well(place: Place, sign_in: SignIn) -> None:
    with db.transaction(db.system("tests")):
        reason = session.get_one(Reason, place.second.id)
        weekly = pathways.pathway(reason.unit, [reason], kind="series", times=3, every_days=7)
    browser = sign_in(place.account)
    page = browser.get(f"/rendez-vous/parcours/{weekly.id}")
    assert page.status_code == 200
    labels = re.findall(r'<label[^>]*for="way-[^>]*>(<span class="govuk-visually-hidden">)?', page.text)
    assert labels
    assert all(labels), "a screen reader hears the day with each hour"
    sent = browser.get(f"/rendez-vous/parcours/{weekly.id}?continue=1&slots={place.other.id}-4")
    assert browser.get(sent.location).status_code == 200


def test_no_day_is_proposed_when_the_patient_is_elsewhere(place: Place) -> None:
    with db.transaction(db.system("tests")):
        reason = session.get_one(Reason, place.second.id)
        colleague = hospitals.practitioner(reason.unit, "10000000033", "JAOUEN")
        where = session.get_one(ConsultationSession, place.other.id)
        all_morning = appointments.reason(reason.unit, "Atelier", 180)
        busy = room.open_session(colleague, reason.unit, day_of(place), *_hours(where), [all_morning], 15)
        room.book_by_phone(place.patient.id, all_morning.id, Slot(busy.id, 0))
    with db.transaction(place.actor):
        pathway = session.get_one(Pathway, place.pathway.id)
        assert queries.ways(pathway, "web", day_of(place)).days
        assert not queries.ways(pathway, "web", day_of(place), place.patient.id).days
