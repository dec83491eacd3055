"""Our own keys, with which a provider seals its answers for us alone (JWE, RFC 7516).

The public halves are published at `/oidc/jwks`; the provider names the one it used by its kid. To
rotate: put the new key first and keep the old one until the provider has read the new list.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwe, jwk
from joserfc.errors import JoseError
from joserfc.util import urlsafe_b64decode

from auth.oidc.errors import SignInRefused

MIN_RSA_BITS: Final = 2048
CONTENT_ENCRYPTION: Final = "A256GCM"
RSA_ALGS: Final = ("RSA-OAEP-256", "RSA-OAEP")
EC_ALGS: Final = ("ECDH-ES",)
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
# Five parts, where a signed token has three.
_SEALED: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){4}")
_PEM: Final = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.+?-----END \1-----", re.DOTALL)

PrivateKey = jwk.ECKey | jwk.RSAKey


class EncryptionKeys:
    """Private keys by kid, the current one first. Its repr holds no key."""

    def __init__(self, keys: Mapping[str, PrivateKey]) -> None:
        self._keys = dict(keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"EncryptionKeys({', '.join(self._keys)})"

    @classmethod
    def read(cls, text: str) -> "EncryptionKeys":
        """Keys from PEM blocks one after the other, or from a JWK, a list of them or a JWK Set, in JSON.

        A key without a kid gets its thumbprint (RFC 7638). Raises `ValueError`, whose message holds no key.
        """
        keys: dict[str, PrivateKey] = {}
        for key in map(_usable, _entries(text.strip())):
            if str(key.kid) in keys:
                raise ValueError(f"two encryption keys have the kid {key.kid}")
            keys[str(key.kid)] = key
        return cls(keys)

    @classmethod
    def derived(cls, *secrets: str) -> "EncryptionKeys":
        """A key of the curve P-256 made from each long random secret: the same in every process that has it."""
        return cls({str(key.kid): key for key in map(_derived, secrets)})

    def published(self) -> dict[str, Any]:
        """The JWK Set of the public halves (RFC 7517), the current key first."""
        return {"keys": [_public(key) for key in self._keys.values()]}

    def open(self, token: str, what: str) -> str:
        """What was sealed for us: a compact JWS, whose own signature remains to be verified.

        Raises `SignInRefused("<what>_…")`.
        """
        if not _SEALED.fullmatch(token):
            raise SignInRefused(f"{what}_not_encrypted")
        try:
            key = self._key(_header(token), what)
            opened = jwe.decrypt_compact(token, key, registry=_registry(key))
        # Bytes from outside: the library and what is under it raise some twenty kinds of exceptions.
        except SignInRefused:
            raise
        except Exception as error:
            raise SignInRefused(f"{what}_not_decrypted") from error
        return (opened.plaintext or b"").decode("ascii", "replace")

    def _key(self, header: Mapping[str, Any], what: str) -> PrivateKey:
        # "crit" asks for an extension; "zip" lets a small token grow without a limit.
        if {"crit", "zip"} & set(header):
            raise SignInRefused(f"{what}_not_decrypted")
        try:
            return self._keys[str(header.get("kid"))]
        except KeyError:
            raise SignInRefused(f"{what}_encryption_key_unknown") from None


def _derived(secret: str) -> PrivateKey:
    stretched = HKDF(algorithm=SHA256(), length=48, salt=None, info=b"parvis oidc encryption key").derive(
        secret.encode()
    )
    # 128 bits more than the order of the curve, so that no remainder is likelier than another (FIPS 186-5, A.2.1).
    number = int.from_bytes(stretched, "big") % (_P256_ORDER - 1) + 1
    key = jwk.ECKey.import_key(
        ec.derive_private_key(number, ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    key.ensure_kid()
    return key


def _entries(text: str) -> list[Any]:
    if not text.startswith(("{", "[")):
        blocks = [block.group() for block in _PEM.finditer(text)]
        if text and not blocks:
            raise ValueError("encryption keys must be private keys in PEM or JWK")
        return blocks
    try:
        content = json.loads(text)
    except ValueError:
        raise ValueError("encryption keys are not readable JSON") from None
    if isinstance(content, dict):
        content = content.get("keys", [content])
    return content if isinstance(content, list) else []


def _usable(entry: Any) -> PrivateKey:
    try:
        key = jwk.import_key(entry) if isinstance(entry, dict) else _from_pem(entry)
    except (JoseError, ValueError, TypeError, KeyError):
        raise ValueError("an encryption key cannot be read") from None
    if not isinstance(key, jwk.ECKey | jwk.RSAKey) or not key.is_private:
        raise ValueError("encryption keys must be private RSA or elliptic-curve keys")
    if isinstance(key, jwk.RSAKey) and key.raw_value.key_size < MIN_RSA_BITS:
        raise ValueError(f"an RSA encryption key must have {MIN_RSA_BITS} bits or more")
    if key.get("use", "enc") != "enc" or key.get("alg", _algs(key)[0]) not in _algs(key):
        raise ValueError("encryption keys must be for encryption: use enc, and one of the expected algorithms")
    key.ensure_kid()
    return key


def _from_pem(pem: str) -> PrivateKey:
    # A PEM block does not say its kind in its name: RSA is tried first.
    try:
        return jwk.RSAKey.import_key(pem)
    except (JoseError, ValueError, TypeError):
        return jwk.ECKey.import_key(pem)


def _algs(key: PrivateKey) -> tuple[str, ...]:
    return RSA_ALGS if isinstance(key, jwk.RSAKey) else EC_ALGS


def _public(key: PrivateKey) -> dict[str, Any]:
    return {"alg": _algs(key)[0], **key.as_dict(private=False), "use": "enc"}


def _header(token: str) -> Mapping[str, Any]:
    header = json.loads(urlsafe_b64decode(token.partition(".")[0].encode()))
    if not isinstance(header, dict):
        raise ValueError("a header is an object")
    return header


def _registry(key: PrivateKey) -> jwe.JWERegistry:
    """The algorithms of this key alone. FranceConnect+ names itself and us in the header (iss, aud)."""
    algs = (str(key.get("alg")),) if key.get("alg") else _algs(key)
    return jwe.JWERegistry(algorithms=[*algs, CONTENT_ENCRYPTION], strict_check_header=False)
