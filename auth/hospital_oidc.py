"""A hospital's own OpenID provider (Keycloak, ADFS, Entra): how we ask, and the agent it answers with.

Each names things its own way: ADFS tells only `sub` in its userinfo and the rest in the id_token, Entra gives no acr
and often no given name, Keycloak has the claims its administrator mapped. Which claim proves two factors, and with
which values, is the hospital's to say (`auth.hospital_providers`).
"""

from collections.abc import Mapping
from typing import Any, Final

from auth.oidc import Provider, SignInRefused, configure
from auth.oidc.claims import text_claim
from auth.proconnect import AgentIdentity

DEFAULTS: Final[Mapping[str, Any]] = {
    "name": "hospital",
    "signing_alg": "RS256",
    "scopes": ("openid", "profile", "email"),
    "acr_values": "",
    # RFC 8176: several factors were used, or a one-time code, or a key of hardware or software.
    "acr_accepted": ("mfa", "otp", "hwk", "swk"),
    "proof_claim": "amr",
    "userinfo_mode": "json",
    "id_token_identifies": True,
    "pkce": True,
    # Administrators typed where it is, and it says itself where its other addresses are.
    "is_confined": True,
}


def provider(**configured: Any) -> Provider:
    """A hospital's provider with its settings over our defaults; `ValueError` on nonsense."""
    return configure(DEFAULTS, configured)


def identity_from(claims: Mapping[str, Any]) -> AgentIdentity:
    """The agent; raises `SignInRefused("claim_missing")` without any e-mail to know them by."""
    login = text_claim(claims, "preferred_username") or text_claim(claims, "upn") or ""
    email = text_claim(claims, "email") or login
    if "@" not in email:
        raise SignInRefused("claim_missing")
    given, family = _names(claims, email)
    return AgentIdentity(uid=login or email, email=email, given_name=given, usual_name=family, siret=None, idp_id=None)


def _names(claims: Mapping[str, Any], email: str) -> tuple[str, str]:
    """Given name and family name, or the whole name, or at worst what stands before the @."""
    given, family = text_claim(claims, "given_name") or "", text_claim(claims, "family_name") or ""
    if given and family:
        return given, family
    return given, family or text_claim(claims, "name") or email.partition("@")[0]
