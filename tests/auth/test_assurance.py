"""Health data is shown to whoever proved two factors at least, or more where a hospital asks for more."""

import secrets
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth import assurance, sessions
from auth.models import Account, HeldForm, WebSession
from auth.sessions import SignedIn
from portal import catalog, db, establishments
from portal.audit import AuditEvent
from portal.catalog import PublishedService
from tests.factories import factors, people
from tests.factories.hospitals import Hospital
from tests.ground import audited, prepared, rows
from tests.statements import executed

PAGES = {
    "appointments": "/rendez-vous",
    "preadmission": "/pre-admission",
    "billing": "/factures",
    "documents": "/documents",
}
ROOMS = tuple(PAGES)

Arrives = Callable[..., FlaskClient]


@pytest.fixture
def account(app: Flask) -> Account:
    with prepared():
        made = people.patient_with_account()[0]
        made.locale = "en"
        return made


@pytest.fixture
def arrives(app: Flask, account: Account) -> Arrives:
    """A browser whose session was opened with these proofs."""

    def arrive(provider: str = "franceconnect", acr: str = "eidas1", amr: str = "pwd", factor: str = "") -> FlaskClient:
        browser, token = app.test_client(), secrets.token_urlsafe(32)
        with prepared():
            db.session.add(
                WebSession(
                    digest=sessions.digest(token), account_id=account.id, provider=provider, acr=acr, amr=amr,
                    factor=factor, factor_at=db.now() if factor else None,
                    expires_at=db.now() + sessions.LIMITS["patient"].absolute,
                )
            )  # fmt: skip
        browser.set_cookie(sessions.cookie_name(secure=False), token)
        return browser

    return arrive


def asks(hospital: Hospital, service: str, minimum: str) -> None:
    with prepared():
        assurance.change_minimum(hospital.establishment.id, service, minimum)


def opens(hospital: Hospital, service: str) -> None:
    with prepared():
        catalog.publish(hospital.establishment.id, service, date(2026, 1, 1))
    assurance.forget()


def closes(hospital: Hospital, service: str) -> None:
    with prepared():
        db.session.get_one(PublishedService, (hospital.establishment.id, service)).closed_on = date(2026, 1, 2)
    assurance.forget()


def is_sent_to_the_proof(browser: FlaskClient, page: str) -> bool:
    answer = browser.get(page)
    return answer.status_code == 303 and answer.headers["Location"].startswith("/mon-compte/verification?")


def session_with(**facts: Any) -> SignedIn:
    blank = dict.fromkeys(SignedIn.__dataclass_fields__)
    return SignedIn(**blank | {"provider": "franceconnect", "acr": "eidas1", "amr": (), "factor": ""} | facts)


class TestTheLevelOfASession:
    @pytest.mark.parametrize(
        ("facts", "expected"),
        [
            ({"amr": ("pwd",)}, "single_factor"),
            ({"amr": ("pwd", "mail")}, "single_factor"),
            ({"amr": ()}, "single_factor"),
            ({"amr": ("pwd",), "acr": ""}, "single_factor"),
            ({"amr": ("pwd", "mfa")}, "two_factors"),
            ({"amr": ("pwd",), "factor": "passkey"}, "two_factors"),
            ({"amr": ("pwd",), "factor": "totp"}, "two_factors"),
            ({"amr": ("pwd",), "factor": "sms"}, "two_factors"),
            ({"amr": ("pwd",), "factor": "recovery"}, "two_factors"),
            ({"amr": ("pwd",), "factor": "desk"}, "single_factor"),
            ({"amr": ("pwd",), "factor": "mail"}, "single_factor"),
            ({"provider": "franceconnect-plus", "acr": "eidas2"}, "substantial"),
            ({"provider": "franceconnect-plus", "acr": "eidas3"}, "substantial"),
            ({"provider": "franceconnect-plus", "acr": "eidas1"}, "single_factor"),
            ({"acr": "eidas2"}, "two_factors"),
            ({"amr": ("pwd", "mfa"), "factor": "passkey"}, "two_factors"),
            ({"provider": "local", "acr": "", "amr": ("hwk", "user", "mfa")}, "two_factors"),
        ],
    )
    def test_is_what_was_proven(self, app: Flask, facts: dict[str, Any], expected: str) -> None:
        with prepared():
            assert assurance.level(session_with(**facts)) == expected


@pytest.mark.parametrize("page", ["identite", "coordonnees", "coordonnees/mobile", "acces", "donnees", "hopitaux"])
def test_ones_own_file_asks_a_password_alone_for_more(arrives: Arrives, page: str) -> None:
    """The national health identity is shown there, and where codes and warnings go is changed there."""
    assert is_sent_to_the_proof(arrives(), f"/mon-compte/{page}")


