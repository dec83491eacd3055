"""The providers' keys, made at each start and kept in memory, and what they sign.

Never a key in a file: a published private key plus a forgotten demonstration issuer would let
anyone in as any patient.
"""

import base64
import hashlib
import hmac
import json
from typing import Any

from joserfc import jwk, jws
from joserfc.util import to_bytes

from auth.demo_idp.audiences import Audience

Claims = dict[str, Any]
SigningKey = jwk.ECKey | jwk.RSAKey


def new_key(audience: Audience) -> SigningKey:
    """A fresh signing key of the audience's algorithm, with its kid."""
    parameters: jwk.KeyParameters = {"use": "sig", "alg": audience.signing_alg}
    if audience.signing_alg == "ES256":
        return jwk.generate_key("EC", "P-256", parameters, auto_kid=True)
    return jwk.generate_key("RSA", 2048, parameters, auto_kid=True)


def sign(claims: Claims, key: SigningKey, alg: str) -> str:
    """A compact JWS."""
    return _compact({"alg": alg, "kid": key.kid, "typ": "JWT"}, claims, key, alg)


def sign_badly(claims: Claims, key: SigningKey, audience: Audience, secret: str, fault: str) -> str:
    """A token whose signature proves nothing, in the way that `fault` says."""
    alg = audience.signing_alg
    header = {"alg": alg, "kid": key.kid, "typ": "JWT"}
    if fault == "alg_none":
        return f"{_encode({'alg': 'none'})}.{_encode(claims)}."
    if fault == "hs256_public_key":
        return _hmac(header | {"alg": "HS256"}, claims, key.as_pem(private=False))
    if fault == "hs256_secret":
        return _hmac({"alg": "HS256"}, claims, secret.encode())
    if fault == "unknown_kid":
        return _compact(header | {"kid": "never-published"}, claims, key, alg)
    if fault == "no_kid":
        return _compact({"alg": alg}, claims, key, alg)
    if fault == "crit_header":
        return _compact(header | {"crit": ["b64"], "b64": True}, claims, key, alg)
    if fault == "not_claims":
        return jws.serialize_compact(header, json.dumps([claims]), key, [alg])
    if fault == "foreign_key":
        return _compact(header, claims, new_key(audience), alg)
    good = _compact(header, claims, key, alg)
    return good[:-8] + ("AAAAAAAA" if not good.endswith("AAAAAAAA") else "BBBBBBBB")


def is_ours(token: str, key: SigningKey, alg: str) -> bool:
    """Whether we signed `token`, expired or not (an expired one is a valid id_token_hint)."""
    try:
        jws.deserialize_compact(token, key, [alg])
    except Exception:  # Whatever it is, it is not ours; joserfc lets ValueError through as well.
        return False
    return True


def _compact(header: Claims, claims: Claims, key: SigningKey, alg: str) -> str:
    return jws.serialize_compact(header, json.dumps(claims), key, [alg])


def _hmac(header: Claims, claims: Claims, secret: bytes) -> str:
    signed = f"{_encode(header)}.{_encode(claims)}"
    signature = hmac.new(secret, to_bytes(signed), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _encode(part: Claims) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
