"""A browser's way to an identity provider and back, through the real application."""

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import requests
from flask.testing import FlaskClient
from pydantic import SecretStr
from werkzeug.test import TestResponse

from auth.demo_idp.audiences import AUDIENCES
from auth.demo_idp.server import RunningIdp
from portal.config import ProviderSettings, SealingProviderSettings

SOMEONE = {
    "franceconnect": "dominique",
    "franceconnect-plus": "dominique",
    "prosanteconnect": "nevelet",
    "proconnect": "administrator",
    "hospital/990000017": "administrator",
    "hospital/990000025": "administrator",
}
HOMES = {"franceconnect": "/", "prosanteconnect": "/pro", "proconnect": "/admin"}


def provider_settings(idp: RunningIdp) -> dict[str, ProviderSettings]:
    """What an operator would declare to use these providers."""
    return {
        name: (SealingProviderSettings if audience.seals else ProviderSettings)(
            discovery_url=idp.discovery_url(name),
            issuer=audience.issuer,
            client_id=idp.config.client_id,
            client_secret=SecretStr(idp.config.client_secret),
        )
        for name, audience in AUDIENCES.items()
        if name != "hospital"
    }


@dataclass
class Trip:
    """One browser and one provider, by the name it has in our addresses."""

    idp: RunningIdp
    browser: FlaskClient
    provider: str

    @property
    def audience(self) -> str:
        """What the demonstration calls this provider, for its faults."""
        return self.provider.partition("/")[0]

    def leave(self, **query: str) -> str:
        """Where the portal sends the browser: the provider's address."""
        left = self.browser.get(f"/auth/{self.provider}/start?{urlencode(query)}")
        assert left.status_code == 302, left.text
        return left.headers["Location"]

    def choose(self, address: str, person: str | None = None) -> str:
        """The callback that the provider sends the browser to, as a path of the portal. `person=""` cancels."""
        back = urlsplit(self.idp.choose(address, SOMEONE[self.provider] if person is None else person))
        return f"{back.path}?{back.query}"

    def sent_back(self) -> str:
        """The callback of a provider that answers at once, without asking who signs in."""
        answer = requests.get(self.leave(), allow_redirects=False, timeout=10)
        back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"

    def callback(self, person: str | None = None, **query: str) -> str:
        return self.choose(self.leave(**query), person)

    def sign_in(self, person: str | None = None, **query: str) -> TestResponse:
        """The portal's answer to the callback."""
        return self.browser.get(self.callback(person, **query))

    @property
    def is_signed_in(self) -> bool:
        """Whether this browser's account page opens; false for other audiences' accounts, which have none."""
        return self.browser.get("/mon-compte").status_code == 200

    @property
    def token(self) -> str:
        """The session cookie's value, "" without a session."""
        cookie = self.browser.get_cookie("parvis_session")
        return cookie.value if cookie else ""
