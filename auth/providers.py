"""The identity providers this instance knows, each with its audience and how its claims become a person.

National providers are configured by the environment. A hospital's own provider is a row of its establishment
(`auth.hospital_providers`), and becomes a door of the same shape.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask import current_app

from auth import franceconnect, franceconnect_plus, proconnect, prosanteconnect
from auth.oidc import Client, EncryptionKeys, Provider
from portal.config import ConfigurationError, ProviderSettings, SealingProviderSettings, Settings


@dataclass(frozen=True)
class Door:
    """One provider as a door: who comes through it, its name on the button, and its client.

    `path` is where its pages are: `<path>/start`, `<path>/callback`, `<path>/logout-callback`. `hospital_id` and
    `hospital_name`: of the hospital whose own provider it is.
    """

    name: str
    audience: str
    label: str
    client: Client
    identity_from: Callable[[Mapping[str, Any]], Any]
    path: str = ""
    hospital_id: UUID | None = None
    hospital_name: str = ""


# In the order of the buttons: FranceConnect+ is the one recommended to patients.
_KNOWN: Mapping[str, tuple[str, str, Callable[..., Provider], Callable[[Mapping[str, Any]], Any]]] = {
    "franceconnect-plus": (
        "patient",
        "FranceConnect+",
        franceconnect_plus.provider,
        franceconnect_plus.identity_from,
    ),
    "franceconnect": ("patient", "FranceConnect", franceconnect.provider, franceconnect.identity_from),
    "prosanteconnect": ("professional", "Pro Santé Connect", prosanteconnect.provider, prosanteconnect.identity_from),
    "proconnect": ("staff", "ProConnect", proconnect.provider, proconnect.identity_from),
}


def connect(settings: Settings) -> dict[str, Door]:
    """The doors the environment configures. Raises ConfigurationError on settings that no provider could honour."""
    doors = {}
    for name, (audience, label, provider, identity_from) in _KNOWN.items():
        configured = settings.providers.get(name)
        if configured is not None and configured.enabled:
            try:
                client = Client(provider(**_declared(name, configured, settings)))
            except ValueError as error:
                raise ConfigurationError(f"PORTAL_{name.upper().replace('-', '_')}_*: {error}") from error
            doors[name] = Door(name, audience, label, client, identity_from, f"/auth/{name}")
    return doors


def encryption_keys(settings: Settings) -> EncryptionKeys:
    """Our keys for sealed answers: the configured ones, or one made from the portal's own secret."""
    configured = settings.providers.get("franceconnect-plus")
    text = configured.encryption_keys.get_secret_value() if isinstance(configured, SealingProviderSettings) else ""
    if not text:
        return EncryptionKeys.derived(*settings.secret_keys())
    try:
        return EncryptionKeys.read(text)
    except ValueError as error:
        raise ConfigurationError(f"PORTAL_FRANCECONNECT_PLUS_ENCRYPTION_KEYS: {error}") from error


def door(name: str, audience: str = "") -> Door | None:
    """The door of that name, if it is configured and open to this audience (its own by default).

    Health professionals on staff come through Pro Santé Connect's one registered callback, as staff.
    """
    found: Door | None = current_app.extensions["parvis.doors"].get(name)
    if found is None or audience in ("", found.audience):
        return found
    if (name, audience) == ("prosanteconnect", "staff"):
        return replace(found, audience="staff", identity_from=prosanteconnect.agent_from)
    return None


def everywhere() -> list[Door]:
    """All the national doors that the environment configures."""
    return list(current_app.extensions["parvis.doors"].values())


def doors(audience: str) -> list[Door]:
    """The doors of an audience, in the order their buttons are shown."""
    return [each for each in current_app.extensions["parvis.doors"].values() if each.audience == audience]


def _declared(name: str, configured: ProviderSettings, settings: Settings) -> dict[str, Any]:
    return {
        "discovery_url": configured.discovery_url,
        "issuer": configured.issuer,
        "client_id": configured.client_id,
        "client_secret": configured.client_secret.get_secret_value(),
        "signing_alg": configured.signing_alg,
        "scopes": tuple(configured.scopes.split()),
        "acr_values": configured.acr_values,
        "acr_accepted": tuple(configured.acr_accepted.split()),
        "userinfo_mode": configured.userinfo_mode,
        "token_auth_method": configured.token_auth_method,
        "encryption_keys": encryption_keys(settings) if name == "franceconnect-plus" else None,
        "redirect_uri": f"{settings.base_url}/auth/{name}/callback",
        "post_logout_redirect_uri": f"{settings.base_url}/auth/{name}/logout-callback",
        "allow_loopback_http": settings.env in ("demo", "test", "development"),
    }
