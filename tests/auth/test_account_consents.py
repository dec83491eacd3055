"""Texts are agreed to once for each version, right after signing in, and never in the middle of a form."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale

from auth.account import texts
from auth.account.models import Consent
from auth.account.texts import Text
from auth.models import Account
from tests.auth.trip import Trip
from tests.factories import people
from tests.factories.hospitals import Hospital
from tests.ground import audited, prepared, rows

SignIn = Callable[[Account], FlaskClient]
Trips = Callable[..., Trip]
AGREE = "/mon-compte/consentements/accepter"


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


def terms() -> Text:
    return next(each for each in texts.in_force("patient") if each.kind == "terms")


def ticked(*due: Text) -> dict[str, str]:
    return {f"agree_{each.kind}_{each.version.replace('-', '_')}": "y" for each in due}


@pytest.fixture
def next_version(app: Flask) -> Iterator[Text]:
    newer = replace(terms(), version="2030-01", paragraphs=("Something else.",))
    texts.publish(newer)
    yield newer
    texts.withdraw(newer)


class TestAtTheFirstSignIn:
    def test_the_next_page_leads_to_the_texts_and_then_goes_on(self, trip: Trips) -> None:
        here = trip()
        here.sign_in()
        led = here.browser.get("/mon-compte/acces")
        assert led.headers["Location"] == f"{AGREE}?next=/mon-compte/acces"
        answer = here.browser.post(f"{AGREE}?next=/mon-compte/acces", data=ticked(terms()))
        assert answer.headers["Location"] == "/mon-compte/acces"
        after = here.browser.get("/mon-compte/acces")
        assert AGREE not in after.headers.get("Location", "")

    def test_no_box_is_ticked_beforehand(self, sign_in: SignIn, patient: Account) -> None:
        page = sign_in(patient).get(AGREE).text
        assert 'type="checkbox"' in page
        assert "checked" not in page

    def test_going_on_without_ticking_is_refused_in_words(self, sign_in: SignIn, patient: Account) -> None:
        answer = sign_in(patient).post(AGREE)
        assert answer.status_code == 422
        assert "Tick the box" in answer.text
        assert rows(Consent) == []

    @pytest.mark.parametrize(
        "page", ["/mon-compte", "/mentions-legales", "/donnees-personnelles", "/accessibilite", "/"]
    )
    def test_these_pages_stay_open_without(self, trip: Trips, page: str) -> None:
        here = trip()
        here.sign_in()
        assert here.browser.get(page).status_code == 200

    def test_one_may_sign_out_without(self, trip: Trips) -> None:
        here = trip()
        here.sign_in()
        assert here.browser.post("/deconnexion").status_code == 200
        assert not here.is_signed_in

    def test_a_form_that_is_posted_is_never_interrupted(self, trip: Trips) -> None:
        here = trip()
        here.sign_in()
        answer = here.browser.post("/mon-compte/donnees/copie")
        assert AGREE not in answer.headers.get("Location", "")

    def test_the_way_on_stays_inside(self, sign_in: SignIn, patient: Account) -> None:
        answer = sign_in(patient).post(f"{AGREE}?next=//evil.test/", data=ticked(terms()))
        assert answer.headers["Location"] == "/mon-compte"


class TestAnAgreement:
    def test_keeps_the_version_the_language_and_the_words(self, sign_in: SignIn, patient: Account) -> None:
        sign_in(patient).post(f"{AGREE}?lang=fr", data=ticked(terms()))
        (consent,) = rows(Consent)
        assert (consent.kind, consent.version, consent.locale) == ("terms", terms().version, "fr")
        assert consent.text_digest == terms().digest("fr")
        assert consent.evidence["provider"] == "franceconnect"
        assert "consent.given" in audited()

    def test_posted_twice_is_one(self, sign_in: SignIn, patient: Account) -> None:
        browser = sign_in(patient)
        browser.post(AGREE, data=ticked(terms()))
        browser.post(AGREE, data=ticked(terms()))
        assert len(rows(Consent)) == 1

    def test_is_not_asked_again_for_the_same_version(self, sign_in: SignIn, patient: Account) -> None:
        browser = sign_in(patient)
        browser.post(AGREE, data=ticked(terms()))
        assert browser.get(AGREE).status_code == 303

    def test_is_asked_again_for_the_next_version(self, sign_in: SignIn, patient: Account, next_version: Text) -> None:
        former = texts.find("terms", "2026-11")
        assert former is not None
        browser = sign_in(patient)
        answer = browser.post(AGREE, data=ticked(former))
        assert answer.status_code == 422, "the box of a former version is not the one that is asked"
        browser.post(AGREE, data=ticked(next_version))
        assert [each.version for each in rows(Consent)] == ["2030-01"]

    def test_is_listed_with_its_version_and_its_text(self, app: Flask, sign_in: SignIn, patient: Account) -> None:
        browser = sign_in(patient)
        browser.post(AGREE, data=ticked(terms()))
        assert terms().version in browser.get("/mon-compte/consentements").text
        page = browser.get(f"/mon-compte/consentements/terms/{terms().version}")
        with app.test_request_context(), force_locale("en"):
            assert str(terms().paragraphs[0])[:40] in page.text

    def test_withdrawn_is_kept_with_its_date_and_asked_again(self, sign_in: SignIn, patient: Account) -> None:
        browser = sign_in(patient)
        browser.post(AGREE, data=ticked(terms()))
        (consent,) = rows(Consent)
        browser.post(f"/mon-compte/consentements/{consent.id}/retirer")
        assert rows(Consent)[0].withdrawn_at is not None
        assert "consent.withdrawn" in audited()
        assert browser.get("/mon-compte/acces").headers["Location"].startswith(AGREE)

    def test_of_somebody_else_cannot_be_withdrawn(self, sign_in: SignIn, patient: Account) -> None:
        sign_in(patient).post(AGREE, data=ticked(terms()))
        (consent,) = rows(Consent)
        with prepared():
            other = people.patient_with_account(birth_name="DURAND")[0]
        assert sign_in(other).post(f"/mon-compte/consentements/{consent.id}/retirer").status_code == 404

    def test_of_an_agent_is_to_the_charter(self, sign_in: SignIn, north: Hospital) -> None:
        with prepared():
            agent = people.agent(north.establishment.id, "billing")
        browser = sign_in(agent)
        browser.post(AGREE, data=ticked(*texts.in_force("staff")))
        assert [each.kind for each in rows(Consent)] == ["charter"]
