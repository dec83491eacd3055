"""What the core asks of every room, of requests and of the waiting list: links, deaths, copies, mandates, masking."""

# ruff: noqa: F811 - fixtures of two other modules

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from auth.death import affairs
from auth.enrolment import belongings
from auth.enrolment.belongings import Move
from auth.models import Patient
from portal import db
from portal.db import Actor, session
from portal.establishments import Establishment
from services.appointments import actions as engine
from services.appointments.models import Appointment, Claim, Hold
from services.appointments.requests import actions as requests
from services.appointments.requests import export as requests_export
from services.appointments.requests.models import AppointmentRequest, RequestChange, RequestMessage
from services.appointments.slots import Slot
from services.appointments.waiting import actions as waiting
from services.appointments.waiting import export as waiting_export
from services.appointments.waiting.models import WaitingEntry, WaitingOffer
from tests.factories import people
from tests.ground import prepared, rows, today
from tests.services.appointments.test_requests import Place, place  # noqa: F401
from tests.services.appointments.test_waiting import Full, full  # noqa: F401


def test_a_request_and_its_kept_times_follow_a_link_and_come_back(place: Place) -> None:
    asked = place.proposed(0, 4)
    here = place.ground.hospital.establishment.id
    with prepared():
        other = people.patient(birth_name="AUTRE")
        room = next(each for each in belongings.rooms() if each.room == "appointment_requests")
        moved = room.adopt(Move(here, place.ground.patient.id, other.id, ""))
    assert rows(AppointmentRequest)[0].patient_id == other.id
    assert {each.patient_id for each in rows(Hold)} == {other.id}
    assert {each.patient_id for each in rows(Claim)} == {other.id}
    with prepared():
        room.release(Move(here, other.id, place.ground.patient.id, ""), moved)
    with db.transaction(place.ground.actor):
        made = requests.accept(session.get_one(AppointmentRequest, asked.id), place.proposals()[0].id)
    assert made.patient_id == place.ground.patient.id


def test_a_place_on_the_list_follows_a_link(full: Full) -> None:
    full.enter(0)
    full.free(2)
    full.offer()
    here = full.hospital.establishment.id
    with prepared():
        other = people.patient(birth_name="AUTRE")
        for each in belongings.rooms():
            if each.room in ("appointments", "waiting_list"):
                each.adopt(Move(here, full.of(0), other.id, ""))
    assert {each.patient_id for each in rows(WaitingEntry)} == {other.id}
    assert {each.patient_id for each in rows(WaitingOffer)} == {other.id}
    assert {each.patient_id for each in rows(Hold)} == {other.id}
    with prepared():
        moved = waiting.accept(session.scalars(select(WaitingOffer)).one())
        assert moved.patient_id == other.id


def left_open(person: Patient, where: Establishment) -> set[str]:
    with prepared():
        return {kind.code for kind, _found in affairs.left_by(person.id, [where.id])}


def test_a_death_lists_the_requests_under_way(place: Place) -> None:
    asked = place.sent()
    assert "appointment_requests" in left_open(place.ground.patient, place.ground.hospital.establishment)
    with db.transaction(place.ground.actor):
        requests.withdraw(session.get_one(AppointmentRequest, asked.id))
    assert "appointment_requests" not in left_open(place.ground.patient, place.ground.hospital.establishment)


def test_a_death_lists_the_places_on_the_waiting_list(full: Full) -> None:
    full.enter(0)
    assert "waiting_list" in left_open(full.people[0].patient, full.hospital.establishment)
    assert "waiting_list" not in left_open(full.people[1].patient, full.hospital.establishment)


def test_the_copy_of_one_s_data_holds_requests_and_places(place: Place) -> None:
    place.sent(text="Des mots à moi")
    with prepared():
        entry = requests_export.part(place.ground.patient.id).entries[0]
        assert {fact.code: fact.value for fact in entry.facts}["messages"] == ["Des mots à moi"]
        assert waiting_export.part(place.ground.patient.id).entries == []


def proxy_of(person: Patient, *scopes: str) -> Actor:
    """Somebody who acts for this person in these matters."""
    with prepared():
        account, own = people.patient_with_account(birth_name="PARENT")
    both = frozenset({own.id, person.id})
    known = {scope: both if scope in scopes else frozenset({own.id}) for scope in db.SCOPES}
    return Actor("patient", account.name, account.id, patients=both, proxied=frozenset({person.id}), scopes=known)


@pytest.mark.parametrize(
    ("scope", "masked", "seen"), [("administrative", False, 1), ("administrative", True, 0), ("medical", False, 0)]
)
def test_a_proxy_sees_what_the_mandate_reaches_and_what_is_not_masked(
    place: Place,
    scope: str,
    masked: bool,
    seen: int,
) -> None:
    asked = place.sent(text="Des mots")
    with prepared():
        session.get_one(AppointmentRequest, asked.id).masked = masked
    with db.transaction(proxy_of(place.ground.patient, scope)):
        for table in (AppointmentRequest, RequestMessage, RequestChange):
            assert len(session.scalars(select(table)).all()) == seen, table


@pytest.mark.parametrize("masked", [False, True])
def test_a_masked_visit_hides_that_an_earlier_one_is_wanted(full: Full, masked: bool) -> None:
    full.enter(0)
    with prepared():
        session.get_one(Appointment, full.own[0]).masked = masked
    with db.transaction(proxy_of(full.people[0].patient, "administrative")):
        assert len(session.scalars(select(WaitingEntry)).all()) == (0 if masked else 1)


def test_what_a_masked_request_becomes_is_masked(place: Place) -> None:
    asked = place.proposed(0)
    with prepared():
        session.get_one(AppointmentRequest, asked.id).masked = True
    with db.transaction(place.ground.actor):
        made = requests.accept(session.get_one(AppointmentRequest, asked.id), place.proposals()[0].id)
    assert made.masked


def test_a_parent_asks_for_their_child(place: Place) -> None:
    parent = proxy_of(place.ground.patient, "administrative")
    with db.transaction(parent):
        made = requests.send(place.ground.patient.id, place.asked())
    assert (made.patient_id, made.account_id) == (place.ground.patient.id, parent.account_id)


def test_capacity_is_whole_after_everything_ended(app: Flask, full: Full) -> None:
    full.enter_all()
    full.free(2)
    full.offer()
    with prepared():
        for entry in session.scalars(select(WaitingEntry)).all():
            waiting.leave(entry)
    assert today() + timedelta(days=10) == full.opened.local_date
    with prepared():
        taken = people.patient(birth_name="LIBRE")
        made = engine.book_by_phone(taken.id, full.reason.id, Slot(full.opened.id, 2))
        assert made.start_at == full.opened.at(2)
