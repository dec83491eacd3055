"""Answers encrypted for the portal alone, as FranceConnect+ does: a JWE around the JWS (RFC 7516)."""

from collections.abc import Mapping
from typing import Any

from joserfc import jwe, jwk

EncryptionKey = jwk.ECKey | jwk.RSAKey
CONTENT_ENCRYPTION = "A256GCM"


def encryption_key(published: Mapping[str, Any]) -> EncryptionKey:
    """The first key for encryption of a JWK Set. Raises `LookupError` when there is none."""
    for entry in published.get("keys", []):
        if entry.get("use") == "enc" and entry.get("kty") in ("EC", "RSA"):
            key = jwk.import_key(entry)
            assert isinstance(key, jwk.ECKey | jwk.RSAKey), "EC and RSA are asked for"
            return key
    raise LookupError("the portal publishes no encryption key")


def seal(token: str, key: EncryptionKey, parties: Mapping[str, str]) -> str:
    """A compact JWE; FranceConnect+ repeats the two parties (iss, aud) in its header."""
    return _encrypt(token, key, {**_header(key), **parties})


def seal_badly(token: str, key: EncryptionKey, fault: str) -> str:
    """The same gone wrong, in the way that `fault` says."""
    header = _header(key)
    if fault == "not_encrypted":
        return token
    if fault == "sealed_for_unknown_key":
        return _encrypt(token, key, header | {"kid": "never-published"})
    if fault == "sealed_for_another":
        return _encrypt(token, _another(key), header)
    if fault == "sealed_weakly":
        return _encrypt(token, key, header | {"enc": "A128CBC-HS256"})
    if fault == "sealed_compressed":
        return _encrypt(token, key, header | {"zip": "DEF"})
    if fault == "sealed_nothing":
        return _encrypt("", key, header)
    good = _encrypt(token, key, header)
    return good[:-6] + ("AAAAAA" if not good.endswith("AAAAAA") else "BBBBBB")


def _header(key: EncryptionKey) -> dict[str, str]:
    return {"alg": str(key.get("alg")), "enc": CONTENT_ENCRYPTION, "kid": str(key.kid), "cty": "JWT"}


def _encrypt(token: str, key: EncryptionKey, header: dict[str, str]) -> str:
    allowed = [header["alg"], header["enc"], "DEF"]
    return jwe.encrypt_compact(
        header, token, key, registry=jwe.JWERegistry(algorithms=allowed, strict_check_header=False)
    )


def _another(key: EncryptionKey) -> EncryptionKey:
    if isinstance(key, jwk.ECKey):
        return jwk.ECKey.generate_key(str(key.get("crv")))
    return jwk.RSAKey.generate_key(2048)
