"""A machine's own key: what we accept of it, and the assertions that it signs (RFC 7523, `private_key_jwt`)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from joserfc import jwk, jws
from joserfc.errors import JoseError

from auth.oidc.keys import usable_keys

ALGORITHMS: Final = ("ES256", "RS256")
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LONGEST_LIFE, _SKEW = timedelta(minutes=5), timedelta(seconds=10)
_LONGEST_ASSERTION, _MOST_KEYS, _LONGEST_JTI = 8192, 5, 200
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_NOBODYS = {"keys": [{**jwk.ECKey.generate_key("P-256").as_dict(private=False), "kid": "nobody"}]}
"""Checked in the place of a key we do not have, so that an unknown machine waits as long as a known one."""


class NotAKeySet(Exception):
    """Not a set of public keys that we can use; the message says why."""


class AssertionRefused(Exception):
    """The assertion proves nothing; the code says why, for the journal."""


@dataclass(frozen=True)
class Assertion:
    """An assertion whose signature and dates hold. jti: to be used once, until expires_at."""

    client_id: str
    jti: str
    expires_at: datetime


def read_key_set(text: str) -> dict[str, Any]:
    """The public keys of a JWKS document (RFC 7517), ES256 or RS256, each with its kid. Raises NotAKeySet."""
    try:
        document = json.loads(text)
        entries = document["keys"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise NotAKeySet("not a JSON document with “keys”") from error
    if not isinstance(entries, list) or not 0 < len(entries) <= _MOST_KEYS:
        raise NotAKeySet(f"one to {_MOST_KEYS} keys are needed")
    if any(not isinstance(entry, dict) or _PRIVATE & entry.keys() for entry in entries):
        raise NotAKeySet("it holds a private key: keep it secret, make another one, and give its public half")
    if sum(len(usable_keys(document, alg)) for alg in ALGORITHMS) != len(entries):
        raise NotAKeySet("each key must be EC P-256 or RSA of 2048 bits at least, with a kid")
    return {"keys": entries}


def claimed_by(assertion: str) -> str:
    """Whose assertion it says it is, before anything is checked; "" when it cannot be read."""
    try:
        claims = json.loads(jws.extract_compact(assertion[:_LONGEST_ASSERTION].encode()).payload)
        return str(claims["sub"])
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        return ""


def check(assertion: str, key_set: Mapping[str, Any] | None, audiences: frozenset[str], now: datetime) -> Assertion:
    """The assertion, signed by one of these keys for one of our own addresses. Raises AssertionRefused."""
    claims = _verified(assertion, key_set or _NOBODYS)
    client_id, jti = claims.get("sub"), claims.get("jti")
    if not isinstance(client_id, str) or claims.get("iss") != client_id:
        raise AssertionRefused("issuer")
    audience = claims.get("aud")
    # One of ours alone: a list would let another server that is named too replay it here.
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    if not isinstance(audience, str) or audience not in audiences:
        raise AssertionRefused("audience")
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI or "\x00" in jti:
        raise AssertionRefused("jti")
    return Assertion(client_id, jti, _dates(claims, now))


def _verified(assertion: str, key_set: Mapping[str, Any]) -> dict[str, Any]:
    if len(assertion) > _LONGEST_ASSERTION:
        raise AssertionRefused("too_long")
    try:
        signed = jws.extract_compact(assertion.encode())
        header = signed.headers()
        alg = header.get("alg")
        if alg not in ALGORITHMS or "crit" in header:
            raise AssertionRefused("alg")
        key = usable_keys(key_set, alg).get(str(header.get("kid")))
        if key is None:
            raise AssertionRefused("unknown_key")
        holds = jws.validate_compact(signed, key, [alg])
        claims = json.loads(signed.payload)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise AssertionRefused("malformed") from error
    if not holds or not isinstance(claims, dict):
        raise AssertionRefused("signature")
    return claims


def _dates(claims: Mapping[str, Any], now: datetime) -> datetime:
    expires_at = _moment(claims.get("exp"))
    if expires_at is None or not now - _SKEW < expires_at <= now + _LONGEST_LIFE + _SKEW:
        raise AssertionRefused("expiry")
    for name in ("iat", "nbf"):
        given = _moment(claims.get(name))
        if name in claims and (given is None or given > now + _SKEW):
            raise AssertionRefused("too_early")
    return expires_at + _SKEW


def _moment(seconds: object) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
