"""The rules of each provider, as data: what it requires, signs, and how long things live.

Issuers are constant fictional names while endpoints live on the loopback: an account is keyed by
issuer and subject, so it survives a change of port, and it can never match a real provider's.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from auth.demo_idp.agents import AGENTS, DIRECTORY
from auth.demo_idp.people import HOSPITAL_FINESS, PATIENTS, PATIENTS_PLUS, Person
from auth.demo_idp.practitioners import PROFESSIONALS

PIVOT_CLAIMS = (
    "given_name",
    "given_name_array",
    "family_name",
    "birthdate",
    "gender",
    "birthplace",
    "birthcountry",
)
BASE_PARAMETERS = frozenset(
    {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "acr_values",
        "claims",
        "prompt",
    }
)


@dataclass(frozen=True, kw_only=True)
class Audience:
    """One provider of the demonstration. Lengths in characters, durations in seconds.

    `parameters` are those the authorization endpoint knows; None: it ignores the others. `doors` are
    the portal's callbacks, under /auth/. `seals`: id_token and userinfo are encrypted for the portal.
    `tells_all_in_id_token`: who the person is, and amr without being asked, as Keycloak does.
    """

    name: str
    title: str
    question: str
    issuer: str
    signing_alg: str
    people: tuple[Person, ...]
    scopes: Mapping[str, tuple[str, ...]]
    acr_values: tuple[str, ...]
    userinfo_signed: bool
    parameters: frozenset[str] | None = None
    min_state_length: int = 1
    min_nonce_length: int = 0
    acr_values_required: bool = False
    tells_issuer: bool = False
    seals: bool = False
    tells_all_in_id_token: bool = False
    doors: tuple[str, ...] = ()
    accepts_pkce: bool = True
    auth_methods: tuple[str, ...] = ("client_secret_post", "client_secret_basic")
    code_seconds: int = 30
    access_token_seconds: int = 60
    id_token_seconds: int = 60

    @property
    def callbacks(self) -> tuple[str, ...]:
        """The paths under /auth/ where people come back."""
        return self.doors or (self.name,)

    def person(self, key: str | None) -> Person | None:
        return next((person for person in self.people if person.key == key), None)

    def claims_of(self, person: Person, scopes: frozenset[str]) -> dict[str, object]:
        """What the granted scopes let the service know about this person."""
        names = {name for scope in scopes for name in self.scopes[scope]}
        return {name: value for name, value in person.claims.items() if name in names or "*" in names}


FRANCECONNECT = Audience(
    name="franceconnect",
    title="FranceConnect de démonstration",
    question="Qui se connecte ?",
    issuer="https://franceconnect.demo.parvis.test/api/v2",
    signing_alg="ES256",
    people=PATIENTS,
    scopes={
        "openid": (),
        "identite_pivot": PIVOT_CLAIMS,
        "profile": (*PIVOT_CLAIMS[:5], "preferred_username"),
        "birth": ("birthplace", "birthcountry"),
        **{name: (name,) for name in (*PIVOT_CLAIMS, "preferred_username", "email", "idp_birthdate")},
    },
    acr_values=("eidas1",),
    userinfo_signed=True,
    parameters=BASE_PARAMETERS | {"idp_hint", "ui_locales"},
    min_nonce_length=22,
    min_state_length=22,
    acr_values_required=True,
    tells_issuer=True,
    accepts_pkce=False,
    auth_methods=("client_secret_post",),
)

# No given_name_array here: the names of FranceConnect+ are those of the person's own provider.
PIVOT_CLAIMS_PLUS = tuple(name for name in PIVOT_CLAIMS if name != "given_name_array")

FRANCECONNECT_PLUS = Audience(
    name="franceconnect-plus",
    title="FranceConnect+ de démonstration",
    question="Qui se connecte, avec une identité vérifiée ?",
    issuer="https://franceconnect-plus.demo.parvis.test/api/v2",
    signing_alg="ES256",
    people=PATIENTS_PLUS,
    scopes={
        "openid": (),
        "identite_pivot": PIVOT_CLAIMS_PLUS,
        "profile": (*PIVOT_CLAIMS_PLUS[:4], "preferred_username"),
        "birth": ("birthplace", "birthcountry"),
        **{name: (name,) for name in (*PIVOT_CLAIMS_PLUS, "preferred_username", "email", "rnipp_given_name_array")},
    },
    acr_values=("eidas2", "eidas3"),
    userinfo_signed=True,
    parameters=BASE_PARAMETERS | {"idp_hint", "ui_locales"},
    min_nonce_length=22,
    min_state_length=22,
    acr_values_required=True,
    tells_issuer=True,
    seals=True,
    accepts_pkce=False,
    auth_methods=("client_secret_post",),
)

PROSANTECONNECT = Audience(
    name="prosanteconnect",
    title="Pro Santé Connect de démonstration",
    question="Quel professionnel se connecte ?",
    issuer="https://prosanteconnect.demo.parvis.test/auth/realms/esante-wallet",
    signing_alg="RS256",
    people=PROFESSIONALS,
    scopes={"openid": (), "scope_all": ("*",)},
    acr_values=("eidas1",),
    userinfo_signed=False,
    code_seconds=60,
    access_token_seconds=120,
    id_token_seconds=120,
)

PROCONNECT = Audience(
    name="proconnect",
    title="ProConnect de démonstration",
    question="Quel agent se connecte ?",
    issuer="https://proconnect.demo.parvis.test/api/v2",
    signing_alg="RS256",
    people=AGENTS,
    scopes={
        "openid": (),
        **{name: (name,) for name in ("given_name", "usual_name", "email", "uid", "siret", "idp_id")},
    },
    acr_values=(
        "eidas1",
        "eidas1-mfa",
        "eidas2",
        "eidas3",
        "https://proconnect.gouv.fr/assurance/self-asserted-2fa",
        "https://proconnect.gouv.fr/assurance/consistency-checked-2fa",
    ),
    userinfo_signed=True,
    min_state_length=32,
    min_nonce_length=32,
)

# One hospital's own directory behind a Keycloak; both hospitals of the group use it.
HOSPITAL = Audience(
    name="hospital",
    title="Compte hospitalier de démonstration",
    question="Quel agent se connecte ?",
    issuer="https://comptes.hopital.demo.parvis.test/realms/agents",
    signing_alg="RS256",
    people=DIRECTORY,
    scopes={"openid": (), "profile": ("preferred_username", "given_name", "family_name"), "email": ("email",)},
    acr_values=("1", "2"),
    userinfo_signed=False,
    tells_all_in_id_token=True,
    doors=tuple(f"hospital/{finess}" for finess in HOSPITAL_FINESS),
    id_token_seconds=300,
)

AUDIENCES = {
    audience.name: audience for audience in (FRANCECONNECT, FRANCECONNECT_PLUS, PROSANTECONNECT, PROCONNECT, HOSPITAL)
}
