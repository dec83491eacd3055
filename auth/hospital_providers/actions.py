"""Setting up a hospital's own provider, and taking it away."""

from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from sqlalchemy import delete, select, update

from auth.factors import sealing
from auth.hospital_providers.models import HospitalProvider
from auth.models import WebSession
from portal import audit, db
from portal.config import DEMO_ISSUER_SUFFIX, Settings
from portal.db import session
from portal.establishments import Establishment
from portal.gateways import reach
from portal.gateways.reach import Inside

SECRET = "client secret of a hospital's provider"  # noqa: S105 (what is sealed, not a secret)
DISCOVERY = "/.well-known/openid-configuration"


class ProviderUnsafe(Exception):
    """These settings would let somebody in who should not be. `field` is the setting, `reason` why: `address`,
    `inside` (no operator named that host), `elsewhere` (published where its issuer is not), `national`, `secret`,
    `proof`."""

    def __init__(self, setting: str, reason: str) -> None:
        super().__init__(f"{setting}: {reason}")
        self.setting = setting
        self.reason = reason


class UnknownProvider(Exception):
    """The hospital has no provider of its own."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What an administrator sets; see HospitalProvider. discovery_url: "" for the usual one, under the issuer.
    client_secret: "" keeps the one that is known."""

    label: str
    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    discovery_url: str = ""
    signing_alg: str = "RS256"
    scopes: str = "openid profile email"
    acr_values: str = ""
    proof_claim: str = "amr"
    proof_values: Collection[str] = ()


def configure(establishment_id: UUID, draft: Draft, settings: Settings) -> None:
    """Set a hospital's provider up, or change it; at once for the next sign-in. Raises ProviderUnsafe."""
    provider = session.scalar(select(HospitalProvider).where(HospitalProvider.establishment_id == establishment_id))
    _check(draft, settings)
    if provider is None:
        if not draft.client_secret:
            raise ProviderUnsafe("client_secret", "secret")
        provider = HospitalProvider(id=uuid4(), establishment_id=establishment_id)
        session.add(provider)
    if draft.client_secret:
        provider.sealed_secret = sealing.seal(SECRET, {"secret": draft.client_secret})
    for name in ("label", "issuer", "client_id", "signing_alg", "scopes", "acr_values", "proof_claim"):
        setattr(provider, name, getattr(draft, name).strip())
    provider.discovery_url = _discovery_url(draft)
    provider.proof_values = sorted(set(draft.proof_values))
    provider.changed_at = db.now()
    session.flush()
    _record("hospital_provider.changed", establishment_id, provider.id, provider.issuer)


def remove(establishment_id: UUID) -> None:
    """Take the provider away; whoever came through it is signed out. Raises UnknownProvider."""
    removed = session.execute(
        delete(HospitalProvider)
        .where(HospitalProvider.establishment_id == establishment_id)
        .returning(HospitalProvider.id, HospitalProvider.issuer)
    ).one_or_none()
    if removed is None:
        raise UnknownProvider
    _end_sessions(session.get_one(Establishment, establishment_id).finess)
    _record("hospital_provider.removed", establishment_id, removed.id, removed.issuer)


def door_name(finess: str) -> str:
    """How sessions and attempts name the provider of this hospital."""
    return f"hospital/{finess}"


def _check(draft: Draft, settings: Settings) -> None:
    """An issuer is only believed where it publishes itself: whoever administers one hospital could otherwise claim to
    be another one's provider, or a national one, with keys of their own."""
    issuer, published = draft.issuer.strip(), _discovery_url(draft)
    for setting, address in (("issuer", issuer), ("discovery_url", published)):
        if not _is_address(address) or (settings.is_production and not _is_of_production(address)):
            raise ProviderUnsafe(setting, "address")
        try:
            _reach(settings).check(urlsplit(address).hostname or "", urlsplit(address).port or 443)
        except Inside as error:
            raise ProviderUnsafe(setting, "inside") from error
    if issuer.rstrip("/") in {each.issuer.rstrip("/") for each in settings.providers.values()}:
        raise ProviderUnsafe("issuer", "national")
    if not published.startswith(f"{issuer.rstrip('/')}/") and settings.env not in ("demo", "test"):
        raise ProviderUnsafe("discovery_url", "elsewhere")
    if not set(draft.proof_values) or draft.proof_claim not in ("acr", "amr"):
        raise ProviderUnsafe("proof_values", "proof")


def _is_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        has_port = parts.port != 0
    except ValueError:
        return False
    is_whole = bool(parts.hostname) and not (parts.username or parts.fragment)
    return parts.scheme in ("https", "http") and is_whole and has_port


def _is_of_production(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" and not (parts.hostname or "").endswith(DEMO_ISSUER_SUFFIX)


def _reach(settings: Settings) -> reach.Reach:
    return reach.read(settings.inside_hosts, anywhere=not settings.is_production)


def _discovery_url(draft: Draft) -> str:
    return draft.discovery_url.strip() or f"{draft.issuer.strip().rstrip('/')}{DISCOVERY}"


def _end_sessions(finess: str) -> None:
    """As the system: an administrator sees the sessions of nobody else."""
    administrator = db.current_actor()
    db.act_as(db.system("hospital_provider.remove"))
    session.execute(
        update(WebSession)
        .where(WebSession.provider == door_name(finess), WebSession.ended_at.is_(None))
        .values(ended_at=db.now(), id_token="")
    )
    db.act_as(administrator)


def _record(event: str, establishment_id: UUID, provider_id: UUID, issuer: str) -> None:
    audit.record(
        event,
        establishment_id=establishment_id,
        object_kind="hospital_provider",
        object_id=provider_id,
        issuer=issuer,
    )
