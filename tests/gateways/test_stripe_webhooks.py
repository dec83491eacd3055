"""Webhooks: only what Stripe signed a moment ago is heard, whichever of our secrets it used."""

import json
import time

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from portal.gateways.payments.stripe_signature import (
    LONGEST_BODY,
    NotAnEvent,
    NotFromStripe,
    read_event,
    which_signed,
)

SECRETS = ["whsec_of_the_north", "whsec_of_the_south", "whsec_of_the_south_tomorrow"]
EVENT = {
    "id": "evt_1", "object": "event", "type": "checkout.session.completed", "created": 1_790_000_000, "livemode": False,
    "data": {"object": {"id": "cs_test_1", "object": "checkout.session", "payment_intent": "pi_1"}},
}  # fmt: skip
BODY = json.dumps(EVENT).encode()


def signature(body: bytes = BODY, secret: str = SECRETS[1], age: int = 0) -> str:
    return stripe.WebhookSignature.generate_signature_header(body.decode(), secret, int(time.time()) - age)


@pytest.mark.parametrize("rank", range(3))
def test_each_secret_of_ours_is_recognised(rank: int) -> None:
    assert which_signed(BODY, signature(secret=SECRETS[rank]), SECRETS) == rank


def test_during_a_rotation_either_signature_is_enough() -> None:
    both = signature(secret="whsec_of_yesterday") + "," + signature(secret=SECRETS[2]).partition(",")[2]
    assert which_signed(BODY, both, SECRETS) == 2


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (BODY, ""),
        (BODY, "v1=abc"),
        (BODY, "t=now,v1=abc"),
        (BODY, "t=99999999999999999999999,v1=abc"),
        (BODY, "," * 100_000),
        (BODY, signature(secret="whsec_of_somebody_else")),
        (BODY, signature(age=301)),
        (BODY + b" ", signature()),
        (b"\xff\xfe", "t=1,v1=abc"),
        (b"x" * (LONGEST_BODY + 1), signature(b"x" * (LONGEST_BODY + 1))),
    ],
    ids=["none", "no moment", "no number", "huge moment", "commas", "stranger", "old", "changed", "bytes", "long"],
)
def test_anything_else_is_not_from_stripe(body: bytes, header: str) -> None:
    with pytest.raises(NotFromStripe):
        which_signed(body, header, SECRETS)


def test_five_minutes_old_is_young_enough() -> None:
    assert which_signed(BODY, signature(age=290), SECRETS) == 1


def test_an_empty_secret_signs_nothing() -> None:
    with pytest.raises(NotFromStripe):
        which_signed(BODY, signature(secret=""), ["", ""])


@given(st.text(max_size=200), st.binary(max_size=200))
def test_no_header_and_no_body_whatever_breaks_it(header: str, body: bytes) -> None:
    with pytest.raises(NotFromStripe):
        which_signed(body, header, SECRETS)


def test_an_event_is_read_for_the_object_it_speaks_of_and_nothing_else() -> None:
    event = read_event(BODY)
    assert (event.id, event.type, event.object_id, event.payment) == (
        "evt_1", "checkout.session.completed", "cs_test_1", "pi_1",
    )  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b"null", b"3", b"[" * 5000, b"\xff",
        json.dumps({**EVENT, "object": "v2.core.event"}).encode(),
        json.dumps({**EVENT, "data": {}}).encode(),
        json.dumps({**EVENT, "id": 3}).encode(),
        json.dumps({**EVENT, "created": "now"}).encode(),
        json.dumps({**EVENT, "type": "a\x00b"}).encode(),
    ],
    ids=range(12),
)  # fmt: skip
def test_what_is_not_an_event_is_told_so(body: bytes) -> None:
    with pytest.raises(NotAnEvent):
        read_event(body)
