"""The identity providers this instance knows, each with its audience and how its claims become a person."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app

from auth import franceconnect, proconnect, prosanteconnect
from auth.oidc import Client, Provider
from portal.config import ConfigurationError, ProviderSettings, Settings


@dataclass(frozen=True)
class Door:
    """One provider as a door: who comes through it, its name on the button, and its client."""

    name: str
    audience: str
    label: str
    client: Client
    identity_from: Callable[[Mapping[str, Any]], Any]


_KNOWN: Mapping[str, tuple[str, str, Callable[..., Provider], Callable[[Mapping[str, Any]], Any]]] = {
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
            doors[name] = Door(name, audience, label, client, identity_from)
    return doors


def door(name: str) -> Door | None:
    found: Door | None = current_app.extensions["parvis.doors"].get(name)
    return found


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
        "redirect_uri": f"{settings.base_url}/auth/{name}/callback",
        "post_logout_redirect_uri": f"{settings.base_url}/auth/{name}/logout-callback",
        "allow_loopback_http": settings.env in ("demo", "test", "development"),
    }
