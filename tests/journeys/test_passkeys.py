"""Passkeys with a real browser and an authenticator of its own: made, used, and enough to sign in without a provider.

At `localhost`, since browsers bind passkeys to a name, and the other journeys are at an address.
"""

from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update
from werkzeug.serving import make_server

from auth import assurance, sessions
from auth.factors.models import Factor
from auth.local import actions as local
from auth.models import Account, WebSession
from portal import db
from portal.config import Settings
from tests.factories import people
from tests.factories.hospitals import hospital
from tests.ground import prepared, rows
from tests.journeys.conftest import PATIENCE_MS
from tests.journeys.looking import listen, look

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

AUTHENTICATOR = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip

REFUSE = "() => { navigator.credentials.create = () => Promise.reject(new DOMException('no', 'NotAllowedError')); }"


@pytest.fixture
def address(app: Flask, settings: Settings) -> Iterator[str]:
    """The application, listening, under a name."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    url = f"http://localhost:{server.server_port}"
    app.config["SETTINGS"] = settings.model_copy(update={"base_url": url})
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield url
    server.shutdown()
    thread.join()
    app.config["SETTINGS"] = settings


@pytest.fixture
def account(app: Flask) -> Account:
    """A patient whose hospital lets people in without a provider."""
    with prepared():
        assurance.allow_local_accounts(hospital().establishment.id, True)
        return people.patient_with_account()[0]


@pytest.fixture
def visitor(browser: Browser, address: str) -> Iterator[Page]:
    """A browser with an authenticator, such as a telephone's fingerprint reader."""
    context = browser.new_context(base_url=address, locale="en-GB", reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    listen(page)
    wire = context.new_cdp_session(page)
    wire.send("WebAuthn.enable")
    wire.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    yield page
    context.close()


def arrive(page: Page, account: Account, signed_in: Callable[[Account], Any]) -> None:
    """With FranceConnect and a password alone."""
    cookie = signed_in(account).get_cookie(sessions.cookie_name(secure=False))
    with prepared():
        db.session.execute(update(WebSession).values(amr="pwd"))
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "domain": "localhost", "path": "/"}])


def test_a_passkey_is_made_once_and_opens_the_next_sessions(
    visitor: Page, account: Account, sign_in: Callable[[Account], Any]
) -> None:
    arrive(visitor, account, sign_in)
    visitor.goto("/factures")
    look(visitor, "One more step to protect your health data")
    visitor.get_by_role("link", name="A passkey").click()
    look(visitor, "Make a passkey")
    visitor.get_by_role("button", name="Make my passkey").click()
    look(visitor, "Keep these recovery codes")
    visitor.get_by_role("link", name="I have kept them, continue").click()
    expect(visitor).to_have_url("/factures")

    arrive(visitor, account, sign_in)
    visitor.goto("/documents")
    look(visitor, "Confirm that it is you")
    visitor.get_by_role("button", name="Use my passkey").click()
    expect(visitor).to_have_url("/documents")
    (passkey,) = rows(Factor)
    assert passkey.sign_count > 0


def test_an_account_of_the_hospital_signs_in_with_a_passkey_alone(visitor: Page, account: Account) -> None:
    with prepared():
        link = local.path(local.invite(account.id, printed=True))
    visitor.goto(link)
    look(visitor, "Choose how you will sign in")
    visitor.get_by_role("link", name="A passkey").click()
    visitor.get_by_role("button", name="Make my passkey").click()
    look(visitor, "Keep these recovery codes")

    visitor.context.clear_cookies()
    visitor.goto("/connexion/cle")
    look(visitor, "Sign in with a passkey")
    visitor.get_by_role("button", name="Use my passkey").click()
    expect(visitor.locator("summary.app-account")).to_contain_text(account.name)


def test_a_device_that_refuses_leads_to_another_way(
    visitor: Page, account: Account, sign_in: Callable[[Account], Any]
) -> None:
    arrive(visitor, account, sign_in)
    visitor.goto("/mon-compte/securite/ajouter/cle")
    visitor.evaluate(REFUSE)
    visitor.get_by_role("button", name="Make my passkey").click()
    expect(visitor.get_by_role("alert")).to_contain_text("Your device did not confirm")
    visitor.get_by_role("link", name="Choose another way").click()
    expect(visitor.locator("h1")).to_contain_text("protect your health data")
    assert rows(Factor) == []
