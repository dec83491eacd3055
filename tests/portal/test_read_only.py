"""A portal that only reads, over a database that refuses writes: whoever is there goes on reading, nothing is written,
and whatever would be is answered with 503, in the words of whoever asks."""

import json
import re
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import select, text

from auth import kept_reading, sessions
from auth.models import Account
from portal import db, reading_only
from portal.audit import AuditEvent
from portal.config import Settings
from portal.establishments import Establishment
from tests.architecture.test_routes import _sample, rules
from tests.conftest import Database
from tests.english import in_english as in_english
from tests.factories import people
from tests.factories.hospitals import hospital
from tests.ground import count, prepared

MakeApp = Callable[..., Flask]
SignIn = Callable[..., FlaskClient]


@pytest.fixture
def only_reads(app: Flask, make_app: MakeApp, settings: Settings) -> Callable[..., FlaskClient]:
    """A browser of the same person, once the portal only reads and its database is a standby."""
    made: list[Flask] = []

    def follow(browser: FlaskClient | None = None) -> FlaskClient:
        if not made:
            url = settings.database_url.get_secret_value()
            standby = SecretStr(f"{url}&options=-c%20default_transaction_read_only%3Don")
            made.append(make_app(read_only=True, database_url=standby))
        other = made[0].test_client()
        other.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        cookie = browser.get_cookie("parvis_session") if browser else None
        if cookie is not None:
            other.set_cookie("parvis_session", cookie.value)
        return other

    return follow


def unsafe(app: Flask) -> list[tuple[str, str]]:
    """(method, address) of everything that is not a reading."""
    adapter = app.url_map.bind("localhost")
    found = []
    for rule in rules(app):
        values = {name: _sample(converter) for name, converter in rule._converters.items()}
        for method in sorted((rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}):
            found.append((method, adapter.build(rule.endpoint, values, method=method)))
    return found


PARTS = 8


class TestWhateverWrites:
    @pytest.mark.parametrize("part", range(PARTS))
    def test_is_refused_by_every_route_with_when_to_come_back(self, app: Flask, only_reads: Any, part: int) -> None:
        browser, asked = only_reads(), unsafe(app)
        assert len(asked) > 500
        for method, address in asked[part::PARTS]:
            answer = browser.open(address, method=method, data={}, check=False)
            assert answer.status_code == 503, (method, address)
            assert address.startswith("/borne") or answer.headers.get("Retry-After") == "600", (method, address)

    @pytest.mark.parametrize(
        ("address", "mimetype", "told"),
        [
            ("/fhir/Appointment", "application/fhir+json", "OperationOutcome"),
            ("/oauth/token", "application/json", "temporarily_unavailable"),
            ("/api/totaux", "application/json", "temporarily_unavailable"),
            ("/callbacks/stripe", "text/plain", "read-only"),
            ("/accessibilite/signaler", "text/html", "Nothing can be sent for the moment"),
        ],
    )
    def test_is_answered_in_the_callers_words(self, only_reads: Any, address: str, mimetype: str, told: str) -> None:
        answer = only_reads().post(address, headers={"Accept-Language": "en"}, check=False)
        assert (answer.status_code, answer.mimetype) == (503, mimetype)
        assert told in answer.text

    @pytest.mark.parametrize("address", ["/accessibilite/signaler", "/deconnexion"])
    def test_is_answered_so_when_it_is_too_large_to_be_read(self, only_reads: Any, address: str) -> None:
        answer = only_reads().post(
            address,
            data=b"",
            content_type="application/x-www-form-urlencoded",
            environ_overrides={"CONTENT_LENGTH": str(1 << 40)},
            check=False,
        )
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "600")

    def test_says_whom_to_call_and_gives_back_what_was_typed(self, only_reads: Any) -> None:
        with prepared():
            hospital(phone="01 99 00 00 00")
        browser = only_reads()
        form = browser.get("/accessibilite/signaler?lang=en").text
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
        assert token
        typed = "I cannot reach\nthe button <b>with</b> my keyboard"
        page = browser.post("/accessibilite/signaler?lang=en", data={"csrf_token": token[1], "text": typed})
        assert "01\u00a099\u00a000\u00a000\u00a000" in page.text  # one number, on one line
        assert re.search(r"give this reference: <strong>[0-9a-f]{8}</strong>", page.text)
        assert "the button &lt;b&gt;with&lt;/b&gt; my keyboard" in page.text
        stranger = browser.post("/accessibilite/signaler?lang=en", data={"csrf_token": "forged", "text": typed})
        assert "my keyboard" not in stranger.text


class TestSigningIn:
    @pytest.mark.parametrize("door", ["/connexion", "/pro/connexion", "/admin/connexion", "/auth/franceconnect/start"])
    def test_is_not_possible_and_says_so(self, only_reads: Any, door: str) -> None:
        page = only_reads().get(f"{door}?lang=en")
        assert page.status_code in (404, 503)
        assert page.status_code == 404 or "Signing in is not possible" in page.text

    def test_whoever_leaves_is_out_of_this_browser(self, only_reads: Any, sign_in: SignIn) -> None:
        with prepared():
            account, _ = people.patient_with_account()
        browser = only_reads(sign_in(account))
        page = browser.get("/mon-compte?lang=en")
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
        assert token
        left = browser.post("/deconnexion?lang=en", data={"csrf_token": token[1]})
        assert left.status_code == 503
        assert "This browser is signed out" in left.text
        assert browser.get_cookie("parvis_session") is None


def rested(minutes: int) -> None:
    """Every session was last used so long ago."""
    with prepared():
        db.session.execute(text("update web_session set last_seen_at = now() - :t"), {"t": timedelta(minutes=minutes)})


