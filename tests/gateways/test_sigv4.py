"""Signatures of requests to an S3 store: the four examples that Amazon publishes with the specification."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from portal.gateways.storage.sigv4 import Signer, encoded_path, encoded_query


class _OfTheExamples(Signer):
    """With the key of that day and region as the specification gives it, and not the secret that it comes from."""

    def _key_of(self, day: str) -> bytes:
        assert day == "20130524"
        return bytes.fromhex("dbb893acc010964918f1fd433add87c70e8b0db6be30c1fbeafefa5ec6ba8378")


_SIGNER = _OfTheExamples("examples", "not used", "us-east-1")
_EXAMPLES: list[tuple[str, str, dict[str, str], dict[str, str], bytes, str]] = [
    ("GET", "/test.txt", {}, {"Range": "bytes=0-9"}, b"",
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
    ("PUT", "/test$file.text", {},
     {"Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
     b"Welcome to Amazon S3.", "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
    ("GET", "/", {"lifecycle": ""}, {}, b"", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
    ("GET", "/", {"prefix": "J", "max-keys": "2"}, {}, b"",
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "body", "signature"), _EXAMPLES, ids=["range", "put", "empty query", "list"]
)
def test_the_published_examples_are_signed_as_published(
    method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes, signature: str
) -> None:
    signed = _SIGNER.signed(
        method,
        path,
        query,
        {"Host": "examplebucket.s3.amazonaws.com", **headers},
        hashlib.sha256(body).hexdigest(),
        datetime(2013, 5, 24, tzinfo=UTC),
    )
    assert signed["Authorization"].endswith(f"Signature={signature}")


def test_what_is_sent_is_encoded_as_it_was_signed() -> None:
    assert encoded_path("/bucket/a b$é~/x") == "/bucket/a%20b%24%C3%A9~/x"
    assert encoded_query({"b": "x/y z", "a": ""}) == "a=&b=x%2Fy%20z"


def test_a_signer_never_shows_its_secret() -> None:
    assert "not used" not in repr(_SIGNER)
