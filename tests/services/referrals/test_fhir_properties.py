"""Whatever a software writes, a request is read whole or refused in words; nothing breaks."""

import base64
from contextlib import suppress
from copy import deepcopy
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referrals.fhir import incoming, naming
from services.referrals.fhir.shapes import Unreadable

BASE = "http://127.0.0.1/fhir"
OFFER = "6f1c1d52-7d7a-4d0e-9c55-5a1f4d8f0b11"
WHOLE: dict[str, Any] = {
    "resourceType": "ServiceRequest",
    "contained": [
        {
            "resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1951-02-03",
            "name": [{"use": "official", "family": "FERRAND", "given": ["Odile"]}],
            "telecom": [{"system": "phone", "value": "0699001020"}], "address": [{"line": ["1 rue"], "city": "Arceau"}],
        },
        {
            "resourceType": "DocumentReference", "id": "d",
            "content": [{"attachment": {"title": "a.pdf", "data": "JVBERg=="}}],
        },
    ],
    "identifier": [{"system": "urn:oid:1.2.3", "value": "D-1"}],
    "status": "active", "intent": "order", "priority": "urgent", "subject": {"reference": "#p"},
    "requester": {"identifier": {"system": naming.RPPS, "value": "810000000017"}},
    "performer": [{"identifier": {"system": f"{BASE}/identifiers/referral-offer", "value": OFFER}}],
    "reasonCode": [{"text": "Votre avis ?"}], "supportingInfo": [{"reference": "#d"}],
}  # fmt: skip
KEYS = st.sampled_from(("reference", "identifier", "coding", "system", "value", "text", "given", "data", "url"))
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("#p") | st.just("#d"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


def paths(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [before, *(path for key, each in inside for path in paths(each, (*before, key)))]


PLACES = [path for path in paths(WHOLE) if path]


def test_a_whole_request_is_read() -> None:
    told = incoming.read(WHOLE, BASE)
    assert (told.rpps, told.offers, told.priority) == ("10000000017", (UUID(OFFER),), "urgent")
    assert told.person is not None
    assert (told.person.birth_name, told.person.address) == ("FERRAND", "1 rue\nArceau")
    assert [each.content for each in told.files] == [b"%PDF"]


@given(st.sampled_from(PLACES), JUNK)
def test_anything_in_any_place_is_read_or_refused(path: tuple[Any, ...], junk: Any) -> None:
    sent = deepcopy(WHOLE)
    inside: Any = sent
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = junk
    with suppress(Unreadable):
        assert incoming.read(sent, BASE).identifiers


def test_bytes_that_are_named_many_times_are_not_many_files() -> None:
    """Four hundred names of one Binary would be four hundred times its bytes in memory."""
    sent = deepcopy(WHOLE)
    sent["contained"][1]["content"] = [{"attachment": {"url": "urn:uuid:b"}}] * 40
    sent["supportingInfo"] = [{"reference": "#d"}] * 10
    binary = {"urn:uuid:b": {"resourceType": "Binary", "data": base64.b64encode(bytes(10)).decode()}}
    with pytest.raises(Unreadable, match="10 documents"):
        incoming.read(sent, BASE, binary)


@pytest.mark.parametrize("files", [3, 10])
def test_files_together_have_an_end(files: int) -> None:
    data = base64.b64encode(bytes(15_000_000)).decode()
    sent = deepcopy(WHOLE)
    sent["contained"][1]["content"] = [{"attachment": {"url": "urn:uuid:b"}}] * files
    with pytest.raises(Unreadable, match="40 megabytes"):
        incoming.read(sent, BASE, {"urn:uuid:b": {"resourceType": "Binary", "data": data}})
    said = [{"contentAttachment": {"url": "#b"}}] * files
    held = [{"resourceType": "Binary", "id": "b", "data": data}]
    with pytest.raises(Unreadable, match="40 megabytes"):
        incoming.reply({"about": [{"reference": f"Task/{OFFER}"}], "payload": said, "contained": held})


@given(
    st.dictionaries(st.sampled_from(("type", "entry", "about", "basedOn", "payload", "contained")), JUNK, max_size=4)
)
def test_bundles_and_answers_too(sent: dict[str, Any]) -> None:
    for read in (incoming.unpacked, incoming.reply):
        with suppress(Unreadable):
            assert read(sent)
