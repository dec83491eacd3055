"""Pro Santé Connect: how we ask, and the professional it answers with.

Source: ANS documentation and its public examples of userinfo. Every value is a string, "" stands
for absent, and whole branches may be missing: a secretary has no RPPS and no practice.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from stdnum import luhn

from auth.oidc import Provider, SignInRefused, configure
from auth.oidc.claims import needed_claim, text_claim
from auth.proconnect import AgentIdentity

DEFAULTS: Final[Mapping[str, Any]] = {
    "name": "prosanteconnect",
    "signing_alg": "RS256",
    "scopes": ("openid", "scope_all"),
    "acr_values": "eidas1",
    # eidas1 is what one asks for, not what one gets: a CPS card answers eidas3.
    "acr_accepted": ("eidas1", "eidas2", "eidas3"),
    "userinfo_mode": "json",
    "mandatory_claims": ("SubjectNameID", "family_name", "given_name"),
    "pkce": True,
}

# National identifier (IDNPS): one digit for the kind of number, 8 being an RPPS, then the number.
RPPS_PREFIX = "8"
RPPS_LENGTH = 11


@dataclass(frozen=True)
class Activity:
    """One profession exercised in one place; codes of the ANS nomenclatures (NOS).

    exercise_given_name, exercise_family_name: as one is known at work, which may differ from the civil name. sign:
    the name over the door (enseigne commerciale).
    """

    profession: str | None
    category: str | None
    speciality_type: str | None
    speciality: str | None
    role: str | None
    mode: str | None
    sector: str | None
    finess_site: str | None
    finess_legal_entity: str | None
    siret: str | None
    structure_id: str | None
    raison_sociale: str | None
    sign: str | None
    postal_code: str | None
    civility: str | None
    exercise_given_name: str | None
    exercise_family_name: str | None


@dataclass(frozen=True, repr=False)  # a log line must not name a person
class ProfessionalIdentity:
    """Who the professional is. `subject_name_id` outlives a change of `sub`: keep it unique."""

    subject_name_id: str
    rpps: str | None
    family_name: str
    given_name: str
    activities: tuple[Activity, ...]


def provider(**configured: Any) -> Provider:
    """Pro Santé Connect with the operator's settings over our defaults; `ValueError` on nonsense."""
    return configure(DEFAULTS, configured)


def identity_from(claims: Mapping[str, Any]) -> ProfessionalIdentity:
    """The professional; raises `SignInRefused("claim_malformed")` when the shape is not known."""
    subject_name_id = needed_claim(claims, "SubjectNameID")
    return ProfessionalIdentity(
        subject_name_id=subject_name_id,
        rpps=rpps_of(subject_name_id),
        family_name=needed_claim(claims, "family_name"),
        given_name=needed_claim(claims, "given_name"),
        activities=tuple(_activities(claims)),
    )


def agent_from(claims: Mapping[str, Any]) -> AgentIdentity:
    """The same professional at the staff's door: known by their number, since no e-mail comes."""
    identity = identity_from(claims)
    return AgentIdentity(
        uid=identity.subject_name_id,
        email="",
        given_name=identity.given_name,
        usual_name=identity.family_name,
        siret=None,
        idp_id=None,
        subject_name_id=identity.subject_name_id,
    )


def rpps_of(subject_name_id: str) -> str | None:
    """The 11 digits of the RPPS, or None for an identifier of another kind."""
    rpps = subject_name_id.removeprefix(RPPS_PREFIX)
    is_rpps = subject_name_id.startswith(RPPS_PREFIX) and len(rpps) == RPPS_LENGTH
    return rpps if is_rpps and rpps.isascii() and rpps.isdigit() and luhn.is_valid(rpps) else None


def _activities(claims: Mapping[str, Any]) -> Iterator[Activity]:
    practices = _objects(_object(claims, "SubjectRefPro"), "exercices")
    for practice in practices:
        # A profession without a place of work is still a profession.
        for place in _objects(practice, "activities") or [{}]:
            yield _activity(practice, place)


def _activity(practice: Mapping[str, Any], place: Mapping[str, Any]) -> Activity:
    return Activity(
        profession=text_claim(practice, "codeProfession"),
        category=text_claim(practice, "codeCategorieProfessionnelle"),
        speciality_type=text_claim(practice, "codeTypeSavoirFaire"),
        speciality=text_claim(practice, "codeSavoirFaire"),
        role=text_claim(place, "codeRole"),
        mode=text_claim(place, "codeModeExercice"),
        sector=text_claim(place, "codeSecteurDactivite"),
        finess_site=text_claim(place, "numeroFinessSite"),
        finess_legal_entity=text_claim(place, "numeroFinessetablissementJuridique"),
        siret=text_claim(place, "numeroSiretSite"),
        structure_id=text_claim(place, "identifiantTechniqueDeLaStructure"),
        raison_sociale=text_claim(place, "raisonSocialeSite"),
        sign=text_claim(place, "enseigneCommercialeSite"),
        postal_code=text_claim(place, "codePostal"),
        civility=text_claim(practice, "codeCiviliteDexercice"),
        exercise_given_name=text_claim(practice, "prenomDexercice"),
        exercise_family_name=text_claim(practice, "nomDexercice"),
    )


def _object(claims: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = claims.get(name) or {}
    if not isinstance(value, dict):
        raise SignInRefused("claim_malformed")
    return value


def _objects(claims: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = claims.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise SignInRefused("claim_malformed")
    return value
