"""Webhooks of Stripe: who signed them, and which object they speak of. Nothing else in them is believed.

docs.stripe.com/webhooks/signature: HMAC-SHA256 over the raw body and a timestamp. During a rotation two secrets are
good at once, and an installation has one per hospital.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import stripe

from portal.gateways.payments.stripe_fields import Fields, Unreadable

TOLERANCE_SECONDS = 300
LONGEST_BODY = 256 * 1024
_MOST_SIGNATURES = 20


class NotFromStripe(Exception):
    """No secret of ours signed this body within the last five minutes."""


class NotAnEvent(Exception):
    """Signed, but not an event that we can read: another kind, or a version of the API that we do not speak."""


@dataclass(frozen=True, slots=True)
class Event:
    """What is kept of an event: its own name, its kind, and the object that it makes us read again.

    object_id: `cs_…`, `re_…`, `du_…`, `po_…`. payment: the payment intent that the object belongs to, if it says so.
    created_at: seconds since 1970, by Stripe's clock.
    """

    id: str
    type: str
    object_id: str
    payment: str
    created_at: int
    live: bool


def which_signed(body: bytes, header: str, secrets: Sequence[str]) -> int:
    """The rank of the secret that signed this raw body. Raises `NotFromStripe`; tries all secrets in any case."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise NotFromStripe from None
    if len(body) > LONGEST_BODY or header.count(",") > _MOST_SIGNATURES:
        raise NotFromStripe
    found = [rank for rank, secret in enumerate(secrets) if secret and _signed(text, header, secret)]
    if not found:
        raise NotFromStripe
    return found[0]


def read_event(body: bytes) -> Event:
    """The event that a signed body tells of. Raises `NotAnEvent`."""
    try:
        return event_read(Fields(json.loads(body)))
    except (ValueError, RecursionError, Unreadable):
        raise NotAnEvent from None


def event_read(found: Fields) -> Event:
    """One event, whether it was sent to us or listed. Raises `Unreadable`."""
    data = found.child("data")
    about = data.child("object") if data else None
    if about is None or found.text("object") != "event":
        raise Unreadable
    return Event(
        id=found.text("id"),
        type=found.text("type"),
        object_id=about.maybe("id"),
        payment=about.id_of("payment_intent"),
        created_at=found.whole("created"),
        live=found.flag("livemode"),
    )


def _signed(body: str, header: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, TOLERANCE_SECONDS)
    except (stripe.SignatureVerificationError, ValueError, OverflowError):
        return False
    return True
