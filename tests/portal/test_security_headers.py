"""What every answer carries, whoever asks and whatever happens."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient

from auth import guards
from portal.web.security import form_targets
from tests.factories import people
from tests.ground import prepared

bank = guards.public(Blueprint("bank", __name__, url_prefix="/bank"))


@bank.get("/pay")
def pay() -> str:
    form_targets("https://bank.exemple.test")
    return "a form that leads to the bank"


def policy(answer: Any) -> dict[str, str]:
    """directive → sources."""
    parts = (part.strip().partition(" ") for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: sources for name, _space, sources in parts}


@pytest.mark.parametrize("path", ["/", "/connexion", "/nothing-here", "/mon-compte", "/status/live", "/deconnexion"])
class TestEveryAnswer:
    def test_forbids_what_it_does_not_need(self, client: FlaskClient, path: str) -> None:
        rules = policy(client.get(path))
        assert rules["default-src"] == rules["object-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
        assert rules["form-action"] == "'self'"
        assert (rules["require-trusted-types-for"], rules["trusted-types"]) == ("'script'", "'none'")
        assert "unsafe" not in str(rules)
        assert "http" not in str(rules)

    def test_is_not_kept_by_browsers_and_proxies(self, client: FlaskClient, path: str) -> None:
        headers = client.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert "Cookie" in headers["Vary"]

    def test_is_not_guessed_framed_or_told_to_others(self, client: FlaskClient, path: str) -> None:
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]
        assert "Server" not in headers or "Python" not in headers["Server"]

    def test_asks_for_https_on_https_alone(self, client: FlaskClient, path: str) -> None:
        assert "Strict-Transport-Security" not in client.get(path).headers
        secure = client.get(path, base_url="https://localhost").headers
        assert "max-age=31536000" in secure["Strict-Transport-Security"]


class TestScripts:
    def test_run_with_a_nonce_that_serves_once(self, client: FlaskClient) -> None:
        nonces = {policy(client.get("/"))["script-src"] for _ in range(3)}
        assert len(nonces) == 3
        assert all("'nonce-" in sources for sources in nonces)

    def test_of_a_style_attribute_never_run(self, client: FlaskClient) -> None:
        assert policy(client.get("/"))["style-src"] == "'self'"


class TestAForm:
    def test_may_lead_to_a_bank_on_its_own_page_only(self, make_app: Callable[..., Flask]) -> None:
        browser = make_app(bank).test_client()
        assert policy(browser.get("/bank/pay", check=False))["form-action"] == "'self' https://bank.exemple.test"  # type: ignore[call-arg]  # our own client takes `check`
        assert policy(browser.get("/"))["form-action"] == "'self'"

    @pytest.mark.parametrize("token", ["", "forged", "a.b.c"])
    def test_of_another_site_is_refused(self, sign_in: Any, token: str) -> None:
        with prepared():
            account, _ = people.patient_with_account()
        browser = sign_in(account)
        answer = browser.post("/mon-compte/agir-pour", data={"csrf_token": token, "patient_id": "x"})
        assert answer.status_code == 400

    def test_of_another_visitor_is_refused(self, app: Flask, sign_in: Any) -> None:
        with prepared():
            account, _ = people.patient_with_account()
        stolen = app.test_client().csrf_token()  # type: ignore[attr-defined]  # a client of our own pages
        answer = sign_in(account).post("/mon-compte/agir-pour", data={"csrf_token": stolen, "patient_id": "x"})
        assert answer.status_code == 400


class TestCookies:
    def test_are_for_us_alone(self, client: FlaskClient) -> None:
        for cookie in client.get("/connexion?lang=en").headers.getlist("Set-Cookie"):
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie
            assert "Domain" not in cookie

    def test_are_secure_when_the_portal_is_on_https(self, make_app: Callable[..., Flask]) -> None:
        browser = make_app(base_url="https://portail.exemple.test").test_client()
        cookies = browser.get("/?lang=en").headers.getlist("Set-Cookie")
        assert cookies
        assert all("Secure" in cookie for cookie in cookies)


class TestAProxy:
    def test_is_not_believed_unless_we_were_told_of_it(self, client: FlaskClient) -> None:
        forged = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.0.0.1", "X-Forwarded-Host": "evil.exemple.test",
                  "Host": "evil.exemple.test"}  # fmt: skip
        answer = client.get("/.well-known/security.txt", headers=forged)
        assert "Strict-Transport-Security" not in answer.headers
        assert "evil" not in answer.text

    def test_is_believed_as_many_times_as_we_were_told(self, make_app: Callable[..., Flask]) -> None:
        browser = make_app(trusted_proxies=1).test_client()
        answer = browser.get("/status/live", headers={"X-Forwarded-Proto": "https"})
        assert "Strict-Transport-Security" in answer.headers


class TestMetrics:
    def test_are_for_this_machine(self, client: FlaskClient) -> None:
        assert client.get("/status/metrics").status_code == 200
        stranger = {"REMOTE_ADDR": "10.0.0.1"}
        assert client.get("/status/metrics", environ_base=stranger).status_code == 404

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
    def test_are_not_for_whoever_comes_through_a_proxy_on_this_machine(self, client: FlaskClient, header: str) -> None:
        assert client.get("/status/metrics", headers={header: "10.0.0.1"}).status_code == 404

    @pytest.mark.parametrize("token", ["", "Bearer ", "Bearer wrong", "Bearer \u00e9"])
    def test_are_not_for_a_wrong_token(self, make_app: Callable[..., Flask], token: str) -> None:
        from pydantic import SecretStr

        browser = make_app(metrics_token=SecretStr("the metrics token")).test_client()
        stranger = {"REMOTE_ADDR": "10.0.0.1"}
        answer = browser.get("/status/metrics", environ_base=stranger, headers={"Authorization": token})
        assert answer.status_code == 404
        right = browser.get(
            "/status/metrics", environ_base=stranger, headers={"Authorization": "Bearer the metrics token"}
        )
        assert right.status_code == 200


class TestTheCookieOfForms:
    """It holds the token that proves that a form is ours."""

    def test_is_bound_to_the_host_when_the_portal_is_on_https(self, make_app: Callable[..., Flask]) -> None:
        browser = make_app(base_url="https://portail.exemple.test", env="development").test_client()
        (cookie,) = browser.get("/_ui", base_url="https://localhost").headers.getlist("Set-Cookie")
        assert cookie.startswith("__Host-parvis_form=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
