"""Nothing typed is lost when the session ends in the middle of a form, and nobody else ever reads it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import update
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from auth import held_forms, sessions
from auth.models import Account, HeldForm, WebSession
from portal import db, jobs
from tests.factories import people
from tests.ground import count, prepared, rows

SignIn = Callable[[Account], FlaskClient]
TYPED = {"reason": "Douleur à l’épaule", "wishes": ["matin", "soir"], "once": "8" * 36}
PAGE = "/mon-compte?step=2"


@pytest.fixture
def patient(app: Flask) -> Account:
    with prepared():
        return people.patient_with_account()[0]


def end_sessions() -> None:
    with prepared():
        db.session.execute(update(WebSession).values(last_seen_at=db.now() - timedelta(hours=1)))


def post(browser: FlaskClient, data: dict[str, object] | None = None, page: str = PAGE) -> TestResponse:
    """The form of `page`, posted to an address of patients."""
    headers = {"Referer": f"http://localhost{page}"}
    return browser.post("/mon-compte/agir-pour", data=TYPED if data is None else data, headers=headers)


def taken(app: Flask, browser: FlaskClient, page: str = PAGE) -> MultiDict[str, str] | None:
    """What a view of `page` would be given for this browser."""
    cookie = browser.get_cookie("parvis_session")
    headers = {"Cookie": f"parvis_session={cookie.value}"} if cookie else {}
    with app.test_request_context(page, headers=headers) as context:
        db.open_unit(lambda connection: sessions.declare(context.request, connection))
        try:
            return held_forms.take()
        finally:
            db.close_unit(commit=True)


@pytest.fixture
def held(sign_in: SignIn, patient: Account) -> TestResponse:
    browser = sign_in(patient)
    end_sessions()
    return post(browser)


class TestAFormPostedTooLate:
    def test_leads_to_the_door_and_back_to_its_page(self, held: TestResponse) -> None:
        assert (held.status_code, held.headers["Location"]) == (303, "/connexion?next=/mon-compte?step%3D2")

    def test_is_told_to_be_kept(self, held: TestResponse, client: FlaskClient) -> None:
        assert "app-notice" in client.get(held.headers["Location"]).text

    def test_comes_back_to_the_same_person_once(
        self, app: Flask, sign_in: SignIn, held: TestResponse, patient: Account
    ) -> None:
        again = sign_in(patient)
        given = taken(app, again)
        assert given is not None
        assert given.getlist("wishes") == ["matin", "soir"]
        assert given["reason"] == TYPED["reason"]
        assert taken(app, again) is None
        assert count(HeldForm) == 0

    def test_leaves_out_what_must_be_fresh(
        self, app: Flask, sign_in: SignIn, held: TestResponse, patient: Account
    ) -> None:
        given = taken(app, sign_in(patient))
        assert given is not None
        assert {"csrf_token", "once"}.isdisjoint(given)

    def test_waits_sealed(self, held: TestResponse) -> None:
        (row,) = rows(HeldForm)
        assert "épaule".encode() not in row.sealed

    def test_never_goes_to_another_person(
        self, app: Flask, sign_in: SignIn, held: TestResponse, client: FlaskClient
    ) -> None:
        with prepared():
            other, _ = people.patient_with_account()
        assert taken(app, sign_in(other)) is None
        assert taken(app, client) is None
        assert count(HeldForm) == 1

    def test_never_shows_on_another_page(
        self, app: Flask, sign_in: SignIn, held: TestResponse, patient: Account
    ) -> None:
        assert taken(app, sign_in(patient), "/mon-compte") is None

    def test_is_forgotten_after_an_hour(
        self, app: Flask, sign_in: SignIn, held: TestResponse, patient: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(held_forms, "KEEP", timedelta(0))
        assert taken(app, sign_in(patient)) is None

    def test_is_deleted_by_the_worker_when_nobody_came_back(
        self, held: TestResponse, work_jobs: Callable[[], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(held_forms, "KEEP", timedelta(0))
        with prepared():
            jobs.enqueue("auth.forget_held_forms", timestamp=0)
        work_jobs()
        assert count(HeldForm) == 0

    def test_sealed_under_a_former_key_is_nothing(
        self, app: Flask, sign_in: SignIn, held: TestResponse, patient: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        another = {"secret_key": SecretStr("another key, since the operator changed it")}
        monkeypatch.setitem(app.config, "SETTINGS", app.config["SETTINGS"].model_copy(update=another))
        assert not taken(app, sign_in(patient))


class TestWhatIsNotKept:
    def test_a_form_of_nobody(self, client: FlaskClient) -> None:
        assert post(client).status_code == 303
        assert count(HeldForm) == 0

    def test_a_form_without_a_field(self, sign_in: SignIn, patient: Account) -> None:
        browser = sign_in(patient)
        end_sessions()
        post(browser, {})
        assert count(HeldForm) == 0

    def test_a_huge_form(self, sign_in: SignIn, patient: Account) -> None:
        browser = sign_in(patient)
        end_sessions()
        assert post(browser, {"text": "a" * 200_000}).status_code == 303
        assert count(HeldForm) == 0

    def test_the_former_one_of_the_same_person(self, app: Flask, sign_in: SignIn, patient: Account) -> None:
        browser = sign_in(patient)
        end_sessions()
        post(browser, {"reason": "first"})
        post(browser, {"reason": "second"})
        given = taken(app, sign_in(patient))
        assert given is not None
        assert given["reason"] == "second"

    def test_the_address_of_another_site(self, sign_in: SignIn, patient: Account) -> None:
        browser = sign_in(patient)
        end_sessions()
        answer = browser.post(
            "/mon-compte/agir-pour", data=TYPED, headers={"Referer": "http://evil.exemple.test/mon-compte"}
        )
        assert answer.headers["Location"] == "/connexion?next=/mon-compte/agir-pour"

    def test_a_form_without_our_cross_site_token(self, sign_in: SignIn, patient: Account) -> None:
        browser = sign_in(patient)
        end_sessions()
        assert post(browser, TYPED | {"csrf_token": "forged"}).status_code == 400
        assert count(HeldForm) == 0


class TestAPageAskedTooLate:
    def test_comes_back_after_the_door(self, client: FlaskClient) -> None:
        assert client.get("/mon-compte?step=2").headers["Location"] == "/connexion?next=/mon-compte?step%3D2"