class TestASession:
    @pytest.fixture
    def patient(self, app: Flask, sign_in: SignIn) -> FlaskClient:
        with prepared():
            account, _ = people.patient_with_account()
        return sign_in(account)

    def test_goes_on_beyond_its_idle_time_as_long_as_pages_are_read(
        self, app: Flask, patient: FlaskClient, only_reads: Any, database: Database
    ) -> None:
        browser = only_reads(patient)
        assert browser.get("/mon-compte").status_code == 200
        with psycopg.connect(database.superuser_url) as connection:
            connection.execute("update web_session set last_seen_at = now() - interval '45 minutes'")
        assert browser.get("/mon-compte").status_code == 200

    def test_ends_for_a_browser_that_was_left_alone(self, patient: FlaskClient, only_reads: Any) -> None:
        rested(45)
        assert only_reads(patient).get("/mon-compte").status_code == 303

    def test_cannot_borrow_the_moment_of_another_one(
        self, app: Flask, patient: FlaskClient, only_reads: Any, database: Database
    ) -> None:
        browser = only_reads(patient)
        browser.get("/mon-compte")
        with psycopg.connect(database.superuser_url) as connection:
            connection.execute("update web_session set last_seen_at = now() - interval '45 minutes'")
        browser.set_cookie("parvis_seen", "seen.forged.signature")
        assert browser.get("/mon-compte").status_code == 303

    def test_is_not_kept_by_a_standby_alone(self, patient: FlaskClient) -> None:
        """A portal that was not told to read only looks at no cookie: the idle time of the row holds."""
        rested(45)
        cookie = patient.get_cookie("parvis_session")
        assert cookie
        told: dict[bool, str] = {}
        for is_told in (False, True):
            with reading_only.held() if is_told else nullcontext(), db.transaction(db.system("tests.open")) as current:
                current.connection().exec_driver_sql("set transaction read only")
                found = current.execute(sessions._OPEN, {"digest": sessions.digest(cookie.value)}).one()
                told[is_told] = found.state
        assert told == {False: "ended", True: "open"}

    def test_ends_when_the_cookie_itself_is_too_old(
        self, app: Flask, patient: FlaskClient, only_reads: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rested(45)
        with prepared():
            session_id = db.session.scalar(text("select id from web_session"))
        browser = only_reads(patient)
        for minutes, status in ((29, 200), (31, 303)):
            with app.app_context():
                signer = kept_reading._signer(session_id)
            monkeypatch.setattr(signer, "get_timestamp", lambda ago=minutes: int(time.time()) - ago * 60)
            browser.set_cookie("parvis_seen", signer.sign("seen").decode())
            assert browser.get("/mon-compte").status_code == status

    def test_ends_at_its_last_hour_whatever_happens(
        self, app: Flask, patient: FlaskClient, only_reads: Any, database: Database
    ) -> None:
        browser = only_reads(patient)
        browser.get("/mon-compte")
        with psycopg.connect(database.superuser_url) as connection:
            connection.execute("update web_session set expires_at = now() - interval '1 minute'")
        assert browser.get("/mon-compte").status_code == 303


PAGES = {
    "visitor": ("/", "/recherche?q=cardio", "/offre-de-soins", "/mentions-legales"),
    "patient": ("/", "/mon-compte", "/documents", "/mes-rendez-vous", "/factures", "/pre-admission"),
    "staff": ("/admin/", "/admin/rendez-vous", "/admin/rendez-vous/imprimer", "/admin/pre-admissions",
              "/admin/pre-admissions/attendus", "/admin/connecteurs", "/admin/travaux", "/admin/journal"),
    "professional": ("/pro", "/pro/patients", "/nouvelles"),
}  # fmt: skip


class TestReading:
    @pytest.fixture
    def browsers(self, app: Flask, sign_in: SignIn) -> dict[str, FlaskClient | None]:
        with prepared():
            here = hospital().establishment.id
            doctor = people.professional()
            accounts: dict[str, Account | UUID | None] = {
                "patient": people.patient_with_account()[0],
                "professional": doctor.account_id,
                "staff": people.agent(here, *db.RIGHTS),
            }
        return {"visitor": None} | {name: sign_in(each) for name, each in accounts.items()}

    @pytest.mark.parametrize("who", PAGES)
    def test_goes_on_and_says_that_nothing_can_be_sent(
        self, browsers: dict[str, FlaskClient | None], only_reads: Any, who: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        browser, before = only_reads(browsers[who]), count(AuditEvent)
        capfd.readouterr()
        for address in PAGES[who]:
            page = browser.get(address, follow_redirects=True)
            assert page.status_code in (200, 404), address
            if page.mimetype == "text/html":
                assert "The portal can only be read for the moment" in page.text, address
        assert count(AuditEvent) == before
        told = [json.loads(line) for line in capfd.readouterr().err.splitlines() if "audit.not_written" in line]
        assert all(re.fullmatch(r"[0-9a-f]{32}", line["request"]) for line in told)
        assert told or who != "staff"


def test_a_page_that_would_lock_what_it_reads_reads_it(only_reads: Any) -> None:
    """Over a standby, locking a row is refused as writing it is."""
    with prepared():
        place = hospital().establishment
    only_reads()
    with reading_only.held(), db.transaction(db.system("tests")):
        found = db.session.get_one(Establishment, place.id, with_for_update={"key_share": True})
        db.session.refresh(found, ["name"], with_for_update=True)
        locked = select(Establishment).where(Establishment.id == place.id).with_for_update()
        assert db.session.scalars(locked).one().name == place.name
