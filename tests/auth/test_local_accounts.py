"""Without an identity provider: a one-time link, then a passkey or a password and a code; never a password alone."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from auth import assurance
from auth.factors.models import Factor
from auth.local import actions, passwords
from auth.local.models import LocalInvitation, LocalPassword
from auth.models import Account, WebSession
from auth.tries import FailedTries
from portal import db
from portal.config import Settings
from portal.notifications import Notification
from tests.auth.devices import Device
from tests.auth.test_factors import SITE, asked, device
from tests.factories import factors, people
from tests.factories.hospitals import Hospital
from tests.ground import audited, count, prepared, rows

FIRST = "/connexion/premiere-fois/"
KEY, PASSWORD = "/connexion/cle", "/connexion/cle/mot-de-passe"
STAFF_KEY = "/admin/connexion/cle"
GOOD = "brouette lilas canal onze"


@pytest.fixture(autouse=True)
def _named(app: Flask, settings: Settings) -> Iterator[None]:
    app.config["SETTINGS"] = settings.model_copy(update={"base_url": SITE})
    yield
    app.config["SETTINGS"] = settings


@pytest.fixture
def account(north: Hospital) -> Account:
    """A patient of a hospital that lets them in without FranceConnect."""
    with prepared():
        assurance.allow_local_accounts(north.establishment.id, True)
        return people.patient_with_account()[0]


def invited(account: Account, *, printed: bool = False) -> str:
    with prepared():
        return actions.invite(account.id, printed=printed)


def set_up_passkey(app: Flask, token: str, mine: Device) -> tuple[FlaskClient, Any]:
    browser = app.test_client()
    options, sealed = asked(browser.get(f"{FIRST}{token}/cle").text)
    return browser, browser.post(f"{FIRST}{token}/cle", data={"answer": mine.make(options), "sealed": sealed})


def set_up_password(app: Flask, token: str, password: str = GOOD, **other: str) -> tuple[FlaskClient, Any, str]:
    browser = app.test_client()
    page = browser.get(f"{FIRST}{token}/mot-de-passe").text
    secret = "".join(re.search(r'app-code">([A-Z2-7 ]+)<', page)[1].split())  # type: ignore[index]  # it is there, or the test fails
    sealed = html.unescape(re.search(r'name="sealed"[^>]*value="([^"]*)"', page)[1])  # type: ignore[index]  # it is there, or the test fails
    code = factors.code_of(secret)
    data = {"password": password, "again": password, "code": code, "sealed": sealed} | other
    return browser, browser.post(f"{FIRST}{token}/mot-de-passe", data=data), secret


def lets_in(browser: FlaskClient, page: str) -> bool:
    """Whether the page opens, or leads to the texts to agree to first; no door and no proof is asked for."""
    answer = browser.get(page)
    way = answer.headers.get("Location", "")
    return answer.status_code in (200, 303) and "connexion" not in way and "verification" not in way


def sign_in_with_key(browser: FlaskClient, mine: Device, door: str = KEY) -> Any:
    options, sealed = asked(browser.get(door).text)
    return browser.post(door, data={"answer": mine.sign(options), "sealed": sealed})


class TestTheLink:
    def test_opens_a_session_of_two_factors_with_a_passkey(self, app: Flask, account: Account) -> None:
        browser, page = set_up_passkey(app, invited(account), device())
        assert page.status_code == 200
        assert len(re.findall(r'app-code">', page.text)) == 10
        assert lets_in(browser, "/documents")
        (session,) = rows(WebSession)
        assert (session.provider, session.acr, session.amr) == ("local", "", "hwk user mfa")
        assert {"local_account.invited", "local_account.opened", "session.opened"} <= set(audited())

    def test_opens_a_session_of_two_factors_with_a_password_and_a_code(self, app: Flask, account: Account) -> None:
        browser, page, _secret = set_up_password(app, invited(account))
        assert page.status_code == 200
        assert lets_in(browser, "/documents")

    def test_serves_once(self, app: Flask, account: Account) -> None:
        token, other = invited(account), invited(account)
        set_up_passkey(app, token, device())
        for each in (token, other):
            assert app.test_client().get(f"{FIRST}{each}").status_code == 404

    @pytest.mark.parametrize(("printed", "life"), [(True, timedelta(minutes=15)), (False, timedelta(hours=24))])
    def test_does_not_live_long(self, app: Flask, account: Account, printed: bool, life: timedelta) -> None:
        token = invited(account, printed=printed)
        (row,) = rows(LocalInvitation)
        assert abs(row.expires_at - row.created_at - life) < timedelta(seconds=1)
        assert app.test_client().get(f"{FIRST}{token}").status_code == 200
        with prepared():
            db.session.execute(update(LocalInvitation).values(expires_at=db.now()))
        for page in ("", "/cle", "/mot-de-passe"):
            assert app.test_client().get(f"{FIRST}{token}{page}").status_code == 404

    @pytest.mark.parametrize("token", ["x", "a" * 3000, "%00", "..%2f", "é"])
    def test_that_nobody_made_opens_nothing(self, app: Flask, token: str) -> None:
        assert app.test_client().get(f"{FIRST}{token}").status_code in (404, 400)

    def test_used_again_ends_what_was_set_up_before(self, app: Flask, account: Account) -> None:
        lost, kept = device(), device()
        set_up_passkey(app, invited(account), lost)
        set_up_passkey(app, invited(account), kept)
        assert sign_in_with_key(app.test_client(), lost).status_code == 422
        assert sign_in_with_key(app.test_client(), kept).status_code == 303

    def test_used_again_puts_out_whoever_is_inside(self, app: Flask, account: Account) -> None:
        thief, _page = set_up_passkey(app, invited(account), device())
        assert lets_in(thief, "/documents")
        browser, _page = set_up_passkey(app, invited(account), device())
        assert not lets_in(thief, "/documents")
        assert lets_in(browser, "/documents")

    def test_used_again_in_the_same_browser_waits_for_nobody(self, app: Flask, account: Account) -> None:
        browser, _page = set_up_passkey(app, invited(account), device())
        with prepared():
            db.session.execute(update(WebSession).values(last_seen_at=db.now() - timedelta(minutes=5)))
        token, mine = invited(account), device()
        options, sealed = asked(browser.get(f"{FIRST}{token}/cle").text)
        page = browser.post(f"{FIRST}{token}/cle", data={"answer": mine.make(options), "sealed": sealed})
        assert page.status_code == 200
        assert lets_in(browser, "/documents")

    def test_of_a_closed_account_opens_nothing(self, app: Flask, account: Account) -> None:
        token = invited(account)
        with prepared():
            db.session.execute(update(Account).values(closed_at=db.now()))
        assert app.test_client().get(f"{FIRST}{token}").status_code == 404


class TestAPassword:
    @pytest.mark.parametrize(
        ("password", "why"),
        [
            ("court", "short"), ("", "short"), ("x" * 11, "short"), ("x" * 201, "long"), ("aaaaaaaaaaaaaa", "simple"),
            ("121212121212121", "simple"), ("Jeanne.Martin.1980", "personal"), ("lamaisondemartin", "personal"),
            ("motdepasse2026!", "obvious"), ("Azertyuiop123456", "obvious"), ("password-123456789", "obvious"),
            ("bonjourbonjour12", "obvious"), (GOOD, ""), ("x7$Kp2!vQm9&Rt", ""), ("soleil couchant vélo", ""),
            ("qazwsxedcrfv", "common"), ("Qazwsxedcrfv", "common"), ("sonyericsson", "common"),
        ],
    )  # fmt: skip
    def test_is_refused_when_a_thief_would_try_it(self, password: str, why: str) -> None:
        assert passwords.weakness(password, ("Jeanne MARTIN", "jeanne@exemple.test")) == why

    def test_is_refused_in_words(self, app: Flask, account: Account) -> None:
        _browser, page, _secret = set_up_password(app, invited(account), "motdepasse2026!")
        assert page.status_code == 422
        assert rows(LocalPassword) == []

    def test_is_written_twice(self, app: Flask, account: Account) -> None:
        _browser, page, _secret = set_up_password(app, invited(account), again="brouette lilas canal douze")
        assert page.status_code == 422

    def test_is_kept_as_a_digest(self, app: Flask, account: Account) -> None:
        set_up_password(app, invited(account))
        (kept,) = rows(LocalPassword)
        assert kept.hash.startswith("scrypt:")
        assert "brouette" not in kept.hash


class TestChangingAPassword:
    CHANGE = "/mon-compte/mot-de-passe"
    NEW = "girafe tuile onze marées"

    def change(self, browser: FlaskClient, **other: str) -> Any:
        data = {"former": GOOD, "password": self.NEW, "again": self.NEW} | other
        return browser.post(self.CHANGE, data=data)

    def test_takes_the_former_one_and_ends_the_other_sessions(self, app: Flask, account: Account) -> None:
        browser, _page, secret = set_up_password(app, invited(account))
        (kept,) = rows(LocalPassword)
        other = app.test_client()
        other.post(PASSWORD, data={"login": kept.login, "password": GOOD, "code": factors.code_of(secret, 1)})
        assert lets_in(other, "/factures")
        assert self.CHANGE in browser.get("/mon-compte/securite").text
        cookie = browser.get_cookie("parvis_session")
        assert self.change(browser).headers["Location"] == "/mon-compte/securite"
        assert browser.get_cookie("parvis_session") != cookie
        assert lets_in(browser, "/factures")
        assert not lets_in(other, "/factures")
        assert passwords.matches(rows(LocalPassword)[0].hash, self.NEW)
        assert "local_account.password_changed" in audited()

    def test_is_told_to_the_person(self, app: Flask, account: Account) -> None:
        browser, _page, _secret = set_up_password(app, invited(account))
        before = count(Notification)
        self.change(browser)
        assert count(Notification) == before + 1

    @pytest.mark.parametrize(
        "wrong",
        [
            {"former": ""}, {"former": "not the one at all"}, {"again": "girafe tuile onze vagues"},
            {"password": GOOD, "again": GOOD}, {"password": "motdepasse2026!", "again": "motdepasse2026!"},
            {"password": "qwerty123456", "again": "qwerty123456"},
        ],
    )  # fmt: skip
    def test_without_all_that_it_takes_changes_nothing(
        self, app: Flask, account: Account, wrong: dict[str, str]
    ) -> None:
        browser, _page, _secret = set_up_password(app, invited(account))
        (before,) = rows(LocalPassword)
        assert self.change(browser, **wrong).status_code == 422
        assert rows(LocalPassword)[0].hash == before.hash

    def test_takes_a_proof_of_less_than_five_minutes(self, app: Flask, account: Account) -> None:
        browser, _page, secret = set_up_password(app, invited(account))
        with prepared():
            db.session.execute(update(WebSession).values(created_at=db.now() - timedelta(minutes=6)))
        for answer in (browser.get(self.CHANGE), self.change(browser)):
            assert answer.headers["Location"].startswith("/mon-compte/verification?next=/mon-compte/mot-de-passe")
        with prepared():
            db.session.execute(update(FailedTries).values(first_at=db.now() - timedelta(hours=1)))
        browser.post(f"/mon-compte/verification?next={self.CHANGE}", data={"code": factors.code_of(secret, 1)})
        assert self.change(browser).headers["Location"] == "/mon-compte/securite"

    def test_waits_after_five_errors(self, app: Flask, account: Account) -> None:
        browser, _page, _secret = set_up_password(app, invited(account))
        answers = [self.change(browser, former="not the one at all").status_code for _try in range(5)]
        assert [*answers, self.change(browser).status_code] == [422] * 5 + [429]

    def test_is_for_those_who_have_one(self, app: Flask, account: Account, sign_in: Any) -> None:
        set_up_passkey(app, invited(account), device())
        browser = sign_in(account)
        assert browser.get(self.CHANGE).status_code == 404
        assert self.CHANGE not in browser.get("/mon-compte/securite").text


class TestSigningIn:
    def test_with_the_passkey_alone_says_who_one_is(self, app: Flask, account: Account) -> None:
        mine = device()
        set_up_passkey(app, invited(account), mine)
        browser = app.test_client()
        assert sign_in_with_key(browser, mine).headers["Location"] == "/"
        assert lets_in(browser, "/factures")

    def test_takes_the_three_together(self, app: Flask, account: Account) -> None:
        _browser, _page, secret = set_up_password(app, invited(account))
        (kept,) = rows(LocalPassword)
        right = {"login": kept.login.lower(), "password": GOOD, "code": factors.code_of(secret, 1)}
        for name in right:
            wrong = {"login": "ABCD-EFGH", "password": GOOD + "!", "code": "000000"}[name]
            answer = app.test_client().post(PASSWORD, data=right | {name: wrong})
            assert answer.status_code == 422
        browser = app.test_client()
        assert browser.post(PASSWORD, data=right).status_code == 303
        assert lets_in(browser, "/documents")

    def test_says_the_same_whatever_is_wrong(self, app: Flask, account: Account) -> None:
        _browser, _page, secret = set_up_password(app, invited(account))
        (kept,) = rows(LocalPassword)
        right = {"login": kept.login, "password": GOOD, "code": factors.code_of(secret, 1)}
        told = set()
        for name, wrong in (("login", "ABCD-EFGH"), ("password", "another one altogether"), ("code", "000000")):
            page = app.test_client().post(PASSWORD, data=right | {name: wrong}).text
            told.add(tuple(re.findall(r'class="app-error">(.*?)</span></p>|<li><a href="#(\w+)"', page)))
        assert len(told) == 1

    def test_takes_a_recovery_code_for_the_application(self, app: Flask, account: Account) -> None:
        _browser, page, _secret = set_up_password(app, invited(account))
        (code, *_rest) = re.findall(r'app-code">([A-Z0-9-]+)<', page.text)
        (kept,) = rows(LocalPassword)
        typed = {"login": kept.login, "password": GOOD, "code": code}
        assert app.test_client().post(PASSWORD, data=typed).status_code == 303
        assert app.test_client().post(PASSWORD, data=typed).status_code == 422

    def test_waits_after_five_errors_whether_or_not_the_name_exists(self, app: Flask, account: Account) -> None:
        set_up_password(app, invited(account))
        (kept,) = rows(LocalPassword)
        for login in (kept.login, "WXYZ-2345"):
            typed = {"login": login, "password": "a wrong one, again", "code": "000000"}
            answers = [app.test_client().post(PASSWORD, data=typed).status_code for _try in range(6)]
            assert answers == [422] * 5 + [429]

    def test_is_counted_under_one_name_however_it_is_typed(self, app: Flask, account: Account) -> None:
        set_up_password(app, invited(account))
        (kept,) = rows(LocalPassword)
        typed = [kept.login, *(kept.login.replace("-", other) for other in ("", " ", ".", "--", "/")), f"!{kept.login}"]
        wrong = {"password": "a wrong one, again", "code": "000000"}
        answers = [app.test_client().post(PASSWORD, data={"login": each, **wrong}).status_code for each in typed]
        assert answers == [422] * 5 + [429] * 2

    def test_is_closed_to_patients_unless_a_hospital_opened_it(
        self, app: Flask, account: Account, north: Hospital
    ) -> None:
        with prepared():
            assurance.allow_local_accounts(north.establishment.id, False)
        for page in (KEY, PASSWORD):
            assert app.test_client().get(page).status_code == 404

    def test_passkey_added_to_franceconnect_does_not_replace_it(
        self, app: Flask, account: Account, sign_in: Any
    ) -> None:
        browser, mine = sign_in(account), device()
        options, sealed = asked(browser.get("/mon-compte/securite/ajouter/cle").text)
        browser.post("/mon-compte/securite/ajouter/cle", data={"answer": mine.make(options), "sealed": sealed})
        assert len(rows(Factor)) == 1
        assert sign_in_with_key(app.test_client(), mine).status_code == 422

    def test_of_an_agent_is_at_the_agents_door(self, app: Flask, account: Account, north: Hospital) -> None:
        with prepared():
            agent = people.agent(north.establishment.id, "billing")
        mine = device()
        set_up_passkey(app, invited(agent), mine)
        assert sign_in_with_key(app.test_client(), mine, KEY).status_code == 422
        browser = app.test_client()
        assert sign_in_with_key(browser, mine, STAFF_KEY).status_code == 303
        assert lets_in(browser, "/admin/")

    def test_answer_serves_once_and_in_one_browser(self, app: Flask, account: Account) -> None:
        mine = device()
        set_up_passkey(app, invited(account), mine)
        browser = app.test_client()
        options, sealed = asked(browser.get(KEY).text)
        data = {"answer": mine.sign(options), "sealed": sealed}
        assert app.test_client().post(KEY, data=data).status_code == 422
        assert browser.post(KEY, data=data).status_code == 303
        assert browser.post(KEY, data=data).status_code == 422
