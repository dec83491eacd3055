"""Every way a provider or the network can be wrong, to be switched on by tests alone.

The list comes from what real relying parties have accepted by mistake. Honest code never looks
here: it hands its claims, its callback or its answer to `Faults`, which gives them back untouched
unless a test asked otherwise.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any

from flask import Response

Claims = dict[str, Any]

OTHER = "someone-else"
DAY = 86400
SLOW_SECONDS = 30.0
PROTOCOL_CLAIMS = {"iss", "aud", "iat", "exp", "sub"}

# How an id_token, or a signed userinfo with the prefix "userinfo_", may lie.
TOKEN_FAULTS: dict[str, Callable[[Claims], Claims]] = {
    "wrong_iss": lambda claims: claims | {"iss": "https://evil.exemple.test"},
    "no_iss": lambda claims: _without(claims, "iss"),
    "wrong_aud": lambda claims: claims | {"aud": OTHER},
    "aud_other_azp_ok": lambda claims: claims | {"aud": [OTHER], "azp": claims["aud"]},
    "aud_and_other": lambda claims: claims | {"aud": [claims["aud"], OTHER]},
    "wrong_azp": lambda claims: claims | {"azp": OTHER},
    "no_aud": lambda claims: _without(claims, "aud"),
    "expired": lambda claims: claims | {"exp": claims["iat"] - DAY},
    "expired_60s": lambda claims: claims | {"exp": claims["iat"] - 60},
    "no_exp": lambda claims: _without(claims, "exp"),
    "exp_nan": lambda claims: claims | {"exp": float("nan")},
    "future_iat": lambda claims: claims | {"iat": claims["iat"] + DAY, "exp": claims["exp"] + 2 * DAY},
    "no_iat": lambda claims: _without(claims, "iat"),
    "not_yet_valid": lambda claims: claims | {"nbf": claims["iat"] + DAY},
    "wrong_nonce": lambda claims: claims | {"nonce": "x" * 43},
    "missing_nonce": lambda claims: _without(claims, "nonce"),
    "wrong_at_hash": lambda claims: claims | {"at_hash": "x" * 22},
    "low_acr": lambda claims: claims | {"acr": "eidas0"},
    "no_acr": lambda claims: _without(claims, "acr"),
    "null_amr": lambda claims: claims | {"amr": None},
    "no_sub": lambda claims: _without(claims, "sub"),
    "sub": lambda claims: claims | {"sub": "0" * 64 + "v1"},
    "hostile_sub": lambda claims: claims | {"sub": "a\x00b"},
    "missing_claims": lambda claims: {name: claims[name] for name in PROTOCOL_CLAIMS & set(claims)},
}

# A userinfo has no nonce, no at_hash, no acr, no amr, and may do without iat.
ID_TOKEN_ONLY = frozenset({"no_iat", "wrong_nonce", "missing_nonce", "wrong_at_hash", "low_acr", "no_acr", "null_amr"})

USERINFO_ONLY = frozenset({"missing_claims"})

SIGNATURE_FAULTS = frozenset(
    {
        "alg_none",
        "hs256_public_key",
        "hs256_secret",
        "unknown_kid",
        "no_kid",
        "bad_sig",
        "foreign_key",
        "crit_header",
        "not_claims",
    }
)

# How what should be sealed for us alone is not, or not well; only FranceConnect+ seals.
SEALING_FAULTS = frozenset(
    {
        "not_encrypted",
        "sealed_for_unknown_key",
        "sealed_for_another",
        "sealed_weakly",
        "sealed_compressed",
        "sealed_nothing",
        "sealed_and_cut",
    }
)

# What the authorization endpoint may answer at once, with no person involved.
CALLBACK_ERRORS = frozenset(
    {"access_denied", "invalid_scope", "server_error", "temporarily_unavailable", "strange_error"}
)
CALLBACK_FAULTS: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "mixup_iss": lambda params: params | {"iss": "https://evil.exemple.test"},
    "no_callback_iss": lambda params: {name: value for name, value in params.items() if name != "iss"},
    "wrong_state": lambda params: params | {"state": "x" * 43},
    "no_state": lambda params: {name: value for name, value in params.items() if name != "state"},
    "bare_callback": lambda params: {},
}

ENDPOINTS = ("discovery", "jwks", "token", "userinfo")
TRANSPORT_FAULTS = frozenset({"down", "slow", "drip", "huge", "garbage", "empty", "redirect", "not_an_object"})
OTHER_FAULTS = frozenset(
    {
        "no_id_token",
        "no_access_token",
        "wrong_token_type",
        "replayed_nonce",
        "userinfo_json",
        "discovery_wrong_issuer",
        "discovery_http_endpoint",
        "discovery_no_pkce",
        "discovery_no_logout",
        "jwks_no_keys",
    }
)


def known_faults() -> frozenset[str]:
    """The name of every fault that can be switched on."""
    token = {*TOKEN_FAULTS, *SIGNATURE_FAULTS, *SEALING_FAULTS}
    return frozenset(
        token - USERINFO_ONLY
        | {f"userinfo_{name}" for name in token - ID_TOKEN_ONLY}
        | CALLBACK_ERRORS
        | set(CALLBACK_FAULTS)
        | {f"{endpoint}_{name}" for endpoint in ENDPOINTS for name in TRANSPORT_FAULTS}
        | OTHER_FAULTS
    )


class Faults:
    """The faults switched on now, per audience; `slow_seconds` is how long a slow answer takes."""

    def __init__(self) -> None:
        self._on: dict[str, set[str]] = {}
        self.slow_seconds = SLOW_SECONDS
        self.released = threading.Event()

    def switch_on(self, audience: str, *names: str) -> None:
        """Raises ValueError for a name that is no fault: a test must not pass by a typing error."""
        if unknown := set(names) - known_faults():
            raise ValueError(f"no such fault: {sorted(unknown)}")
        self._on.setdefault(audience, set()).update(names)

    def clear(self) -> None:
        """Everything is honest again, and quick."""
        self._on.clear()
        self.slow_seconds = SLOW_SECONDS

    def has(self, audience: str, name: str) -> bool:
        return name in self._on.get(audience, ())

    def bend_claims(self, audience: str, claims: Claims, prefix: str = "") -> Claims:
        """The claims of a token, bent by the faults in force."""
        for name, bend in TOKEN_FAULTS.items():
            if self.has(audience, prefix + name):
                claims = bend(claims)
        return claims

    def bend_callback(self, audience: str, params: dict[str, str]) -> dict[str, str]:
        """The parameters of a callback, bent by the faults in force."""
        for name, bend in CALLBACK_FAULTS.items():
            if self.has(audience, name):
                params = bend(params)
        return params

    def callback_error(self, audience: str) -> str | None:
        """The error to send back instead of asking who signs in."""
        return next((error for error in sorted(CALLBACK_ERRORS) if self.has(audience, error)), None)

    def signature_fault(self, audience: str, prefix: str = "") -> str | None:
        """How to spoil the next signature."""
        return next((name for name in sorted(SIGNATURE_FAULTS) if self.has(audience, prefix + name)), None)

    def sealing_fault(self, audience: str, prefix: str = "") -> str | None:
        """How to spoil the next encryption."""
        return next((name for name in sorted(SEALING_FAULTS) if self.has(audience, prefix + name)), None)

    def transport(self, audience: str, endpoint: str) -> Response | None:
        """What the network answers instead of `endpoint`, if anything."""
        if self.has(audience, f"{endpoint}_slow"):
            self.released.wait(self.slow_seconds)
        answers: dict[str, Callable[[], Response]] = {
            "down": lambda: Response("oops", status=500),
            "drip": lambda: Response(self._drip(), content_type="application/json"),
            "huge": lambda: Response(b" " * (4 << 20), content_type="application/json"),
            "garbage": lambda: Response("<html>captive portal</html>"),
            "empty": lambda: Response(""),
            "not_an_object": lambda: Response("[]", content_type="application/json"),
            "redirect": lambda: Response(status=302, headers={"Location": "https://evil.exemple.test/"}),
        }
        return next((answers[name]() for name in answers if self.has(audience, f"{endpoint}_{name}")), None)

    def _drip(self) -> Iterator[bytes]:
        # Never silent for long, never finished: each read succeeds, the whole never does.
        while not self.released.wait(0.05):
            yield b" "


def _without(claims: Claims, name: str) -> Claims:
    return {key: value for key, value in claims.items() if key != name}
