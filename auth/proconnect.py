"""ProConnect: how we ask, and the hospital agent it answers with.

Source: ProConnect's public documentation. It says who the agent is, never what they may do here:
roles come from our own table, and the siret must be one of the establishment's.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from auth.oidc import Provider, configure
from auth.oidc.claims import needed_claim, text_claim

# Two factors, and an identity that someone has checked: the back-office holds health data. So
# neither eidas1 (a password) nor the "self-asserted" levels (an identity the agent typed).
ACR_ACCEPTED: Final = (
    "eidas1-mfa",
    "eidas2",
    "eidas3",
    "https://proconnect.gouv.fr/assurance/consistency-checked-2fa",
)

DEFAULTS: Final[Mapping[str, Any]] = {
    "name": "proconnect",
    "signing_alg": "RS256",
    "scopes": ("openid", "given_name", "usual_name", "email", "uid", "siret", "idp_id"),
    # The level is asked through `claims`; ProConnect does not use acr_values.
    "acr_values": "",
    "acr_accepted": ACR_ACCEPTED,
    "userinfo_mode": "jwt",
    "mandatory_claims": ("uid", "email", "given_name", "usual_name"),
    "pkce": True,
}


@dataclass(frozen=True, repr=False)  # a log line must not name a person
class AgentIdentity:
    """The agent, from their employer's directory, whose quality varies: `siret` may be absent.

    `email` is "" and `subject_name_id` is filled for a health professional who came by Pro Santé Connect.
    """

    uid: str
    email: str
    given_name: str
    usual_name: str
    siret: str | None
    idp_id: str | None
    subject_name_id: str = ""


def provider(**configured: Any) -> Provider:
    """ProConnect with the operator's settings over our defaults; `ValueError` on nonsense."""
    accepted = configured.get("acr_accepted") or ACR_ACCEPTED
    acr = {"essential": True, "values": list(accepted)}
    request = {"id_token": {"amr": {"essential": True}, "acr": acr}}
    return configure({**DEFAULTS, "authorization_params": {"claims": json.dumps(request)}}, configured)


def identity_from(claims: Mapping[str, Any]) -> AgentIdentity:
    """The agent; raises `SignInRefused("claim_malformed")` when a needed value is not a text."""
    return AgentIdentity(
        uid=needed_claim(claims, "uid"),
        email=needed_claim(claims, "email"),
        given_name=needed_claim(claims, "given_name"),
        usual_name=needed_claim(claims, "usual_name"),
        siret=text_claim(claims, "siret"),
        idp_id=text_claim(claims, "idp_id"),
    )
