"""The same promises at the four national providers and at a hospital's own: nobody gets in who should not.

Each fault of a provider is proven against our client in tests/auth/oidc; here all of them go through the application,
several in one test, since nothing may remain of any.
"""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from auth.demo_idp.faults import CALLBACK_ERRORS, ENDPOINTS
from auth.hospital_providers.models import HospitalProvider
from auth.models import Account, Identity, Patient, Professional, SignInAttempt, StaffRight, WebSession
from portal.audit import AuditEvent
from tests.auth.oidc.test_faults import (
    ID_TOKEN,
    JSON_USERINFO,
    NONSENSE,
    NOT_EVEN_A_TOKEN,
    SEALED,
    SIGNED_USERINFO,
)
from tests.auth.trip import SOMEONE, Trip
from tests.ground import audited, count, rows

Trips = Callable[..., Trip]
HOSPITAL = "hospital/990000017"
EVERY_DOOR = ("franceconnect", "franceconnect-plus", "prosanteconnect", "proconnect", HOSPITAL)
THAT_SIGN_USERINFO = ("franceconnect", "franceconnect-plus", "proconnect")
DOORS = {"prosanteconnect": "/pro/connexion", "proconnect": "/admin/connexion", HOSPITAL: "/admin/connexion"}
NOTHING = (Account, Identity, Patient, Professional, StaffRight, WebSession)
ATTACKERS = {**SOMEONE, "franceconnect": "suzanne", "franceconnect-plus": "liisa"}


@pytest.fixture(params=EVERY_DOOR)
def visitor(request: pytest.FixtureRequest, trip: Trips, own_provider: HospitalProvider) -> Trip:
    """A browser that nobody signed in with, at each door in turn."""
    return trip(request.param)


def lies(provider: str) -> dict[str, str]:
    """Everything that this provider may say or bear and that gives nobody, and what the audit calls it."""
    signs, seals = provider in THAT_SIGN_USERINFO, provider == "franceconnect-plus"
    found = {**ID_TOKEN, **(SIGNED_USERINFO if signs else JSON_USERINFO), "replayed_nonce": "id_token_nonce"}
    found["mixup_iss"] = "callback_issuer"
    if provider.startswith("franceconnect"):
        found["no_callback_iss"] = "callback_issuer"
    if seals:
        found |= {fault: f"id_token_{reason}" for fault, reason in SEALED.items()}
        found |= {f"userinfo_{fault}": f"userinfo_{reason}" for fault, reason in SEALED.items()}
        found |= dict.fromkeys(NOT_EVEN_A_TOKEN, "userinfo_not_encrypted")
    return found


def nobody_came_in(answer: TestResponse, visitor: Trip, status: int, why: str) -> None:
    assert answer.status_code == status, why
    assert f'href="{DOORS.get(visitor.provider, "/connexion")}"' in answer.text, f"{why}: a way to start again"
    reference = re.search(r"<strong>([0-9a-f]{8})</strong>", answer.text)
    assert reference, f"{why}: a reference to give to the hospital"
    assert not re.search(r"evil|\b(?:code|state)=", answer.text), why
    assert audited()[-1] == "sign_in.refused", why
    assert [count(table) for table in NOTHING] == [0] * len(NOTHING), why
    assert visitor.token == "", why


class TestWhateverTheProviderSays:
    def test_a_lie_gives_nobody(self, visitor: Trip) -> None:
        for fault, reason in lies(visitor.provider).items():
            visitor.idp.faults.clear()
            visitor.idp.faults.switch_on(visitor.audience, fault)
            nobody_came_in(visitor.sign_in(), visitor, 400, fault)
            assert max(rows(AuditEvent), key=lambda event: event.id).details["reason"] == reason, fault

    def test_nonsense_and_an_outage_are_told_as_such(self, visitor: Trip, app: Flask) -> None:
        faults = [
            *NONSENSE,
            *(f"{endpoint}_{fault}" for endpoint in ("token", "userinfo") for fault in ("down", "huge")),
        ]
        for fault in [each for each in faults if not each.startswith("discovery")]:
            visitor.idp.faults.clear()
            visitor.idp.faults.switch_on(visitor.audience, fault)
            nobody_came_in(visitor.sign_in(), visitor, 503, fault)

    def test_an_error_instead_of_a_code_is_a_page(self, visitor: Trip) -> None:
        for error in sorted(CALLBACK_ERRORS):
            visitor.idp.faults.clear()
            visitor.idp.faults.switch_on(visitor.audience, error)
            kind = {"access_denied": 200, "server_error": 503, "temporarily_unavailable": 503}.get(error, 400)
            nobody_came_in(visitor.browser.get(visitor.sent_back()), visitor, kind, error)

    def test_cancelling_is_a_page_and_not_an_error(self, visitor: Trip) -> None:
        nobody_came_in(visitor.sign_in(""), visitor, 200, "cancelled")


