"""When something goes wrong: a page in the reader's language that says what to do, and the right status."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from flask import Blueprint, Flask, abort
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import text

from auth import guards
from portal import db
from portal.config import Settings
from portal.web.limits import limiter
from tests.conftest import Database
from tests.factories import people
from tests.ground import prepared

MakeApp = Callable[..., Flask]
trouble = guards.public(Blueprint("trouble", __name__, url_prefix="/trouble"))


@trouble.get("/<int:code>")
def with_code(code: int) -> str:
    abort(code)


@trouble.get("/crash")
def crash() -> str:
    raise RuntimeError("a secret that was in a variable")


@trouble.get("/limited")
@limiter.limit("1 per minute")
def limited() -> str:
    return "once"


@trouble.get("/store/<path:value>")
def store(value: str) -> str:
    db.session.execute(text("select cast(:value as text)"), {"value": value}).all()
    return value


@pytest.fixture
def visitor(make_app: MakeApp) -> Any:
    return make_app(trouble).test_client()


@pytest.mark.parametrize("code", [400, 403, 404, 405, 410, 413, 415, 422, 429, 500, 501, 503])
@pytest.mark.parametrize("lang", ["fr", "en"])
class TestEachErrorPage:
    def test_is_a_page_of_ours_with_its_status(self, visitor: Any, code: int, lang: str) -> None:
        page = visitor.get(f"/trouble/{code}?lang={lang}")
        assert page.status_code == code
        assert page.mimetype == "text/html"
        assert f'<html lang="{lang}"' in page.text

    def test_says_where_to_go_whom_to_call_and_a_reference(self, visitor: Any, code: int, lang: str) -> None:
        page = visitor.get(f"/trouble/{code}?lang={lang}").text
        assert 'href="/"' in page
        assert "15" in page
        assert "app-trouble__reference" in page

    def test_puts_the_fault_on_the_right_side(self, visitor: Any, code: int, lang: str) -> None:
        ours = visitor.get(f"/trouble/500?lang={lang}").text.split("<h1")[1].split("</h1>")[0]
        theirs = visitor.get(f"/trouble/{code}?lang={lang}").text.split("<h1")[1].split("</h1>")[0]
        assert (ours == theirs) is (code in (500, 501))


class TestACrash:
    def test_says_nothing_of_what_broke(self, visitor: Any) -> None:
        page = visitor.get("/trouble/crash")
        assert page.status_code == 500
        assert "secret" not in page.text
        assert "Traceback" not in page.text


class TestTooManyAttempts:
    @pytest.fixture
    def limited_visitor(self, make_app: MakeApp) -> Iterator[Any]:
        """The test environment counts no attempts; development does."""
        yield make_app(trouble, env="development").test_client()
        limiter.reset()

    def test_are_told_to_wait(self, limited_visitor: Any) -> None:
        assert limited_visitor.get("/trouble/limited", check=False).status_code == 200
        page = limited_visitor.get("/trouble/limited")
        assert page.status_code == 429
        assert int(page.headers["Retry-After"]) <= 60

    def test_to_sign_in_are_counted(self, limited_visitor: Any) -> None:
        statuses = [limited_visitor.get("/auth/franceconnect/start").status_code for _ in range(301)]
        assert set(statuses[:300]) == {404}  # no provider is configured
        assert statuses[300] == 429

    def test_to_come_back_from_a_provider_are_counted(self, limited_visitor: Any) -> None:
        """Each one that fails leaves a line in the audit."""
        statuses = [limited_visitor.get("/auth/franceconnect/callback").status_code for _ in range(301)]
        assert set(statuses[:300]) == {404}
        assert statuses[300] == 429


class TestAMissingPage:
    def test_keeps_the_header_of_whoever_is_signed_in(self, sign_in: Callable[..., FlaskClient]) -> None:
        with prepared():
            account, _ = people.patient_with_account()
        page = sign_in(account).get("/nothing-here")
        assert page.status_code == 404
        assert 'action="/deconnexion"' in page.text

    @pytest.mark.parametrize("path", ["/mon-compte/../../etc/passwd", "/%00", "/é", "/" + "a" * 3000, "/mon-compte%2f"])
    def test_may_have_any_name(self, client: FlaskClient, path: str) -> None:
        assert client.get(path).status_code in (303, 404)


class TestABadRequest:
    def test_without_a_cross_site_token_says_that_nothing_was_sent(self, client: FlaskClient) -> None:
        page = client.post("/deconnexion", data={"csrf_token": "forged"})
        assert page.status_code == 400
        assert "app-trouble" in page.text

    def test_with_a_nul_that_no_text_may_hold(self, visitor: Any) -> None:
        assert visitor.get("/trouble/store/a%00b").status_code == 400

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "NONSENSE"])
    def test_by_a_method_we_do_not_know(self, client: FlaskClient, method: str) -> None:
        assert client.open("/mentions-legales", method=method).status_code in (400, 405)

    def test_is_told_which_methods_exist(self, client: FlaskClient) -> None:
        assert "POST" in client.get("/deconnexion").headers["Allow"]

    @pytest.mark.parametrize("language", ["x" * 5000, "fr;q=nonsense", "*", "zz-ZZ,,,;;", "\u00e9"])
    def test_of_a_browser_that_speaks_nonsense_is_answered(self, client: FlaskClient, language: str) -> None:
        page = client.get("/mentions-legales", headers={"Accept-Language": language})
        assert page.status_code == 200


class TestWithoutADatabase:
    @pytest.fixture
    def nowhere(self, make_app: MakeApp) -> FlaskClient:
        return make_app(database_url=SecretStr("postgresql://nobody:x@127.0.0.1:9/none")).test_client()

    @pytest.mark.parametrize("path", ["/", "/recherche?q=a", "/mentions-legales"])
    def test_pages_say_to_come_back(self, nowhere: FlaskClient, path: str) -> None:
        page = nowhere.get(path)
        assert page.status_code == 503
        assert page.headers["Retry-After"] == "30"

    def test_so_do_those_of_somebody_signed_in(self, nowhere: FlaskClient) -> None:
        nowhere.set_cookie("parvis_session", "x" * 43)
        assert nowhere.get("/mon-compte").status_code == 503

    def test_nothing_of_the_address_is_told(self, nowhere: FlaskClient) -> None:
        assert "127.0.0.1:9" not in nowhere.get("/").text

    def test_it_is_alive_and_not_ready(self, nowhere: FlaskClient) -> None:
        assert nowhere.get("/status/live").status_code == 200
        assert nowhere.get("/status/ready").status_code == 503

    def test_a_database_that_restarts_is_found_again(self, client: FlaskClient, database: Database) -> None:
        assert client.get("/status/ready").status_code == 200
        with psycopg.connect(database.superuser_url, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid() and application_name = 'parvis'"
            )
        statuses = [client.get("/status/ready").status_code for _ in range(3)]
        assert statuses[-2:] == [200, 200]
        assert statuses[0] in (200, 503)


class TestReadOnly:
    @pytest.fixture
    def reading(self, make_app: MakeApp, settings: Settings) -> FlaskClient:
        """A portal told to be read-only, over a database that is (a standby)."""
        url = settings.database_url.get_secret_value()
        return make_app(
            read_only=True, database_url=SecretStr(f"{url}&options=-c%20default_transaction_read_only%3Don")
        ).test_client()

    @pytest.mark.parametrize("path", ["/", "/recherche?q=cardio", "/mentions-legales", "/accessibilite"])
    def test_pages_are_still_there(self, reading: FlaskClient, path: str) -> None:
        assert reading.get(path).status_code == 200

    def test_a_session_still_opens_its_pages(
        self, app: Flask, reading: FlaskClient, sign_in: Callable[..., FlaskClient]
    ) -> None:
        db._factory.configure(bind=app.extensions["parvis.engine"])
        with prepared():
            account, _ = people.patient_with_account()
        token = sign_in(account).get_cookie("parvis_session")
        db._factory.configure(bind=reading.application.extensions["parvis.engine"])
        assert token is not None
        reading.set_cookie("parvis_session", token.value)
        assert reading.get("/mon-compte").status_code == 200

    def test_writes_are_told_to_come_back(self, reading: FlaskClient) -> None:
        page = reading.post("/deconnexion")
        assert page.status_code == 503

    def test_what_writes_without_saying_so_is_told_too(self, reading: FlaskClient) -> None:
        """A reading page that must write in the audit cannot be read now; it is not our error either."""
        assert reading.get("/auth/franceconnect/callback?code=x&state=y").status_code in (404, 503)
