"""FranceConnect+: FranceConnect at the eIDAS substantial level, and its answers sealed for us alone.

Source: the provider's partner documentation and public code. Unlike FranceConnect, the identity is
the one that the person's own provider holds; what INSEE (RNIPP) holds comes beside it, only when
asked, and only tells names apart here. A European comes through the eIDAS node, with less.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from auth.franceconnect import ASKS_AMR, COG, SEXES, PivotIdentity, completed_day, raw_day
from auth.oidc import Provider, SignInRefused, configure
from auth.oidc.claims import needed_claim, text_claim

# The single scopes and no alias: an alias of RNIPP's would bring a second identity to store.
# rnipp_given_name_array: given_name_array does not exist here, and given_name alone does not say
# where a first name in two words ends.
DEFAULTS: Final[Mapping[str, Any]] = {
    "name": "franceconnect-plus",
    "signing_alg": "ES256",
    "scopes": ("openid", "identite_pivot", "preferred_username", "email", "rnipp_given_name_array"),
    # Without it FranceConnect+ asks for eidas3, which almost nobody has.
    "acr_values": "eidas2",
    "acr_accepted": ("eidas2", "eidas3"),
    "userinfo_mode": "jwe",
    "authorization_params": ASKS_AMR,
    # A European may have neither sex nor country of birth, nor a place that INSEE has numbered.
    "mandatory_claims": ("family_name", "given_name", "birthdate"),
    "callback_iss_required": True,
    # PKCE stays off: an unknown parameter is refused (Y030007), as at FranceConnect.
    "pkce": False,
}


def provider(**configured: Any) -> Provider:
    """FranceConnect+ with the operator's settings over our defaults; `ValueError` on nonsense."""
    return configure(DEFAULTS, configured)


def identity_from(claims: Mapping[str, Any]) -> PivotIdentity:
    """The patient's identity; raises `SignInRefused("claim_malformed")` on what no one can be."""
    born, place = needed_claim(claims, "birthdate"), text_claim(claims, "birthplace") or ""
    return PivotIdentity(
        birth_name=needed_claim(claims, "family_name"),
        used_name=text_claim(claims, "preferred_username"),
        first_names=_first_names(claims),
        birth_on=completed_day(born),
        birth_on_raw=raw_day(born),
        sex=_sex(claims),
        birthplace_insee=place if COG.fullmatch(place) else "",
        birthplace_text="" if COG.fullmatch(place) else place,
        birthcountry_insee=text_claim(claims, "birthcountry") or "",
        email=text_claim(claims, "email"),
    )


def _first_names(claims: Mapping[str, Any]) -> tuple[str, ...]:
    words = needed_claim(claims, "given_name").split()
    listed = claims.get("rnipp_given_name_array")
    if isinstance(listed, list) and all(isinstance(name, str) and name.strip() for name in listed):
        return _gathered(words, listed)
    return tuple(words)


def _gathered(words: Sequence[str], listed: Sequence[str]) -> tuple[str, ...]:
    """The person's own words, cut where INSEE cuts them: ("Jean", "Marie", "Luc") is ("Jean Marie", "Luc").

    Left word by word when the two do not say the same: INSEE's is not the identity that was proven.
    """
    if _plain(words) != _plain(" ".join(listed).split()):
        return tuple(words)
    names, rest = [], list(words)
    for name in listed:
        size = len(name.split())
        names.append(" ".join(rest[:size]))
        rest = rest[size:]
    return tuple(names)


def _plain(words: Sequence[str]) -> list[str]:
    text = unicodedata.normalize("NFKD", "\n".join(words).casefold())
    return "".join(letter for letter in text if not unicodedata.combining(letter)).split("\n")


def _sex(claims: Mapping[str, Any]) -> Literal["F", "M", ""]:
    told = text_claim(claims, "gender")
    if told in (None, "unspecified"):
        return ""
    try:
        return SEXES[str(told)]
    except KeyError as error:
        raise SignInRefused("claim_malformed") from error
