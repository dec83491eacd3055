"""A guest opens one file or one appointment with a link, a birth date and a code; whoever lacks one of them opens
nothing and learns nothing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from auth.guests import desk
from auth.guests.models import GuestInvitation
from auth.guests.secrets import code_of, digest, token_of
from auth.local.models import LocalInvitation
from auth.models import Account, Patient, PatientAccess
from portal import db, establishments
from portal.db import Actor
from services.appointments.models import Appointment
from tests.english import in_english as in_english
from tests.factories import appointments, people
from tests.factories.hospitals import Hospital
from tests.ground import audited, count, prepared, rows, today

SignIn = Callable[[Account | UUID], FlaskClient]
WorkJobs = Callable[[], None]
BORN = date(1952, 3, 27)


@dataclass(frozen=True)
class Ground:
    hospital: Hospital
    patient: Patient
    appointment: Appointment
    other: Appointment
    agent: Account

    @property
    def here(self) -> UUID:
        return self.hospital.establishment.id

    @property
    def address(self) -> str:
        return f"/admin/identites/invitations/appointment/{self.appointment.id}"


@pytest.fixture
def ground(app: Flask, north: Hospital) -> Ground:
    with prepared():
        establishments.change_setting(north.establishment.id, "guest_invitations", "yes")
        establishments.change_setting(north.establishment.id, "local_accounts", "yes")
        why = appointments.reason(north.unit, name="Suivi de chimiothérapie")
        opened = appointments.consultation(north, [why])
        patient = people.patient("KOVALENKO", ("Olena",), BORN, mobile="06 39 98 12 34", email="olena@exemple.test")
        somebody = people.patient("AUTRE", ("Zoé",), date(1990, 1, 1), mobile="06 39 98 00 00")
        for each in (patient, somebody):
            people.known_at(each, north.establishment.id)
        return Ground(
            north,
            patient,
            appointments.booked(patient, why, opened),
            appointments.booked(somebody, why, opened, 6),
            people.agent(north.establishment.id, "appointments"),
        )


def invite(ground: Ground, browser: FlaskClient, channel: str = "sms", address: str = "") -> TestResponse:
    return browser.post(address or ground.address, data={"once": str(uuid4()), "channel": channel})


@pytest.fixture
def invitation(ground: Ground, sign_in: SignIn) -> GuestInvitation:
    assert invite(ground, sign_in(ground.agent)).status_code == 303
    (made,) = rows(GuestInvitation)
    return made


def link(invitation: GuestInvitation) -> str:
    return f"/invitation/{token_of(invitation.id)}"


def say_birth(browser: FlaskClient, address: str, born: date = BORN) -> TestResponse:
    return browser.post(
        address,
        data={"birth_on-day": str(born.day), "birth_on-month": str(born.month), "birth_on-year": str(born.year)},
    )


def last_code() -> str:
    (row,) = rows(GuestInvitation)
    return code_of(row.id, row.code_number)


def enter(browser: FlaskClient, invitation: GuestInvitation) -> TestResponse:
    say_birth(browser, link(invitation))
    return browser.post(f"{link(invitation)}/code", data={"code": last_code()})


class TestAGuest:
    def test_opens_the_appointment_with_the_birth_date_and_the_code(
        self, client: FlaskClient, invitation: GuestInvitation, ground: Ground
    ) -> None:
        first = client.get(link(invitation))
        assert first.status_code == 200
        assert say_birth(client, link(invitation)).headers["Location"] == f"{link(invitation)}/code"
        answer = client.post(f"{link(invitation)}/code", data={"code": last_code()})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/invitation/dossier")
        page = client.get("/invitation/dossier").text
        assert ground.appointment.reference in page
        assert "Sign in" in page, "a guest is nobody to the rest of the portal"

    def test_sees_nothing_medical_and_nothing_else(
        self, client: FlaskClient, invitation: GuestInvitation, ground: Ground
    ) -> None:
        enter(client, invitation)
        page = client.get("/invitation/dossier").text
        assert "chimiothérapie" not in page
        assert ground.other.reference not in page
        for path in ("/documents", "/factures", "/mon-compte", f"/rendez-vous/{ground.appointment.id}"):
            assert client.get(path).status_code == 303, "sent to the door, as anybody"

    def test_receives_link_and_code_on_the_hospitals_mobile(
        self, client: FlaskClient, invitation: GuestInvitation, work_jobs: WorkJobs, capsys: pytest.CaptureFixture[str]
    ) -> None:
        work_jobs()
        printed = capsys.readouterr().out
        assert "+33639981234" in printed
        assert token_of(invitation.id) in printed
        say_birth(client, link(invitation))
        work_jobs()
        assert last_code() in capsys.readouterr().out

    def test_closes_what_they_opened(self, client: FlaskClient, invitation: GuestInvitation) -> None:
        enter(client, invitation)
        client.post("/invitation/quitter")
        assert client.get("/invitation/dossier").status_code == 404
        assert [line for line in audited() if line.startswith("guest.")] == [
            "guest.invited", "guest.code_asked", "guest.entered", "guest.left",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "late",
        [
            {"session_seen_at": timedelta(minutes=31)},
            {"used_at": timedelta(hours=2, seconds=1)},
            {"expires_at": timedelta(seconds=1)},
            {"withdrawn_at": timedelta(0)},
        ],
        ids=lambda late: next(iter(late)),
    )
    def test_is_out_when_time_is_over_or_the_agent_withdraws(
        self, client: FlaskClient, invitation: GuestInvitation, late: dict[str, timedelta]
    ) -> None:
        enter(client, invitation)
        assert client.get("/invitation/dossier").status_code == 200
        with prepared():
            changed = {name: db.now() - since for name, since in late.items()}
            db.session.execute(update(GuestInvitation).values(**changed))
        assert client.get("/invitation/dossier").status_code == 404


class TestALink:
    def test_looked_at_by_a_mail_scanner_does_nothing(self, client: FlaskClient, invitation: GuestInvitation) -> None:
        before = rows(GuestInvitation)[0]
        for _ in range(10):
            client.get(link(invitation))
            client.head(link(invitation))
            client.get(f"{link(invitation)}/code")
        after = rows(GuestInvitation)[0]
        assert (after.tries, after.code_number, after.used_at) == (before.tries, before.code_number, None)
        assert audited()[-1] == "guest.invited"

    def test_names_the_hospital_and_nobody(
        self, client: FlaskClient, invitation: GuestInvitation, ground: Ground
    ) -> None:
        page = client.get(link(invitation)).text
        assert ground.hospital.establishment.name in page
        for word in ("KOVALENKO", "Olena", ground.appointment.reference, "0639", "3998", "1952"):
            assert word not in page

    def test_works_once(self, app: Flask, client: FlaskClient, invitation: GuestInvitation) -> None:
        enter(client, invitation)
        again = app.test_client()
        assert again.get(link(invitation)).status_code == 404
        assert say_birth(again, link(invitation)).status_code == 404
        assert again.get("/invitation/dossier").status_code == 404

    def test_is_one_at_a_time(
        self, client: FlaskClient, ground: Ground, sign_in: SignIn, invitation: GuestInvitation
    ) -> None:
        invite(ground, sign_in(ground.agent))
        assert client.get(link(invitation)).status_code == 404

    @pytest.mark.parametrize("token", ["x", "a" * 43, "..%2f..", "%00", "é" * 50, "a" * 5000])
    def test_of_nobody_gives_the_same_page_as_a_dead_one(self, client: FlaskClient, ground: Ground, token: str) -> None:
        answer = client.get(f"/invitation/{token}")
        assert answer.status_code in (404, 400, 414)
        if answer.status_code == 404 and "%2f" not in token:  # that one is no address of ours
            assert "This link does not work" in answer.text

    def test_stores_neither_its_secret_nor_its_codes(self, client: FlaskClient, invitation: GuestInvitation) -> None:
        say_birth(client, link(invitation))
        row = rows(GuestInvitation)[0]
        kept = [value for name, value in vars(row).items() if isinstance(value, str | bytes | int)]
        assert token_of(invitation.id) not in kept
        assert last_code() not in map(str, kept)
        assert invitation.digest == digest(token_of(invitation.id))


class TestABruteForce:
    def test_of_the_birth_date_learns_nothing_and_kills_the_link(
        self, client: FlaskClient, invitation: GuestInvitation
    ) -> None:
        answers = [say_birth(client, link(invitation), date(1952, 3, day)) for day in (20, 21, 22, 23)]
        right = say_birth(client, link(invitation))
        assert {(each.status_code, each.headers.get("Location")) for each in (*answers, right)} == {
            (303, f"{link(invitation)}/code")
        }
        dead = say_birth(client, link(invitation), date(1952, 3, 24))
        assert (dead.status_code, client.get(link(invitation)).status_code) == (404, 404)

    def test_with_a_wrong_birth_date_no_code_is_right(self, client: FlaskClient, invitation: GuestInvitation) -> None:
        say_birth(client, link(invitation), date(1952, 3, 26))
        answer = client.post(f"{link(invitation)}/code", data={"code": last_code()})
        assert answer.status_code == 422
        assert rows(GuestInvitation)[0].used_at is None

    def test_sends_no_code_for_a_wrong_birth_date(
        self, client: FlaskClient, invitation: GuestInvitation, work_jobs: WorkJobs, capsys: pytest.CaptureFixture[str]
    ) -> None:
        work_jobs()
        capsys.readouterr()
        say_birth(client, link(invitation), date(1952, 3, 26))
        work_jobs()
        assert "sms" not in capsys.readouterr().out

    def test_of_the_code_kills_the_link_after_five_mistakes(
        self, client: FlaskClient, invitation: GuestInvitation
    ) -> None:
        say_birth(client, link(invitation))
        right = last_code()
        wrong = f"{(int(right) + 1) % 1_000_000:06d}"
        said = [client.post(f"{link(invitation)}/code", data={"code": wrong}).status_code for _ in range(5)]
        assert said == [422, 422, 422, 422, 404]
        assert client.post(f"{link(invitation)}/code", data={"code": right}).status_code == 404
        assert rows(GuestInvitation)[0].tries == 5, "mistakes are counted although their pages are refused"

    def test_made_at_the_same_time_counts_each_mistake(self, app: Flask, invitation: GuestInvitation) -> None:
        say_birth(app.test_client(), link(invitation))
        wrong = f"{(int(last_code()) + 1) % 1_000_000:06d}"

        def one(_number: int) -> int:
            return app.test_client().post(f"{link(invitation)}/code", data={"code": wrong}).status_code

        with ThreadPoolExecutor(4) as threads:
            said = sorted(threads.map(one, range(8)))
        assert rows(GuestInvitation)[0].tries == 5
        assert said.count(404) >= 4

    def test_of_a_former_code_is_refused(self, client: FlaskClient, invitation: GuestInvitation) -> None:
        say_birth(client, link(invitation))
        former = last_code()
        say_birth(client, link(invitation))
        assert former != last_code()
        assert client.post(f"{link(invitation)}/code", data={"code": former}).status_code == 422

    def test_after_a_quarter_of_an_hour_is_too_late(self, client: FlaskClient, invitation: GuestInvitation) -> None:
        say_birth(client, link(invitation))
        with prepared():
            db.session.execute(update(GuestInvitation).values(code_expires_at=db.now() - timedelta(seconds=1)))
        assert client.post(f"{link(invitation)}/code", data={"code": last_code()}).status_code == 422


class TestTheAgent:
    def test_is_not_offered_it_where_the_hospital_does_not_allow_it(self, ground: Ground, sign_in: SignIn) -> None:
        with prepared():
            establishments.change_setting(ground.here, "guest_invitations", "no")
        browser = sign_in(ground.agent)
        assert browser.get(ground.address).status_code == 404
        assert invite(ground, browser).status_code == 404
        assert "Invite without an account" not in browser.get(f"/admin/rendez-vous/{ground.appointment.id}").text
        assert count(GuestInvitation) == 0

    def test_finds_the_way_from_the_appointment(self, ground: Ground, sign_in: SignIn) -> None:
        browser = sign_in(ground.agent)
        assert ground.address in browser.get(f"/admin/rendez-vous/{ground.appointment.id}").text
        assert browser.get(ground.address).status_code == 200

    def test_of_another_right_or_hospital_cannot_invite(self, ground: Ground, sign_in: SignIn, south: Hospital) -> None:
        with prepared():
            others = [
                people.agent(ground.here, "preadmission", "identity"),
                people.agent(south.establishment.id, "appointments"),
            ]
        for agent in others:
            browser = sign_in(agent)
            assert browser.get(ground.address).status_code == 404
            assert invite(ground, browser).status_code == 404
        assert count(GuestInvitation) == 0

    def test_withdraws_a_link(
        self, client: FlaskClient, ground: Ground, sign_in: SignIn, invitation: GuestInvitation
    ) -> None:
        browser = sign_in(ground.agent)
        assert browser.post(f"/admin/identites/invitations/{invitation.id}/retirer").status_code == 303
        assert client.get(link(invitation)).status_code == 404

    def test_without_a_mobile_is_told_so(self, ground: Ground, sign_in: SignIn) -> None:
        with prepared():
            db.session.execute(update(Patient).where(Patient.id == ground.patient.id).values(mobile="01 99 00 00 00"))
        browser = sign_in(ground.agent)
        assert "No mobile to send a code to" in browser.get(ground.address).text
        assert invite(ground, browser).status_code == 422

    def test_of_a_dead_patient_invites_nobody_and_the_link_dies(
        self, client: FlaskClient, ground: Ground, invitation: GuestInvitation, work_jobs: WorkJobs,
        capsys: pytest.CaptureFixture[str], sign_in: SignIn,
    ) -> None:  # fmt: skip
        with prepared():
            db.session.execute(update(Patient).where(Patient.id == ground.patient.id).values(deceased_on=today()))
        work_jobs()
        assert link(invitation) not in capsys.readouterr().out, "the message that waited is not sent"
        assert client.get(link(invitation)).status_code == 404
        assert invite(ground, sign_in(ground.agent)).status_code == 404


class TestNobodyElse:
    def test_sees_or_changes_invitations(self, ground: Ground, invitation: GuestInvitation, south: Hospital) -> None:
        with prepared():
            far = people.agent(south.establishment.id, "appointments")
        strangers: tuple[Actor, ...] = (
            db.ANONYMOUS,
            people.as_patient(ground.agent, ground.patient),
            people.as_agent(ground.agent, ground.here, "preadmission", "billing", "identity", "administration"),
            people.as_agent(far, south.establishment.id, "appointments"),
        )
        for who in strangers:
            with db.transaction(who):
                assert db.session.scalars(select(GuestInvitation)).all() == []
                changed: Any = db.session.execute(update(GuestInvitation).values(tries=0))
                assert changed.rowcount == 0
            forged = insert(GuestInvitation).inline().values(
                id=uuid4(), establishment_id=ground.here, patient_id=ground.patient.id, digest=b"x",
                object_kind="appointment", object_id=ground.appointment.id, channel="sms", mobile="",
                expires_at=db.now(),
            )  # fmt: skip
            with pytest.raises(DBAPIError, match="row-level security"), db.transaction(who):
                db.session.execute(forged)


class TestAnAccountOpenedAtTheDesk:
    @staticmethod
    def opened(browser: FlaskClient, ground: Ground, document: str = "passport") -> TestResponse:
        return browser.post(
            f"/admin/identites/comptes/{ground.here}/{ground.patient.id}",
            data={"once": str(uuid4()), "document": document, "compared": "y"},
        )

    def test_is_the_patients_own_and_says_with_which_document(self, ground: Ground, sign_in: SignIn) -> None:
        browser = clerk_of(ground, sign_in)
        answer = self.opened(browser, ground)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/identites/comptes/lien")
        (access,) = [each for each in rows(PatientAccess) if each.patient_id == ground.patient.id]
        assert access.relation == "self"
        assert count(LocalInvitation) == 1
        page = browser.get("/admin/identites/comptes/lien").text
        assert "/connexion/premiere-fois/" in page
        assert "This link was already shown" in browser.get("/admin/identites/comptes/lien").text
        assert "account.opened_at_desk" in audited()

    def test_that_never_served_gets_another_link_and_stays_one(self, ground: Ground, sign_in: SignIn) -> None:
        browser = clerk_of(ground, sign_in)
        self.opened(browser, ground)
        assert self.opened(browser, ground).status_code == 303
        assert len([each for each in rows(PatientAccess) if each.patient_id == ground.patient.id]) == 1

    def test_that_serves_is_never_opened_twice(self, ground: Ground, sign_in: SignIn) -> None:
        with prepared():
            own = people.account("patient", "Olena", "", "https://fc", "subject")
            people.give_access(own, ground.patient)
        answer = self.opened(clerk_of(ground, sign_in), ground)
        assert answer.status_code == 422
        assert "has an account already" in answer.text

    def test_is_not_offered_by_default_nor_without_a_document(self, ground: Ground, sign_in: SignIn) -> None:
        browser = clerk_of(ground, sign_in)
        assert self.opened(browser, ground, document="").status_code == 422
        with prepared():
            establishments.change_setting(ground.here, "local_accounts", "no")
        assert self.opened(browser, ground).status_code == 404
        assert "do not open accounts at the desk" in browser.get("/admin/identites/comptes").text
        assert [each for each in rows(PatientAccess) if each.patient_id == ground.patient.id] == []

    def test_is_opened_by_the_identity_unit_of_that_hospital_alone(
        self, ground: Ground, sign_in: SignIn, south: Hospital
    ) -> None:
        with prepared():
            far = people.agent(south.establishment.id, "identity")
        assert self.opened(sign_in(ground.agent), ground).status_code == 403
        assert self.opened(sign_in(far), ground).status_code == 404
        with pytest.raises(desk.NotOffered), db.transaction(people.as_agent(far, south.establishment.id, "identity")):
            desk.open_account(ground.patient.id, ground.here, "passport")


def clerk_of(ground: Ground, sign_in: SignIn) -> FlaskClient:
    """An agent of the identity unit, signed in."""
    with prepared():
        agent = people.agent(ground.here, "identity")
    return sign_in(agent)
