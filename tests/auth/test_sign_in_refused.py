"""Whatever comes back wrong: a page that helps, the right status, a line in the audit, and nobody signed in."""

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from auth.actions import ATTEMPT_LIFE
from auth.demo_idp.faults import CALLBACK_ERRORS, ENDPOINTS
from auth.demo_idp.server import RunningIdp
from auth.models import Account, Identity, Patient, Professional, SignInAttempt, WebSession
from portal import db
from portal.audit import AuditEvent
from tests.auth.trip import Trip
from tests.ground import audited, count, prepared, rows

Trips = Callable[..., Trip]

# One fault of each family: each single one is proven against our client in tests/auth/oidc.
REFUSED = (
    "no_id_token", "wrong_iss", "wrong_aud", "expired", "wrong_nonce", "replayed_nonce", "low_acr", "no_sub",
    "hostile_sub", "alg_none", "hs256_public_key", "bad_sig", "foreign_key", "userinfo_sub", "userinfo_bad_sig",
    "userinfo_json", "userinfo_missing_claims", "userinfo_garbage", "mixup_iss", "no_callback_iss", "jwks_no_keys",
)  # fmt: skip
UNAVAILABLE = tuple(f"{endpoint}_{fault}" for endpoint in ENDPOINTS for fault in ("down", "garbage", "huge"))
BENT_CALLBACKS = ("wrong_state", "no_state", "bare_callback")


def refused(answer: TestResponse, visitor: Trip, status: int) -> None:
    """The promise of this file, in one place."""
    assert answer.status_code == status
    assert 'href="/connexion"' in answer.text or 'href="/pro/connexion"' in answer.text, "a way to start again"
    assert not {"evil", "code=", "state="} & set(re.findall(r"evil|\b(?:code|state)=", answer.text))
    assert audited()[-1] == "sign_in.refused"
    assert (count(Account), count(Patient), count(Identity), count(WebSession)) == (0, 0, 0, 0)
    assert visitor.token == ""
    assert not visitor.is_signed_in


class TestALyingProvider:
    @pytest.mark.parametrize("fault", REFUSED)
    def test_gives_nobody(self, trip: Trips, fault: str) -> None:
        visitor = trip()
        visitor.idp.faults.switch_on("franceconnect", fault)
        refused(visitor.sign_in(), visitor, 400)

    @pytest.mark.parametrize("fault", UNAVAILABLE)
    def test_or_a_broken_one_is_unavailable(self, trip: Trips, fault: str) -> None:
        visitor = trip("prosanteconnect")
        visitor.idp.faults.switch_on("prosanteconnect", fault)
        if fault.startswith("discovery"):
            answer = visitor.browser.get("/auth/prosanteconnect/start")
        else:
            answer = visitor.sign_in()
        refused(answer, visitor, 503)
        assert count(Professional) == 0

    def test_leaves_the_session_one_already_had_as_it_was(self, trip: Trips) -> None:
        visitor = trip()
        visitor.sign_in("dominique")
        before = visitor.token
        visitor.idp.faults.switch_on("franceconnect", "bad_sig")
        assert visitor.sign_in("camille").status_code == 400
        assert visitor.token == before
        assert "PAT-TROIS" in visitor.browser.get("/mon-compte").text
        assert rows(WebSession)[0].ended_at is None


class TestAPersonWhoGivesUp:
    def test_reads_a_page_and_not_an_error(self, trip: Trips) -> None:
        visitor = trip()
        refused(visitor.sign_in(""), visitor, 200)

    @pytest.mark.parametrize("error", sorted(CALLBACK_ERRORS - {"access_denied"}))
    def test_or_is_sent_back_with_another_error_reads_one_too(self, trip: Trips, error: str) -> None:
        visitor = trip()
        visitor.idp.faults.switch_on("franceconnect", error)
        status = 503 if error in ("server_error", "temporarily_unavailable") else 400
        refused(visitor.browser.get(visitor.sent_back()), visitor, status)

    def test_what_the_provider_says_is_never_repeated(self, trip: Trips) -> None:
        visitor = trip()
        state = visitor.leave().split("state=")[1].split("&")[0]
        answer = visitor.browser.get(
            f"/auth/franceconnect/callback?state={state}&error=%3Cscript%3Eevil&error_description=evil"
        )
        refused(answer, visitor, 400)
        assert "script>evil" not in str([event.details for event in rows(AuditEvent)])