class TestACallbackThatIsNotOurs:
    @pytest.mark.parametrize("fault", ["wrong_state", "no_state", "bare_callback"])
    def test_without_our_state(self, visitor: Trip, fault: str) -> None:
        visitor.idp.faults.switch_on(visitor.audience, fault)
        nobody_came_in(visitor.sign_in(), visitor, 400, fault)

    def test_twice(self, visitor: Trip) -> None:
        callback = visitor.callback("")
        visitor.browser.get(callback)
        nobody_came_in(visitor.browser.get(callback), visitor, 400, "replayed")

    def test_of_an_attacker_in_a_victim_s_browser(self, visitor: Trip, trip: Trips) -> None:
        attackers = trip(visitor.provider).callback(ATTACKERS[visitor.provider])
        nobody_came_in(visitor.browser.get(attackers), visitor, 400, "another browser's")

    def test_of_an_attacker_when_the_victim_was_on_their_way(self, visitor: Trip, trip: Trips) -> None:
        attackers = trip(visitor.provider).callback(ATTACKERS[visitor.provider])
        visitor.leave()
        nobody_came_in(visitor.browser.get(attackers), visitor, 400, "another browser's")

    def test_of_another_provider(self, visitor: Trip) -> None:
        other = "proconnect" if visitor.provider == "franceconnect" else "franceconnect"
        callback = visitor.callback().replace(f"/{visitor.provider}/", f"/{other}/")
        assert visitor.browser.get(callback).status_code == 400
        assert [count(table) for table in NOTHING] == [0] * len(NOTHING)

    @pytest.mark.parametrize("name", ["code", "state", "iss", "error", "anything"])
    def test_that_says_something_twice(self, visitor: Trip, name: str) -> None:
        doubled = f"{visitor.callback()}&{name}=evil&{name}=evil"
        nobody_came_in(visitor.browser.get(doubled), visitor, 400, name)

    @pytest.mark.parametrize("method", ["HEAD", "POST"])
    def test_by_another_method_spends_nothing(self, visitor: Trip, method: str) -> None:
        callback = visitor.callback()
        parts = urlsplit(callback)
        answer = visitor.browser.open(parts.path, query_string=parts.query, method=method, data=None)
        assert answer.status_code in (400, 405)
        assert count(SignInAttempt) == 1


class TestARunningSession:
    def test_is_neither_changed_nor_raised_by_any_refusal(self, visitor: Trip, trip: Trips) -> None:
        patient = trip("franceconnect", browser=visitor.browser)
        patient.sign_in("camille")
        (before,) = rows(WebSession)
        token = patient.token
        for fault in ("bad_sig", "low_acr", "wrong_nonce", "token_down", "wrong_state", "access_denied"):
            visitor.idp.faults.clear()
            visitor.idp.faults.switch_on(visitor.audience, fault)
            visitor.browser.get(visitor.sent_back() if fault == "access_denied" else visitor.callback())
        (after,) = rows(WebSession)
        assert patient.token == token
        assert [getattr(after, name) for name in ("digest", "account_id", "acr", "amr", "factor", "ended_at")] == [
            getattr(before, name) for name in ("digest", "account_id", "acr", "amr", "factor", "ended_at")
        ]
        assert patient.is_signed_in

    def test_outlives_an_outage_and_new_keys_of_its_provider(self, trip: Trips) -> None:
        for provider in ("franceconnect", "franceconnect-plus"):
            patient = trip(provider)
            patient.sign_in("dominique")
            patient.idp.desk.rotate_key(provider)
            patient.idp.faults.switch_on(provider, *(f"{endpoint}_down" for endpoint in ENDPOINTS))
            assert patient.is_signed_in


class TestWhatAPersonReads:
    def words(self, visitor: Trip, *faults: str) -> str:
        visitor.idp.faults.switch_on(visitor.audience, *faults)
        return visitor.browser.get(visitor.callback(), headers={"Accept-Language": "en"}).text

    @pytest.mark.parametrize(
        ("faults", "title"),
        [
            (("low_acr",), "A second proof of identity is needed"),
            (("token_down",), "does not answer for now"),
            (("wrong_state",), "This sign-in has ended"),
            (("bad_sig",), "Signing in did not work"),
        ],
    )
    def test_says_what_happened(self, visitor: Trip, faults: tuple[str, ...], title: str) -> None:
        assert title in self.words(visitor, *faults)

    def test_says_when_the_mistake_is_ours(self, visitor: Trip) -> None:
        visitor.idp.faults.switch_on(visitor.audience, "invalid_scope")
        page = visitor.browser.get(visitor.sent_back(), headers={"Accept-Language": "en"}).text
        assert "cannot be used for now" in page
        assert "scope" not in page

    def test_leads_from_franceconnect_to_the_stronger_one(self, trip: Trips) -> None:
        page = self.words(trip("franceconnect"), "low_acr")
        assert 'href="/auth/franceconnect-plus/start"' in page
