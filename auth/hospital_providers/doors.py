"""A hospital's own provider as a door of the staff, of the same shape as the national ones."""

from dataclasses import replace
from uuid import UUID

from flask import current_app

from auth import hospital_oidc
from auth.factors import sealing
from auth.factors.sealing import Unsealable
from auth.hospital_providers import queries
from auth.hospital_providers.actions import SECRET, door_name
from auth.hospital_providers.models import HospitalProvider
from auth.oidc import Client
from auth.providers import Door
from portal import db
from portal.config import Settings


class ReachesFurther(Exception):
    """The agent may do things at a hospital that has not chosen this provider: it must not open those too."""


def door(finess: str) -> Door | None:
    """The door of that hospital, if it has one and it can be opened."""
    with db.transaction(db.system("auth.hospital_door")):
        found = queries.by_finess(finess)
        return _door(found) if found else None


def doors() -> list[Door]:
    """Those of every hospital, by the hospital's name."""
    with db.transaction(db.system("auth.hospital_door")):
        return [each for each in map(_door, queries.everywhere()) if each]


def shared(listed: list[Door]) -> list[Door]:
    """The same, with one door for the hospitals that have one provider between them: either opens to all of them."""
    by_issuer: dict[tuple[object, ...], list[Door]] = {}
    for each in listed:
        its = each.client.provider
        by_issuer.setdefault((its.issuer, its.client_id, its.proof_claim, its.acr_accepted), []).append(each)
    return [
        replace(same[0], hospital_name=", ".join(each.hospital_name for each in same)) for same in by_issuer.values()
    ]


def unreadable() -> list[str]:
    """The names of those that cannot be opened: their settings make no sense, or their secret's key is lost."""
    with db.transaction(db.system("auth.hospital_door")):
        return [door_name(each.establishment.finess) for each in queries.everywhere() if _door(each) is None]


def client(provider: HospitalProvider) -> Client:
    """A client of this provider, kept until its settings change. Raises ValueError, Unsealable."""
    kept: dict[UUID, tuple[object, Client]] = current_app.extensions["parvis.hospital_doors"]
    version, known = kept.get(provider.id, (None, None))
    if known is None or version != provider.changed_at:
        known = Client(hospital_oidc.provider(**_declared(provider)))
        kept[provider.id] = (provider.changed_at, known)
    return known


def check_reach(account_id: UUID, hospital_id: UUID) -> None:
    """Raises ReachesFurther. Whoever runs one hospital's directory can sign in as anybody in it: that must not open
    what another hospital has given, unless that one has chosen the same provider."""
    own = queries.of_hospital(hospital_id)
    trusting = queries.hospitals_that_trust(own) if own else set()
    if queries.hospitals_of(account_id) - trusting:
        raise ReachesFurther


def _door(provider: HospitalProvider) -> Door | None:
    """None when the settings no longer make sense, such as a secret sealed with a lost key: `parvis check` says so."""
    hospital = provider.establishment
    try:
        known = client(provider)
    except (ValueError, Unsealable):
        return None
    name = door_name(hospital.finess)
    return Door(
        name, "staff", provider.label, known, hospital_oidc.identity_from, f"/auth/{name}", hospital.id, hospital.name
    )


def _declared(provider: HospitalProvider) -> dict[str, object]:
    settings: Settings = current_app.config["SETTINGS"]
    address = f"{settings.base_url}/auth/{door_name(provider.establishment.finess)}"
    return {
        "discovery_url": provider.discovery_url,
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "client_secret": sealing.unseal(SECRET, provider.sealed_secret)["secret"],
        "signing_alg": provider.signing_alg,
        "scopes": tuple(provider.scopes.split()),
        "acr_values": provider.acr_values,
        "acr_accepted": tuple(provider.proof_values),
        "proof_claim": provider.proof_claim,
        "redirect_uri": f"{address}/callback",
        "post_logout_redirect_uri": f"{address}/logout-callback",
        "allow_loopback_http": settings.env in ("demo", "test", "development"),
    }