class TestAForgedCallback:
    @pytest.mark.parametrize("fault", BENT_CALLBACKS)
    def test_without_our_state(self, trip: Trips, fault: str) -> None:
        visitor = trip()
        visitor.idp.faults.switch_on("franceconnect", fault)
        refused(visitor.sign_in(), visitor, 400)

    @pytest.mark.parametrize("query", ["", "?code=x", "?state=x", "?code=x&state=%00", "?code=x&state=é%ff"])
    def test_from_nowhere(self, trip: Trips, query: str) -> None:
        visitor = trip()
        refused(visitor.browser.get(f"/auth/franceconnect/callback{query}"), visitor, 400)

    def test_with_a_state_already_used(self, trip: Trips) -> None:
        visitor = trip()
        callback = visitor.callback("")
        visitor.browser.get(callback)
        refused(visitor.browser.get(callback), visitor, 400)

    def test_with_a_state_older_than_ten_minutes(self, trip: Trips) -> None:
        visitor = trip()
        callback = visitor.callback()
        with prepared():
            for attempt in db.session.scalars(select(SignInAttempt)):
                attempt.created_at -= ATTEMPT_LIFE + timedelta(seconds=1)
        refused(visitor.browser.get(callback), visitor, 400)

    def test_of_an_attacker_opened_in_a_victim_s_browser(self, trip: Trips) -> None:
        """Login CSRF: the victim would work, and upload, in the attacker's account."""
        attackers_callback = trip().callback("suzanne")
        victim = trip()
        refused(victim.browser.get(attackers_callback), victim, 400)

    def test_of_an_attacker_opened_by_a_victim_on_their_own_way(self, trip: Trips) -> None:
        attackers_callback = trip().callback("suzanne")
        victim = trip()
        victim.leave()
        refused(victim.browser.get(attackers_callback), victim, 400)

    def test_with_the_state_of_another_provider(self, trip: Trips) -> None:
        """Mix-up: the code of one provider must not reach another."""
        visitor = trip()
        callback = visitor.callback().replace("/franceconnect/", "/prosanteconnect/")
        refused(visitor.browser.get(callback), visitor, 400)

    @pytest.mark.parametrize("name", ["code", "state", "iss"])
    def test_that_says_something_twice(self, trip: Trips, name: str) -> None:
        visitor = trip()
        refused(visitor.browser.get(f"{visitor.callback()}&{name}=evil"), visitor, 400)

    @pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE"])
    def test_by_another_method_is_refused_and_spends_nothing(self, trip: Trips, method: str) -> None:
        visitor = trip()
        callback = visitor.callback()
        parts = urlsplit(callback)
        answer = visitor.browser.open(parts.path, query_string=parts.query, method=method, data=None)
        assert answer.status_code in (400, 405)  # 400: no cross-site token
        assert visitor.browser.get(callback).status_code == 302

    def test_from_another_issuer_never_sends_the_code_anywhere(self, trip: Trips) -> None:
        visitor = trip()
        callback = visitor.callback().replace("franceconnect.demo", "evil.demo")
        refused(visitor.browser.get(callback), visitor, 400)


# What browsers read as another site, or as two headers.
ELSEWHERE = (
    "//evil.exemple.test", "///evil.exemple.test", "/\\evil.exemple.test", "\\\\evil.exemple.test", "https:evil",
    "https://evil.exemple.test", "javascript:alert(1)", "data:text/html,evil", "evil.exemple.test", "//[",
    "/\t/evil.exemple.test", "/ok\r\nSet-Cookie: evil=1", "/\r\n/evil", "/\x00", "/" + "a" * 4000, "?next=/", " //evil",
    "/a\\..\\evil", "http:/evil",
)  # fmt: skip


class TestTheWayOn:
    @pytest.mark.parametrize("wanted", ELSEWHERE)
    def test_never_leads_to_another_site(self, trip: Trips, wanted: str) -> None:
        answer = trip().sign_in(next=wanted)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/")
        assert "evil" not in str(answer.headers)

    @pytest.mark.parametrize("wanted", ["/%2f%2fevil", "/%5cevil", "/@evil", "/;//evil", "/a?b=https://evil"])
    def test_may_hold_what_only_looks_dangerous_and_stays_here(self, trip: Trips, wanted: str) -> None:
        location = trip().sign_in(next=wanted).headers["Location"]
        parts = urlsplit(location)
        assert (parts.scheme, parts.netloc) == ("", "")
        assert location.startswith("/")
        assert not location.startswith("//")

    @pytest.mark.parametrize("wanted", ELSEWHERE)
    def test_is_checked_at_the_door_too(self, trip: Trips, wanted: str) -> None:
        visitor = trip()
        visitor.sign_in()
        answer = visitor.browser.get("/connexion", query_string={"next": wanted})
        assert answer.headers["Location"] == "/"


def test_a_refusal_names_neither_the_person_nor_the_provider_s_words(trip: Trips, app: Flask) -> None:
    visitor = trip()
    visitor.idp.faults.switch_on("franceconnect", "low_acr")
    visitor.sign_in("dominique")
    (event,) = rows(AuditEvent)
    assert set(event.details) == {"provider", "reason", "reference"}
    assert (event.details["provider"], event.details["reason"]) == ("franceconnect", "acr_not_accepted")
    assert (event.actor, event.patient_id) == ("system:auth.sign_in", None)


def test_idp_is_honest_again_after_each_test(provider: RunningIdp) -> None:
    assert not provider.faults.has("franceconnect", "low_acr")
