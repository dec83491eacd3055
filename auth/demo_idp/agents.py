"""The fictional agents of the hospitals, as ProConnect and as the hospitals' own directory know them."""

import hashlib
import unicodedata
import uuid

from auth.demo_idp.people import AGENTS_IDP_ID, HOSPITAL_SIRETS, Person


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _agent(
    key: str,
    story: str,
    given_name: str,
    usual_name: str,
    *,
    siret: str = HOSPITAL_SIRETS[0],
    acr: str = "https://proconnect.gouv.fr/assurance/consistency-checked-2fa",
) -> Person:
    email = _ascii(f"{given_name}.{usual_name}@hopital.exemple.test".lower())
    claims = {
        "uid": f"demo-{key}",
        "email": email,
        "given_name": given_name,
        "usual_name": usual_name,
        "siret": siret,
        "idp_id": AGENTS_IDP_ID,
    }
    amr = ("pwd", "mfa") if acr.endswith("2fa") else ("pwd",)
    subject = hashlib.sha256(f"parvis-demo/agent/{key}".encode()).hexdigest()
    return Person(key, f"{given_name} {usual_name}", story, subject, acr, amr, claims)


AGENTS = (
    _agent("admissions-clerk", "Agente des admissions : pré-admissions.", "Nadège", "Forvil"),
    _agent("appointments-agent", "Agent du standard : rendez-vous.", "Bruno", "Castelain"),
    _agent("billing-agent", "Agente des frais de séjour : factures.", "Odile", "Maresquier"),
    _agent("medical-secretary", "Secrétaire médicale : documents.", "Inès", "Tavernoy"),
    _agent("administrator", "Administrateur du portail.", "Hugo", "Delsarte"),
    _agent(
        "unknown-agent",
        "Agent d’un autre employeur, sans aucun rôle ici.",
        "Rémi",
        "Passavent",
        siret="99900099500012",
    ),
    _agent(
        "agent-without-mfa",
        "Mot de passe seul : le portail doit refuser cette agente.",
        "Lucie",
        "Ambremont",
        acr="eidas1",
    ),
)


def _account(
    key: str, story: str, given_name: str, family_name: str, *, amr: tuple[str, ...] = ("pwd", "otp"), acr: str = "2"
) -> Person:
    claims = {
        "preferred_username": _ascii(f"{given_name[0]}{family_name}".lower()),
        "given_name": given_name,
        "family_name": family_name,
        "email": _ascii(f"{given_name}.{family_name}@hopital.exemple.test".lower()),
    }
    subject = str(uuid.uuid5(uuid.NAMESPACE_URL, f"parvis-demo/directory/{key}"))
    return Person(key, f"{given_name} {family_name}", story, subject, acr, amr, claims)


DIRECTORY = (
    _account("administrator", "Administrateur du portail, par l’annuaire de l’hôpital.", "Hugo", "Delsarte"),
    _account("admissions-clerk", "Agente des admissions, par l’annuaire de l’hôpital.", "Nadège", "Forvil"),
    _account(
        "account-without-mfa",
        "Mot de passe seul : le portail doit refuser ce compte.",
        "Joël",
        "Vercassin",
        amr=("pwd",),
        acr="1",
    ),
)
