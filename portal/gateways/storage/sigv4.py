"""Signatures of requests to an S3 store: AWS Signature Version 4, the payload's digest signed with the headers.

Specification: "Signature Calculations for the Authorization Header: Transferring Payload in a Single Chunk (AWS
Signature Version 4)", Amazon S3 API Reference; its four examples are our tests.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

_ALGORITHM = "AWS4-HMAC-SHA256"
_UNRESERVED = "-_.~"


@dataclass(frozen=True, repr=False)
class Signer:
    """Who asks: the id of a key, its secret, and the region that the store says it is in."""

    access_key: str
    secret_key: str
    region: str

    def signed(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        payload_sha256: str,
        now: datetime,
    ) -> dict[str, str]:
        """The headers to send: those given (with Host among them), the date, the digest and the signature.

        path: not yet percent-encoded. now: UTC; stores refuse a quarter of an hour of difference. Every header given
        is signed, but a Date: it would be a second one.
        """
        moment = now.strftime("%Y%m%dT%H%M%SZ")
        wanted = {**headers, "x-amz-content-sha256": payload_sha256, "x-amz-date": moment}
        lines = sorted((name.lower(), " ".join(value.split())) for name, value in wanted.items())
        names = ";".join(name for name, _value in lines)
        canonical = "\n".join(
            (method, encoded_path(path), encoded_query(query), *(f"{name}:{value}" for name, value in lines), "", names,
             payload_sha256)
        )  # fmt: skip
        scope = f"{moment[:8]}/{self.region}/s3/aws4_request"
        to_sign = "\n".join((_ALGORITHM, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
        signature = hmac.new(self._key_of(moment[:8]), to_sign.encode(), "sha256").hexdigest()
        credential = f"Credential={self.access_key}/{scope},SignedHeaders={names},Signature={signature}"
        return {**wanted, "Authorization": f"{_ALGORITHM} {credential}"}

    def _key_of(self, day: str) -> bytes:
        """A key that signs for one day, one region and this service only."""
        key = b"AWS4" + self.secret_key.encode()
        for part in (day, self.region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return key


def encoded_path(path: str) -> str:
    """A path as it is sent and signed: encoded once, its slashes kept."""
    return quote(path, safe="/" + _UNRESERVED)


def encoded_query(query: Mapping[str, str]) -> str:
    """A query as it is sent and signed: encoded, by name."""
    pairs = ((quote(name, safe=_UNRESERVED), quote(value, safe=_UNRESERVED)) for name, value in query.items())
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))
