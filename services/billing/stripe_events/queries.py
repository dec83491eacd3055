"""Who may sign, whose accounts are swept, what was heard."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.db import session
from portal.establishments import EstablishmentSetting
from services.billing.models import PaymentAttempt
from services.billing.sources import queries as sources
from services.billing.stripe_events.models import StripeEvent, StripeSweep

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Signer:
    """Who may sign a webhook. secret: never logged. establishment_id: None for the environment's."""

    establishment_id: UUID | None
    secret: str = field(repr=False)


def signers(of_environment: Sequence[str]) -> list[Signer]:
    """Every secret that is good now, the hospitals' own and the environment's; for a system job."""
    kept = session.scalars(
        select(EstablishmentSetting)
        .where(EstablishmentSetting.key == "stripe_webhook_secrets", EstablishmentSetting.value != "")
        .order_by(EstablishmentSetting.establishment_id)
    )
    own = [Signer(row.establishment_id, secret) for row in kept for secret in secrets_in(row.opened)]
    return [*own, *(Signer(None, secret) for secret in of_environment)]


def secrets_in(text: str) -> list[str]:
    """Secrets of a comma list."""
    return [secret.strip() for secret in text.split(",") if secret.strip()]


def accounts() -> list[UUID]:
    """Hospitals that have, or had, payments through Stripe: their events are swept, whether it is still offered."""
    settings = select(EstablishmentSetting.establishment_id).where(
        EstablishmentSetting.key.in_(("stripe_api_key", "stripe_enabled")),
        EstablishmentSetting.value.not_in(("", "no")),
    )
    return list(session.scalars(settings.distinct().order_by(EstablishmentSetting.establishment_id)))


def place_of_environment(object_id: str) -> UUID | None:
    """The hospital of an event that the environment's secret signed: the one of the payment, else the only one
    whose key is the environment's."""
    attempt = attempt_of(object_id)
    if attempt is not None:
        return attempt.establishment_id
    own = set(
        session.scalars(
            select(EstablishmentSetting.establishment_id).where(
                EstablishmentSetting.key == "stripe_api_key", EstablishmentSetting.value != ""
            )
        )
    )
    places = accounts()
    without = [place for place in places if place not in own] or places
    return without[0] if len(without) == 1 else None


def attempt_of(session_id: str) -> PaymentAttempt | None:
    """The attempt behind a Checkout Session."""
    return session.scalar(
        select(PaymentAttempt).where(PaymentAttempt.psp == "stripe", PaymentAttempt.psp_ref == session_id)
    )


def obstacle(event: StripeEvent) -> tuple[str, str] | None:
    """Why nothing can follow from an event, as its last state and note: the hospital has no key any more, or one of
    the other kind, test or live."""
    counter = sources.stripe_counter(event.establishment_id)
    if counter is None:
        return "to_review", "no_key"
    return ("ignored", "mode") if event.live == counter.is_test else None


def read_until(establishment_id: UUID) -> datetime | None:
    found = session.get(StripeSweep, establishment_id)
    return found.read_until if found else None


def events_at(places: Collection[UUID], *, state: str = "", page: int = 1) -> Sequence[StripeEvent]:
    """One page of these hospitals' events, newest first, and one more row when there is a next page."""
    wanted = select(StripeEvent).where(StripeEvent.establishment_id.in_(places))
    if state:
        wanted = wanted.where(StripeEvent.state == state)
    ordered = wanted.order_by(StripeEvent.received_at.desc(), StripeEvent.id)
    return session.scalars(ordered.offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE + 1)).all()


def sweeps_at(places: Collection[UUID]) -> dict[UUID, StripeSweep]:
    found = session.scalars(select(StripeSweep).where(StripeSweep.establishment_id.in_(places)))
    return {sweep.establishment_id: sweep for sweep in found}


def waiting_since(before: datetime, limit: int) -> Sequence[StripeEvent]:
    """Events that nobody has acted upon, older than that."""
    return session.scalars(
        select(StripeEvent)
        .where(StripeEvent.state == "waiting", StripeEvent.received_at < before)
        .order_by(StripeEvent.received_at, StripeEvent.id)
        .limit(limit)
    ).all()
