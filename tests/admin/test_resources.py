"""An agent names rooms and devices, sees whom one waits for, and gives another when it breaks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.db import session
from services.appointments import actions as booking
from services.appointments import slots
from services.appointments.models import Appointment, Claim, ConsultationSession, Reason, Resource, ResourcePool
from services.appointments.outside import actions as outside
from services.appointments.resources import actions
from tests.english import in_english as in_english
from tests.factories import appointments, hospitals, people, reasons
from tests.factories.hospitals import Hospital
from tests.ground import audited, count, prepared, rows
from tests.statements import executed

SignIn = Callable[..., FlaskClient]
MOST_STATEMENTS = 12


@dataclass(frozen=True)
class Desk:
    hospital: Hospital
    elsewhere: Hospital
    pool: ResourcePool
    opened: ConsultationSession
    reason: Reason
    booked: Appointment
    agent: FlaskClient

    @property
    def page(self) -> str:
        return f"/admin/ressources/{self.pool.id}"


@pytest.fixture
def desk(app: Flask, sign_in: SignIn) -> Desk:
    """Two scanners, of which an appointment has the first one."""
    with prepared():
        where, elsewhere = hospitals.hospital(), hospitals.hospital("990000025", "Hôpital du Sud")
        pool = reasons.pool(where.establishment.id, "device", "Échographes", "Échographe 1", "Échographe 2")
        why = appointments.reason(where.unit, name="Échographie")
        reasons.needs(why, pool)
        opened = appointments.consultation(where, [why])
        booked = appointments.booked(people.patient("LE GOFF"), why, opened)
        agent = people.agent(where.establishment.id, "appointments")
    return Desk(where, elsewhere, pool, opened, why, booked, sign_in(agent))


def named(name: str) -> Resource:
    (found,) = [each for each in rows(Resource) if each.name == name]
    return found


def at(name: str) -> str:
    return f"/admin/ressources/une/{named(name).id}"


def owners(name: str) -> set[Any]:
    return {row.owner_id for row in rows(Claim) if row.resource_id == named(name).id}


def once(**said: Any) -> dict[str, Any]:
    return {"once": str(uuid4())} | said


class TestNaming:
    def test_a_line_then_what_it_holds(self, desk: Desk) -> None:
        said = once(establishment=str(desk.hospital.establishment.id), kind="room", name="Salles d’effort")
        answer = desk.agent.post("/admin/ressources/nouveau", data=said)
        assert answer.status_code == 303
        assert "Nothing here yet" in desk.agent.get(answer.headers["Location"]).text
        assert desk.agent.post(answer.headers["Location"], data=once(name="Salle A")).status_code == 303
        assert "Salle A" in desk.agent.get(answer.headers["Location"]).text
        assert {"resource_pool.created", "resource.added"} <= set(audited())

    @pytest.mark.parametrize(
        ("said", "status", "message"),
        [
            ({"kind": "boat"}, 422, None),
            ({"name": ""}, 422, "Give them a name"),
            ({"name": "x" * 101}, 422, "100 characters at most"),
            ({"name": "ÉCHOGRAPHES"}, 409, "already has resources of this name"),
            ({"establishment": str(uuid4())}, 422, None),
        ],
    )
    def test_what_is_wrong_is_said(self, desk: Desk, said: dict[str, str], status: int, message: str | None) -> None:
        whole = once(establishment=str(desk.hospital.establishment.id), kind="room", name="Salles") | said
        answer = desk.agent.post("/admin/ressources/nouveau", data=whole)
        assert answer.status_code == status
        assert message is None or message in answer.text
        assert count(ResourcePool) == 1

    def test_another_name(self, desk: Desk) -> None:
        assert desk.agent.post(f"{desk.page}/nom", data=once(name="Échographes du 2e")).status_code == 303
        assert desk.agent.post(f"{at('Échographe 1')}/nom", data=once(name="Écho A")).status_code == 303
        assert desk.agent.post(f"{at('Échographe 2')}/nom", data=once(name="écho a")).status_code == 409
        assert desk.agent.post(desk.page, data=once(name="Écho A")).status_code == 409
        assert desk.agent.post(f"{at('Échographe 2')}/nom", data=once(name=" ")).status_code == 422

    def test_says_which_reasons_need_one(self, desk: Desk) -> None:
        assert "Échographie" in desk.agent.get("/admin/ressources").text
        assert "Échographie" in desk.agent.get(desk.page).text


class TestItsDay:
    def test_says_whom_it_waits_for(self, desk: Desk) -> None:
        page = desk.agent.get(f"{at('Échographe 1')}?day={desk.opened.local_date}").text
        assert "LE GOFF" in page
        assert f"/admin/rendez-vous/{desk.booked.id}" in page
        assert "appointment_list.opened" in audited()
        assert "Free all day" in desk.agent.get(f"{at('Échographe 2')}?day={desk.opened.local_date}").text

    def test_names_nobody_for_a_time_that_is_only_kept(self, desk: Desk) -> None:
        with prepared():
            _account, patient = people.patient_with_account()
            until = desk.opened.start_at - timedelta(days=1)
            slot = slots.Slot(desk.opened.id, 4)
            booking.keep_for(patient.id, desk.reason.id, slot, until, "proposal")
        page = desk.agent.get(f"{at('Échographe 1')}?day={desk.opened.local_date}").text
        assert "Kept for somebody who is booking" in page

    def test_says_which_sessions_a_room_holds(self, desk: Desk) -> None:
        with prepared():
            reasons.pool(desk.hospital.establishment.id, "room", "Salles", "Salle 12")
            room = session.scalars(select(Resource).where(Resource.name == "Salle 12")).one()
            session.get_one(ConsultationSession, desk.opened.id).room_id = room.id
        assert "A whole session" in desk.agent.get(f"{at('Salle 12')}?day={desk.opened.local_date}").text
        desk.agent.post(f"{at('Salle 12')}/hors-service")
        assert "One session to come is held here" in desk.agent.get(at("Salle 12")).text

    @pytest.mark.parametrize("day", ["", "hier", "9999-99-99", "2026-02-30"])
    def test_any_day_asked_is_answered(self, desk: Desk, day: str) -> None:
        assert desk.agent.get(f"{at('Échographe 1')}?day={day}").status_code == 200


class TestOutOfUse:
    def test_is_given_to_nobody_and_says_who_counted_on_it(self, desk: Desk) -> None:
        assert desk.agent.post(f"{at('Échographe 1')}/hors-service").status_code == 303
        page = desk.agent.get(at("Échographe 1")).text
        assert "One appointment still counts on it" in page
        assert "LE GOFF" in page
        with prepared():
            other = appointments.booked(people.patient("AUTRE"), session.merge(desk.reason), desk.opened, 4)
        assert owners("Échographe 2") == {other.id}

    def test_another_one_is_given_without_moving_anybody(self, desk: Desk) -> None:
        desk.agent.post(f"{at('Échographe 1')}/hors-service")
        answer = desk.agent.post(f"{at('Échographe 1')}/remplacer", follow_redirects=True)
        assert "One appointment got another one." in answer.text
        assert (owners("Échographe 1"), owners("Échographe 2")) == (set(), {desk.booked.id})
        (after,) = rows(Appointment)
        assert after.start_at == desk.booked.start_at
        assert "resource.replaced" in audited()

    def test_when_none_is_free_the_appointment_keeps_it(self, desk: Desk) -> None:
        with prepared():
            session.get_one(Resource, named("Échographe 2").id).out_of_use = True
        desk.agent.post(f"{at('Échographe 1')}/hors-service")
        answer = desk.agent.post(f"{at('Échographe 1')}/remplacer", follow_redirects=True)
        assert "None is free for one appointment" in answer.text
        assert owners("Échographe 1") == {desk.booked.id}

    def test_one_is_helped_alone(self, desk: Desk) -> None:
        with prepared():
            other = appointments.booked(people.patient("AUTRE"), session.merge(desk.reason), desk.opened, 4)
        assert owners("Échographe 1") == {desk.booked.id, other.id}
        desk.agent.post(f"{at('Échographe 1')}/remplacer", data={"appointment": str(other.id)})
        assert (owners("Échographe 1"), owners("Échographe 2")) == ({desk.booked.id}, {other.id})

    def test_two_at_the_same_time_never_get_the_same_one(self, desk: Desk) -> None:
        """The second appointment at that time has the other scanner: nothing is left to give."""
        with prepared():
            why = session.merge(desk.reason)
            doctor = hospitals.practitioner(session.merge(desk.hospital.unit), "10000000017", "DELORME")
            beside = appointments.consultation(desk.hospital, [why], practitioner=doctor)
            appointments.booked(people.patient("AUTRE"), why, beside)
            done = actions.relieve(session.get_one(Resource, named("Échographe 1").id))
        assert (done.helped, len(done.left)) == (0, 1)

    def test_and_in_use_again(self, desk: Desk) -> None:
        desk.agent.post(f"{at('Échographe 1')}/hors-service")
        desk.agent.post(f"{at('Échographe 1')}/hors-service")
        desk.agent.post(f"{at('Échographe 1')}/en-service")
        assert not named("Échographe 1").out_of_use
        assert audited().count("resource.put_out_of_use") == 1


class TestClashes:
    def test_are_listed_with_a_way_to_each(self, desk: Desk) -> None:
        assert "No clash" in desk.agent.get("/admin/ressources/ailleurs").text
        with prepared():
            here, doctor = desk.hospital.establishment.id, desk.booked.practitioner_id
            outside.take_outside(here, "A1", doctor, desk.booked.start_at, desk.booked.end_at)
        page = desk.agent.get("/admin/ressources/ailleurs").text
        assert f"/admin/rendez-vous/{desk.booked.id}" in page
        assert "LE GOFF" in page


class TestWho:
    def test_no_agent_reads_or_changes_another_hospitals(self, desk: Desk) -> None:
        with prepared():
            far = reasons.pool(desk.elsewhere.establishment.id, "device", "Du Sud", "S1")
        assert "Du Sud" not in desk.agent.get("/admin/ressources").text
        assert desk.agent.get(f"/admin/ressources/{far.id}").status_code == 404
        assert desk.agent.get(at("S1")).status_code == 404
        for path in ("hors-service", "en-service", "remplacer", "nom"):
            assert desk.agent.post(f"{at('S1')}/{path}", data=once(name="x")).status_code == 404
        assert desk.agent.post(f"/admin/ressources/{far.id}", data=once(name="x")).status_code == 404

    def test_another_right_does_not_do(self, desk: Desk, sign_in: SignIn) -> None:
        with prepared():
            clerk = people.agent(desk.hospital.establishment.id, "billing")
        assert sign_in(clerk).get("/admin/ressources").status_code == 403

    def test_pages_ask_the_database_little_whatever_there_is(self, app: Flask, desk: Desk) -> None:
        with prepared():
            why = session.scalars(select(Reason)).first()
            for number in range(12):
                each = reasons.pool(desk.hospital.establishment.id, "room", f"Salles {number}", "A", "B", "C")
                assert why is not None
                reasons.needs(why, each)
        for address in ("/admin/ressources", desk.page, at("Échographe 1"), "/admin/ressources/ailleurs"):
            with executed(app) as statements:
                assert desk.agent.get(address).status_code == 200
            assert len(statements) <= MOST_STATEMENTS, address
