"""FranceConnect v2: how we ask, and the patient's identity it answers with.

Sources: the provider's partner documentation and public code. The identity is the one held by
INSEE (RNIPP), so its strings are kept to the letter: an INS search compares hyphens.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from auth.oidc import Provider, SignInRefused, configure
from auth.oidc.claims import needed_claim, text_claim

SEXES: Final[Mapping[str, Literal["F", "M"]]] = {"female": "F", "male": "M"}
# INSEE's code of a commune (2A004 in Corsica); a European's place of birth is a sentence.
COG: Final = re.compile(r"\d[\dAB]\d{3}")
_DAY: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})")

# The national rules (RIE v2) end it on a day that an operator may change; hospitals are told a year ahead.
TOLD_DAYS_AHEAD: Final = 366

# Without asking, no amr comes, and we could not tell a password from two factors.
ASKS_AMR: Final = {"claims": json.dumps({"id_token": {"amr": {"essential": True}}})}

# identite_pivot: birth name, given names, birth date, sex, birth place and country.
# preferred_username: the name of use. idp_birthdate: the birth date before its unknown day or month
# is completed with 01. No other scope: FranceConnect shows each one to the person.
DEFAULTS: Final[Mapping[str, Any]] = {
    "name": "franceconnect",
    "signing_alg": "ES256",
    "scopes": ("openid", "identite_pivot", "preferred_username", "email", "idp_birthdate"),
    "acr_values": "eidas1",
    "acr_accepted": ("eidas1", "eidas2", "eidas3"),
    "userinfo_mode": "jwt",
    "authorization_params": ASKS_AMR,
    "mandatory_claims": ("family_name", "given_name", "birthdate", "gender", "birthcountry"),
    "callback_iss_required": True,
    # PKCE stays off: FranceConnect refuses (Y030007) any parameter it does not list.
    "pkce": False,
}


@dataclass(frozen=True, repr=False)  # a log line must not name a person
class PivotIdentity:
    """The civil identity at birth, verbatim.

    `birth_on_raw` is the birth date as the person's own provider holds it, "1992-00-00" when day and
    month are unknown (`birth_on` then has 01), "" when it was not told. `birthplace_insee` is "" for
    one born abroad; `birthplace_text` is a European's place of birth, which has no INSEE code. `sex`
    and `birthcountry_insee` are "" only for a European.
    """

    birth_name: str
    used_name: str | None
    first_names: tuple[str, ...]
    birth_on: date
    birth_on_raw: str
    sex: Literal["F", "M", ""]
    birthplace_insee: str
    birthplace_text: str
    birthcountry_insee: str
    email: str | None


def provider(**configured: Any) -> Provider:
    """FranceConnect with the operator's settings over our defaults; `ValueError` on nonsense."""
    return configure(DEFAULTS, configured)


def has_second_factor(amr: tuple[str, ...]) -> bool:
    """Whether the person proved two things. ("pwd", "mail") is one: the mail is not a factor."""
    return "mfa" in amr


def days_left(ends_on: date, today: date) -> int | None:
    """Days of plain FranceConnect that remain for health services, 0 afterwards; None more than a year ahead."""
    left = max(0, (ends_on - today).days + 1)
    return left if left <= TOLD_DAYS_AHEAD else None


def identity_from(claims: Mapping[str, Any]) -> PivotIdentity:
    """The patient's identity; raises `SignInRefused("claim_malformed")` on what no one can be."""
    born = needed_claim(claims, "birthdate")
    return PivotIdentity(
        birth_name=needed_claim(claims, "family_name"),
        used_name=text_claim(claims, "preferred_username"),
        first_names=_first_names(claims),
        birth_on=completed_day(born),
        birth_on_raw=raw_day(text_claim(claims, "idp_birthdate") or ""),
        sex=_sex(claims),
        birthplace_insee=text_claim(claims, "birthplace") or "",
        birthplace_text="",
        birthcountry_insee=needed_claim(claims, "birthcountry"),
        email=text_claim(claims, "email"),
    )


def completed_day(born: str) -> date:
    """The day of birth, an unknown day or month completed with 01 as FranceConnect does."""
    try:
        return date.fromisoformat(born.replace("-00", "-01") if raw_day(born) else born)
    except ValueError as error:
        raise SignInRefused("claim_malformed") from error


def raw_day(born: str) -> str:
    """`born` to the letter when it has the shape of a day, "00" standing for the unknown; "" otherwise."""
    return born if _DAY.fullmatch(born) and born.isascii() else ""


def _first_names(claims: Mapping[str, Any]) -> tuple[str, ...]:
    # A first name may hold a space ("JEAN MARIE"), so the list is worth more than the sentence.
    listed = claims.get("given_name_array")
    if isinstance(listed, list) and listed:
        return tuple(needed_claim({"given_name": name}, "given_name") for name in listed)
    return tuple(needed_claim(claims, "given_name").split())


def _sex(claims: Mapping[str, Any]) -> Literal["F", "M"]:
    try:
        return SEXES[needed_claim(claims, "gender")]
    except KeyError as error:
        raise SignInRefused("claim_malformed") from error
