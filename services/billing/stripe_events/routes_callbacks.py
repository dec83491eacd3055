"""Stripe calls here. Who signed is checked over the raw body; then the event is kept, and nothing else is believed."""

import structlog
from flask import Blueprint, Response, request

from auth import guards
from portal import db
from portal.gateways.payments.stripe_account import EVENTS
from portal.gateways.payments.stripe_signature import (
    LONGEST_BODY,
    NotAnEvent,
    NotFromStripe,
    read_event,
    which_signed,
)
from portal.web.security import csrf
from services.billing.stripe_events import actions, jobs, queries

log = structlog.get_logger(__name__)

stripe_callbacks = guards.machines(Blueprint("billing_stripe", __name__, url_prefix="/callbacks"))
csrf.exempt(stripe_callbacks)


@stripe_callbacks.post("/stripe")
def stripe() -> tuple[Response, int]:
    """200 once the event is kept, or when it is none of ours to act upon; 400 when we cannot tell who sent it, or
    read it: Stripe's site shows these to whoever set the endpoint up."""
    request.max_content_length = LONGEST_BODY
    body = request.get_data(cache=False)
    with db.transaction(db.system("billing.stripe_webhook")):
        signers = queries.signers(jobs.secrets_of_environment())
        try:
            rank = which_signed(body, request.headers.get("Stripe-Signature", ""), [one.secret for one in signers])
            event = read_event(body)
        except (NotFromStripe, NotAnEvent) as trouble:
            log.warning("stripe.webhook_refused", reason=type(trouble).__name__)
            return _said("refused"), 400
        place = signers[rank].establishment_id or queries.place_of_environment(event.object_id)
        if event.type not in EVENTS or place is None:
            return _said("ignored"), 200
        return _said("kept" if actions.receive(place, event, "webhook") else "known"), 200


def _said(word: str) -> Response:
    return Response(word, mimetype="text/plain")