@pytest.mark.parametrize("service", ROOMS)
class TestEachService:
    def test_asks_a_password_alone_for_more(self, arrives: Arrives, service: str) -> None:
        assert is_sent_to_the_proof(arrives(), PAGES[service])

    def test_asks_a_password_and_a_mail_for_more(self, arrives: Arrives, service: str) -> None:
        assert is_sent_to_the_proof(arrives(amr="pwd mail"), PAGES[service])

    @pytest.mark.parametrize("proof", [{"amr": "pwd mfa"}, {"factor": "sms"}, {"factor": "passkey"}])
    def test_opens_with_two_factors(self, arrives: Arrives, service: str, proof: dict[str, str]) -> None:
        assert arrives(**proof).get(PAGES[service]).status_code == 200

    def test_takes_nothing_less_than_franceconnect_plus_where_a_hospital_asks_for_it(
        self, arrives: Arrives, service: str, north: Hospital
    ) -> None:
        opens(north, service)
        asks(north, service, "substantial")
        assert is_sent_to_the_proof(arrives(amr="pwd mfa", factor="passkey"), PAGES[service])
        assert arrives(provider="franceconnect-plus", acr="eidas2").get(PAGES[service]).status_code == 200

    def test_follows_the_strictest_of_the_hospitals_that_publish_it(
        self, arrives: Arrives, service: str, north: Hospital, south: Hospital
    ) -> None:
        opens(north, service)
        closes(south, service)
        asks(south, service, "substantial")
        assert arrives(amr="mfa").get(PAGES[service]).status_code == 200  # the south does not publish it
        opens(south, service)
        assert is_sent_to_the_proof(arrives(amr="mfa"), PAGES[service])

    def test_obeys_a_change_at_once(self, arrives: Arrives, service: str, north: Hospital) -> None:
        opens(north, service)
        browser = arrives(amr="mfa")
        assert browser.get(PAGES[service]).status_code == 200
        asks(north, service, "substantial")
        assert is_sent_to_the_proof(browser, PAGES[service])
        asks(north, service, "two_factors")
        assert browser.get(PAGES[service]).status_code == 200


class TestAMinimum:
    @pytest.mark.parametrize("value", ["single_factor", "", "eidas1", "SUBSTANTIAL", "two factors"])
    def test_is_never_less_than_two_factors_nor_nonsense(self, north: Hospital, value: str) -> None:
        with pytest.raises(assurance.UnknownMinimum):
            asks(north, "documents", value)

    def test_is_for_a_service_that_exists(self, north: Hospital) -> None:
        with pytest.raises(assurance.UnknownMinimum):
            asks(north, "kitchen", "substantial")

    def test_written_wrongly_by_hand_counts_as_the_default(self, arrives: Arrives, north: Hospital) -> None:
        opens(north, "billing")
        with prepared():
            establishments.change_setting(north.establishment.id, "assurance.billing", "none at all")
        assurance.forget()
        assert is_sent_to_the_proof(arrives(), PAGES["billing"])
        assert arrives(amr="mfa").get(PAGES["billing"]).status_code == 200

    def test_change_is_audited(self, north: Hospital) -> None:
        asks(north, "documents", "substantial")
        assert "assurance.changed" in audited()

    def test_costs_no_statement_in_the_common_case(self, app: Flask, arrives: Arrives) -> None:
        browser = arrives(amr="mfa")
        with executed(app) as first:
            browser.get(PAGES["billing"])
        with executed(app) as second:
            browser.get(PAGES["billing"])
        assert any("establishment_setting" in each for each in first)
        assert not any("establishment_setting" in each for each in second)


class TestAMailCode:
    def test_is_no_factor_until_every_hospital_allows_it_and_says_why(
        self, arrives: Arrives, north: Hospital, south: Hospital
    ) -> None:
        browser = arrives(factor="mail")
        assert is_sent_to_the_proof(browser, PAGES["billing"])
        for hospital, expected in ((north, True), (south, False)):
            with prepared():
                assurance.allow_mail_codes(hospital.establishment.id, "Patients of the island have no mobile network")
            assert is_sent_to_the_proof(browser, PAGES["billing"]) is expected
        said = [each.details for each in rows(AuditEvent) if each.action == "assurance.changed"]
        assert said == [{"key": "mail_codes_reason", "value": "yes"}] * 2  # the words are in the setting's history
        with prepared():
            assurance.allow_mail_codes(north.establishment.id, "")
        assert is_sent_to_the_proof(browser, PAGES["billing"])


class TestWhatOneWasDoing:
    def test_goes_on_after_the_proof_where_one_was(self, arrives: Arrives, account: Account) -> None:
        with prepared():
            factors.application(account)
        browser = arrives()
        asked = browser.get("/factures?page=2").headers["Location"]
        answer = browser.post(asked, data={"code": factors.code_of()})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/factures?page=2")
        assert browser.get("/factures").status_code == 200

    def test_is_asked_for_once_a_session(self, arrives: Arrives, account: Account) -> None:
        with prepared():
            factors.application(account)
        browser = arrives()
        browser.post(browser.get("/documents").headers["Location"], data={"code": factors.code_of()})
        assert [browser.get(page).status_code for page in PAGES.values()] == [200] * 4

    def test_what_was_typed_waits(self, arrives: Arrives, account: Account) -> None:
        browser = arrives()
        browser.post("/rendez-vous/confirmer", data={"wish": "a quiet room"})
        held = [row for row in rows(HeldForm) if row.account_id == account.id]
        assert len(held) == 1

    def test_rotates_the_cookie(self, arrives: Arrives, account: Account, app: Flask) -> None:
        with prepared():
            factors.application(account)
        browser = arrives()
        former = browser.get_cookie("parvis_session")
        assert former is not None
        browser.post(browser.get("/documents").headers["Location"], data={"code": factors.code_of()})
        renewed = browser.get_cookie("parvis_session")
        assert renewed is not None
        assert renewed.value != former.value
        thief = app.test_client()
        thief.set_cookie("parvis_session", former.value)
        assert thief.get("/documents").headers["Location"].startswith("/connexion")

    def test_without_any_factor_leads_to_choosing_one(self, arrives: Arrives) -> None:
        browser = arrives()
        page = browser.get("/documents", follow_redirects=True)
        assert page.request.path == "/mon-compte/securite/ajouter"
        assert "One more step" in page.text
