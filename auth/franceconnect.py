"""FranceConnect v2: how we ask, and the patient's identity it answers with.

Sources: the provider's partner documentation and public code. The identity is the one held by
INSEE (RNIPP), so its strings are kept to the letter: an INS search compares hyphens.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from auth.oidc import Provider, SignInRefused, configure
from auth.oidc.claims import needed_claim, text_claim

SEXES: Final[Mapping[str, Literal["F", "M"]]] = {"female": "F", "male": "M"}

# identite_pivot: birth name, given names, birth date, sex, birth place and country.
# preferred_username: the name of use. No other scope: FranceConnect shows each one to the person.
DEFAULTS: Final[Mapping[str, Any]] = {
    "name": "franceconnect",
    "signing_alg": "ES256",
    "scopes": ("openid", "identite_pivot", "preferred_username", "email"),
    "acr_values": "eidas1",
    "acr_accepted": ("eidas1", "eidas2", "eidas3"),
    "userinfo_mode": "jwt",
    # Without asking, no amr comes, and we could not tell a password from two factors.
    "authorization_params": {"claims": json.dumps({"id_token": {"amr": {"essential": True}}})},
    "mandatory_claims": ("family_name", "given_name", "birthdate", "gender", "birthcountry"),
    "callback_iss_required": True,
    # PKCE stays off: FranceConnect refuses (Y030007) any parameter it does not list.
    "pkce": False,
}


@dataclass(frozen=True, repr=False)  # a log line must not name a person
class PivotIdentity:
    """The civil identity at birth, verbatim; `birthplace_insee` is "" for one born abroad."""

    birth_name: str
    used_name: str | None
    first_names: tuple[str, ...]
    birth_on: date
    sex: Literal["F", "M"]
    birthplace_insee: str
    birthcountry_insee: str
    email: str | None


def provider(**configured: Any) -> Provider:
    """FranceConnect with the operator's settings over our defaults; `ValueError` on nonsense."""
    return configure(DEFAULTS, configured)


def has_second_factor(amr: tuple[str, ...]) -> bool:
    """Whether the person proved two things. ("pwd", "mail") is one: the mail is not a factor."""
    return "mfa" in amr


def identity_from(claims: Mapping[str, Any]) -> PivotIdentity:
    """The patient's identity; raises `SignInRefused("claim_malformed")` on what no one can be."""
    return PivotIdentity(
        birth_name=needed_claim(claims, "family_name"),
        used_name=text_claim(claims, "preferred_username"),
        first_names=_first_names(claims),
        birth_on=_birth_on(claims),
        sex=_sex(claims),
        birthplace_insee=text_claim(claims, "birthplace") or "",
        birthcountry_insee=needed_claim(claims, "birthcountry"),
        email=text_claim(claims, "email"),
    )


def _first_names(claims: Mapping[str, Any]) -> tuple[str, ...]:
    # A first name may hold a space ("JEAN MARIE"), so the list is worth more than the sentence.
    listed = claims.get("given_name_array")
    if isinstance(listed, list) and listed:
        return tuple(needed_claim({"given_name": name}, "given_name") for name in listed)
    return tuple(needed_claim(claims, "given_name").split())


def _birth_on(claims: Mapping[str, Any]) -> date:
    # An unknown day or month arrives already completed with 01.
    try:
        return date.fromisoformat(needed_claim(claims, "birthdate"))
    except ValueError as error:
        raise SignInRefused("claim_malformed") from error


def _sex(claims: Mapping[str, Any]) -> Literal["F", "M"]:
    try:
        return SEXES[needed_claim(claims, "gender")]
    except KeyError as error:
        raise SignInRefused("claim_malformed") from error
