"""A demonstration provider, our client of it, and a browser between the two."""

import time
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from auth import franceconnect, franceconnect_plus, hospital_oidc, proconnect, prosanteconnect
from auth.demo_idp.audiences import AUDIENCES
from auth.demo_idp.server import RunningIdp
from auth.oidc import Attempt, Client, EncryptionKeys, Provider, SignIn, SignInFailed, new_attempt

PORTAL = "http://127.0.0.1:8000"
MODULES: dict[str, ModuleType] = {
    "franceconnect": franceconnect,
    "franceconnect-plus": franceconnect_plus,
    "prosanteconnect": prosanteconnect,
    "proconnect": proconnect,
    "hospital": hospital_oidc,
}
SOMEONE = {
    "franceconnect": "dominique",
    "franceconnect-plus": "dominique",
    "prosanteconnect": "nevelet",
    "proconnect": "administrator",
    "hospital": "administrator",
}
KEYS = EncryptionKeys.derived("what the portal of these tests keeps for itself")


class Clock:
    """A clock that a test may move; shared by the provider and by us unless told otherwise."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Door:
    """A provider, our client of it, and a browser between the two."""

    idp: RunningIdp
    name: str
    clock: Clock
    client: Client

    def callback(self, attempt: Attempt, person: str | None = None) -> dict[str, str]:
        """What comes back in the URL after choosing `person` ("" cancels)."""
        url = self.client.authorization_url(attempt.state, attempt.nonce, attempt.code_verifier)
        query = urlsplit(self.idp.choose(url, SOMEONE[self.name] if person is None else person)).query
        return {name: values[0] for name, values in parse_qs(query).items()}

    def sign_in(self, person: str | None = None) -> SignIn:
        attempt = new_attempt()
        answer = self.callback(attempt, person)
        return self.client.exchange(answer["code"], attempt.nonce, attempt.code_verifier, answer.get("iss"))

    def refusal(self, *faults: str) -> SignInFailed:
        """The fact a sign-in ends with when the provider is wrong in these ways."""
        self.idp.faults.switch_on(self.name, *faults)
        with pytest.raises(SignInFailed) as refused:
            self.sign_in()
        return refused.value


def provider_of(idp: RunningIdp, name: str, **settings: Any) -> Provider:
    door_path = AUDIENCES[name].callbacks[0]
    configured = {
        "discovery_url": idp.discovery_url(name),
        "issuer": AUDIENCES[name].issuer,
        "client_id": idp.config.client_id,
        "client_secret": idp.config.client_secret,
        "redirect_uri": f"{PORTAL}/auth/{door_path}/callback",
        "post_logout_redirect_uri": f"{PORTAL}/auth/{door_path}/logout-callback",
        "encryption_keys": KEYS if AUDIENCES[name].seals else None,
        "allow_loopback_http": True,
        "timeout": 2.0,
        # A Keycloak whose administrator numbered the levels of authentication.
        **({"proof_claim": "acr", "acr_accepted": ("2",)} if name == "hospital" else {}),
    }
    provider: Provider = MODULES[name].provider(**{**configured, **settings})
    return provider


def door(idp: RunningIdp, clock: Clock, name: str, **settings: Any) -> Door:
    return Door(idp, name, clock, Client(provider_of(idp, name, **settings), now=clock))
