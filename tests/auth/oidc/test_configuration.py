"""What an operator may configure, and what `check` tells them about it."""

from dataclasses import replace
from typing import Any

import pytest

from auth.demo_idp.server import RunningIdp
from tests.auth.oidc.doors import Clock, Door, door, provider_of


class TestConfiguration:
    @pytest.mark.parametrize(
        "setting",
        [
            {"signing_alg": "HS256"},
            {"signing_alg": "none"},
            {"scopes": ("profile",)},
            {"discovery_url": "http://fc.exemple.test/.well-known/openid-configuration"},
            {"discovery_url": "not a url"},
            {"allow_loopback_http": False},
            {"discovery_url": "https://127.0.0.1/discovery", "allow_loopback_http": False},
            {"discovery_url": "https://169.254.169.254/discovery", "allow_loopback_http": False},
            {"discovery_url": "https://[::1]/discovery", "allow_loopback_http": False},
            {"discovery_url": "https://fc.localhost./discovery", "allow_loopback_http": False},
            {"discovery_url": "https://[::ffff:127.0.0.1]/discovery", "allow_loopback_http": False},
            {"discovery_url": "https://127.1/discovery", "allow_loopback_http": False},
            {"discovery_url": "https://2130706433/discovery", "allow_loopback_http": False},
            {"discovery_url": "https://0x7f000001/discovery", "allow_loopback_http": False},
            {"discovery_url": "https://[/discovery"},
        ],
    )
    def test_refuses_what_would_let_anyone_in(self, idp: RunningIdp, setting: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="franceconnect: "):
            provider_of(idp, "franceconnect", **setting)

    @pytest.mark.parametrize("setting", [{"acr_accepted": ()}, {"client_secret": ""}, {"issuer": ""}])
    def test_refuses_to_exist_without(self, idp: RunningIdp, setting: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="needed"):
            replace(provider_of(idp, "franceconnect"), **setting)

    def test_an_empty_setting_keeps_our_default(self, idp: RunningIdp) -> None:
        assert provider_of(idp, "franceconnect", signing_alg="", scopes=(), acr_values=None) == provider_of(
            idp, "franceconnect"
        )

    def test_check_says_one_thing_at_a_time(self, verified_patients: Door) -> None:
        found = [(finding.what, finding.trouble) for finding in verified_patients.client.examine()]
        assert found == [("discovery", ""), ("keys", ""), ("clock", ""), ("encryption keys (1)", "")]

    @pytest.mark.parametrize(("seconds", "word"), [(60, "ahead of"), (-60, "behind")])
    def test_check_sees_a_clock_that_drifts(self, idp: RunningIdp, seconds: float, word: str) -> None:
        ours = Clock()
        ours.ahead = seconds
        (problem,) = door(idp, ours, "franceconnect").client.check()
        assert f"s {word} the provider's" in problem

    def test_check_is_silent_when_all_agrees(self, any_door: Door) -> None:
        assert any_door.client.check() == []

    @pytest.mark.parametrize(
        ("settings", "fault", "problem"),
        [
            ({"signing_alg": "RS256"}, None, "no usable RS256 key"),
            ({"signing_alg": "RS256"}, None, "id_token_signing_alg_values_supported lacks RS256"),
            ({"scopes": ("openid", "cnam_paiements_ij")}, None, "scopes_supported lacks cnam_paiements_ij"),
            ({"acr_values": "eidas3"}, None, "acr_values_supported lacks eidas3"),
            (
                {"token_auth_method": "client_secret_basic"},
                None,
                "auth_methods_supported lacks client_secret_basic",
            ),
            ({"pkce": True}, None, "PKCE"),
            ({}, "discovery_no_logout", "end_session_endpoint"),
            ({}, "jwks_no_keys", "no usable ES256 key"),
            ({}, "discovery_wrong_issuer", "discovery_issuer"),
            ({}, "discovery_http_endpoint", "discovery_endpoint"),
            ({}, "discovery_down", "answer_not_ok"),
            ({}, "jwks_garbage", "answer_unreadable"),
        ],
    )
    def test_check_tells_what_does_not(
        self, idp: RunningIdp, clock: Clock, settings: dict[str, Any], fault: str | None, problem: str
    ) -> None:
        idp.faults.switch_on("franceconnect", *filter(None, [fault]))

        problems = door(idp, clock, "franceconnect", **settings).client.check()
        assert any(problem in told for told in problems), problems
