"""Where the provider's endpoints are, as it publishes them (OpenID Connect Discovery 1.0)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auth.oidc.encryption import CONTENT_ENCRYPTION
from auth.oidc.errors import ProviderUnavailable
from auth.oidc.provider import Provider

NEEDED_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")


@dataclass(frozen=True)
class Discovery:
    """The few lines of a discovery document that we use; `document` is the whole of it."""

    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None
    accepts_pkce: bool
    document: Mapping[str, Any]


def read_discovery(document: Mapping[str, Any], provider: Provider) -> Discovery:
    """The endpoints; raises `ProviderUnavailable` if one is missing or not to be trusted."""
    if document.get("issuer") != provider.issuer:
        raise ProviderUnavailable("discovery_issuer")
    endpoints = {name: document.get(name) for name in NEEDED_ENDPOINTS}
    if not all(provider.trusts_url(url) for url in endpoints.values()):
        raise ProviderUnavailable("discovery_endpoint")
    end_session = document.get("end_session_endpoint")
    return Discovery(
        **{name: str(url) for name, url in endpoints.items()},
        end_session_endpoint=end_session if provider.trusts_url(end_session) else None,
        accepts_pkce="S256" in listed(document, "code_challenge_methods_supported"),
        document=document,
    )


def listed(document: Mapping[str, Any], name: str) -> list[Any]:
    """A list of the document, empty when it is absent or of another type."""
    value = document.get(name)
    return value if isinstance(value, list) else []


def mismatches(discovery: Discovery, provider: Provider) -> list[str]:
    """What the provider publishes that contradicts our configuration, one sentence each.

    A list that the provider does not publish is not held against it.
    """
    wanted = {
        "id_token_signing_alg_values_supported": {provider.signing_alg},
        "scopes_supported": set(provider.scopes),
        "acr_values_supported": set(provider.acr_values.split()),
        "response_types_supported": {"code"},
        "token_endpoint_auth_methods_supported": {provider.token_auth_method},
    }
    if provider.userinfo_mode in ("jwt", "jwe"):
        wanted["userinfo_signing_alg_values_supported"] = {provider.signing_alg}
    if provider.userinfo_mode == "jwe":
        wanted["id_token_encryption_enc_values_supported"] = {CONTENT_ENCRYPTION}
        wanted["userinfo_encryption_enc_values_supported"] = {CONTENT_ENCRYPTION}
    missing = {
        name: sorted(values - set(map(str, listed(discovery.document, name))))
        for name, values in wanted.items()
        if listed(discovery.document, name)
    }
    problems = [f"{name} lacks {', '.join(values)}" for name, values in missing.items() if values]
    return problems + _missing_features(discovery, provider)


def _missing_features(discovery: Discovery, provider: Provider) -> list[str]:
    problems = []
    if provider.pkce and not discovery.accepts_pkce:
        problems.append("PKCE (S256) is not offered: sign-ins go without it")
    if discovery.end_session_endpoint is None:
        problems.append("no end_session_endpoint: signing out will leave the provider's session open")
    return problems
