"""My account: a page for whoever is signed in; open sessions and known devices, closed and forgotten from afar."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from auth.account import actions
from auth.account.models import KnownDevice
from auth.models import Account, WebSession
from portal import db
from portal.db import Actor
from portal.notifications import Notification
from tests.auth.trip import Trip
from tests.factories import people
from tests.factories.hospitals import Hospital
from tests.ground import audited, count, prepared, rows
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]
Trips = Callable[..., Trip]
MOST_STATEMENTS = 12


@pytest.fixture
def sign_in(sign_in: SignIn) -> SignIn:
    """Signed in, reading English."""

    def signed_in(account: Account) -> FlaskClient:
        browser = sign_in(account)
        browser.set_cookie("parvis_lang", "en")
        return browser

    return signed_in


@pytest.fixture
def patient(app: Flask) -> Account:
    with prepared():
        return people.patient_with_account()[0]


def acting(account: Account) -> Actor:
    return Actor("patient", account.name, account.id)


class TestTheHub:
    def test_opens_for_a_patient_a_professional_and_an_agent(
        self, sign_in: SignIn, patient: Account, north: Hospital
    ) -> None:
        with prepared():
            doctor = db.session.get_one(Account, people.professional().account_id)
            agent = people.agent(north.establishment.id, "billing", name="Odile Régie")
        for account in (patient, doctor, agent):
            page = sign_in(account).get("/mon-compte")
            assert page.status_code == 200
            assert account.name in page.text
            assert "/mon-compte/sessions" in page.text

    def test_shows_a_patients_own_pages_to_patients_only(
        self, sign_in: SignIn, patient: Account, north: Hospital
    ) -> None:
        with prepared():
            agent = people.agent(north.establishment.id, "billing")
        assert "/mon-compte/acces" in sign_in(patient).get("/mon-compte").text
        assert "/mon-compte/acces" not in sign_in(agent).get("/mon-compte").text

    def test_is_in_everybodys_menu(self, sign_in: SignIn, north: Hospital) -> None:
        with prepared():
            agent = people.agent(north.establishment.id, "billing")
        assert 'href="/mon-compte"' in sign_in(agent).get("/admin/factures").text

    def test_sends_a_stranger_to_the_door_and_back(self, client: FlaskClient) -> None:
        answer = client.get("/mon-compte")
        assert answer.status_code == 303
        assert answer.headers["Location"] == "/connexion?next=/mon-compte"

    def test_says_for_whom_one_acts(self, sign_in: SignIn) -> None:
        with prepared():
            account, _me = people.patient_with_account()
            child = people.patient("MARTIN", ("LOU",))
            people.give_access(account, child, "parent")
        browser = sign_in(account)
        browser.post("/mon-compte/agir-pour", data={"patient_id": child.id})
        page = browser.get("/mon-compte").text
        assert "LOU MARTIN" in page
        assert "Act for JEANNE" in page

    def test_does_not_let_an_agent_act_for_anybody(self, sign_in: SignIn, north: Hospital) -> None:
        with prepared():
            agent, stranger = people.agent(north.establishment.id, "billing"), people.patient()
        answer = sign_in(agent).post("/mon-compte/agir-pour", data={"patient_id": stranger.id})
        assert answer.status_code == 404

    @pytest.mark.parametrize("page", ["/mon-compte", "/mon-compte/sessions", "/mon-compte/consentements"])
    def test_asks_little_of_the_database(self, app: Flask, sign_in: SignIn, patient: Account, page: str) -> None:
        browser = sign_in(patient)
        with executed(app) as statements:
            assert browser.get(page).status_code == 200
        assert len(statements) <= MOST_STATEMENTS, statements


class TestOpenSessions:
    def test_are_listed_and_this_one_is_told_apart(self, sign_in: SignIn, patient: Account) -> None:
        browser, _other = sign_in(patient), sign_in(patient)
        page = browser.get("/mon-compte/sessions").text
        assert page.count("This device") == 1
        assert page.count('/fermer"') == 1

    def test_that_nobody_uses_any_more_are_not_listed(self, sign_in: SignIn, patient: Account) -> None:
        sign_in(patient)
        with prepared():
            db.session.execute(update(WebSession).values(last_seen_at=db.now() - timedelta(minutes=31)))
        assert '/fermer"' not in sign_in(patient).get("/mon-compte/sessions").text

    def test_close_at_once_all_but_this_one(self, sign_in: SignIn, patient: Account) -> None:
        browser, one, two = sign_in(patient), sign_in(patient), sign_in(patient)
        assert browser.post("/mon-compte/sessions/fermer-les-autres").status_code == 303
        assert one.get("/mon-compte").status_code == two.get("/mon-compte").status_code == 303
        assert browser.get("/mon-compte").status_code == 200
        assert "session.closed" in audited()

    def test_of_somebody_else_stay_open(self, sign_in: SignIn, patient: Account) -> None:
        with prepared():
            other = people.patient_with_account(birth_name="DURAND")[0]
        theirs = sign_in(other)
        sign_in(patient).post("/mon-compte/sessions/fermer-les-autres")
        assert theirs.get("/mon-compte").status_code == 200

    def test_live_on_while_the_person_says_so(self, sign_in: SignIn, patient: Account) -> None:
        """What the warning before the end posts."""
        browser = sign_in(patient)
        with prepared():
            db.session.execute(update(WebSession).values(last_seen_at=db.now() - timedelta(minutes=29)))
        assert browser.post("/mon-compte/rester").status_code == 204
        seen = rows(WebSession)[0].last_seen_at
        assert db.now() - seen < timedelta(minutes=1)

    def test_warn_before_they_end_on_every_page(self, sign_in: SignIn, patient: Account, client: FlaskClient) -> None:
        page = sign_in(patient).get("/mon-compte").text
        assert 'data-idle="1800"' in page
        assert "data-app-session" not in client.get("/").text

    def test_that_are_over_answer_the_warning_with_the_door(self, sign_in: SignIn, patient: Account) -> None:
        browser = sign_in(patient)
        with prepared():
            db.session.execute(update(WebSession).values(last_seen_at=db.now() - timedelta(hours=1)))
        assert browser.post("/mon-compte/rester").status_code == 303


class TestANewDevice:
    def sign_in_with(self, account: Account, token: str, browser: str = "Firefox/130 Windows") -> bool:
        with db.transaction(acting(account)):
            return actions.recognise(account, token, browser)

    def test_the_very_first_surprises_nobody(self, patient: Account) -> None:
        assert not self.sign_in_with(patient, "first")
        assert count(Notification) == 0

    def test_is_told_to_the_person_without_details(self, patient: Account) -> None:
        self.sign_in_with(patient, "first")
        assert not self.sign_in_with(patient, "second", "Mozilla/5.0 (iPhone) Safari/605")
        (mail,) = rows(Notification)
        assert mail.recipient == patient.email
        assert "Safari sur iPhone" in mail.body or "Safari on iPhone" in mail.body
        assert "/mon-compte/sessions" in mail.body
        assert "Mozilla" not in mail.body

    def test_that_comes_back_is_known(self, patient: Account) -> None:
        self.sign_in_with(patient, "first")
        self.sign_in_with(patient, "second")
        assert self.sign_in_with(patient, "second")
        assert count(Notification) == 1
        assert count(KnownDevice) == 2

    def test_shared_by_two_accounts_cannot_be_told_from_two_devices(self, patient: Account) -> None:
        with prepared():
            other = people.patient_with_account(birth_name="DURAND")[0]
        self.sign_in_with(patient, "kiosk")
        self.sign_in_with(other, "kiosk")
        first, second = rows(KnownDevice)
        assert first.digest != second.digest

    def test_may_be_forgotten_by_its_owner_only(self, sign_in: SignIn, patient: Account) -> None:
        self.sign_in_with(patient, "first")
        (device,) = rows(KnownDevice)
        with prepared():
            other = people.patient_with_account(birth_name="DURAND")[0]
        address = f"/mon-compte/appareils/{device.id}/oublier"
        assert sign_in(other).post(address).status_code == 404
        assert sign_in(patient).post(address).status_code == 303
        assert count(KnownDevice) == 0

    def test_is_recognised_by_a_cookie_that_scripts_cannot_read(self, trip: Trips) -> None:
        here = trip()
        answer = here.sign_in()
        (cookie,) = [each for each in answer.headers.getlist("Set-Cookie") if "parvis_device=" in each]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        here.sign_in()
        assert count(KnownDevice) == 1
        assert count(Notification) == 0
