"""Which published keys may verify a signature, and which are left aside."""

from typing import Any

import pytest
from joserfc import jwk

from auth.oidc.keys import usable_keys


def published(kind: str, size: str | int, **parameters: str) -> dict[str, Any]:
    key = jwk.JWKRegistry.generate_key(kind, size, {"kid": "ours", **parameters})  # type: ignore[typeddict-item]  # facts of any field
    return dict(key.as_dict(private=False))


def kids(alg: str, *keys: Any) -> list[str]:
    return list(usable_keys({"keys": list(keys)}, alg))


@pytest.mark.parametrize(
    ("alg", "kind", "size", "parameters"),
    [
        ("ES256", "EC", "P-256", {}),
        ("ES256", "EC", "P-256", {"use": "sig", "alg": "ES256"}),
        ("RS256", "RSA", 2048, {"use": "sig"}),
    ],
)
def test_a_key_of_our_algorithm_is_kept(alg: str, kind: str, size: str | int, parameters: dict[str, str]) -> None:
    assert kids(alg, published(kind, size, **parameters)) == ["ours"]


@pytest.mark.filterwarnings("ignore:Key size should be")
@pytest.mark.parametrize(
    ("alg", "kind", "size", "parameters"),
    [
        ("ES256", "RSA", 2048, {}),
        ("RS256", "EC", "P-256", {}),
        ("ES256", "EC", "P-384", {}),
        ("RS256", "RSA", 1024, {}),
        ("RS256", "RSA", 2048, {"use": "enc"}),
        ("RS256", "RSA", 2048, {"alg": "RSA-OAEP"}),
        ("RS256", "RSA", 2048, {"alg": "PS256"}),
        ("ES256", "EC", "P-256", {"use": "enc"}),
    ],
)
def test_another_key_is_left_aside(alg: str, kind: str, size: str | int, parameters: dict[str, str]) -> None:
    assert kids(alg, published(kind, size, **parameters)) == []


@pytest.mark.parametrize(
    "odd",
    [
        {},
        None,
        "key",
        {"kty": "AKP", "kid": "post-quantum"},
        {"kty": "EC", "kid": "half"},
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"},
        {"kty": "EC", "kid": 3, "crv": "P-256", "x": "AA", "y": "AA"},
    ],
)
def test_an_odd_entry_does_not_hide_the_good_one(odd: Any) -> None:
    assert kids("ES256", odd, published("EC", "P-256")) == ["ours"]


def test_a_key_without_a_name_is_left_aside() -> None:
    nameless = published("EC", "P-256")
    del nameless["kid"]
    assert kids("ES256", nameless) == []


@pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": {}}, {"keys": "none"}])
def test_a_document_without_keys_has_none(document: dict[str, Any]) -> None:
    assert usable_keys(document, "ES256") == {}
