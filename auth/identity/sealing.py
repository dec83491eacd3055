"""Secrets in columns: sealed with the portal's file keys, found again by a keyed digest.

A sealed value is the id of its key (20 bytes, padded with NUL), a nonce of 12 bytes, then AES-256-GCM. The purpose is
part of what is authenticated: a value cannot be moved from one column to another. A digest is HMAC-SHA256 under a key
derived from the portal's secret (HKDF, one per purpose): whoever has the database alone cannot try values.
"""

import hashlib
import hmac
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Text
from sqlalchemy.types import TypeDecorator

from portal import blanking
from portal.config import Settings
from portal.file_crypto import FileKeys

_ID_SIZE: Final = 20
_NONCE_SIZE: Final = 12


class CannotBeOpened(Exception):
    """The value was changed, or its key is gone."""


@dataclass
class _Keyring:
    keys: FileKeys | None = None
    secrets: tuple[bytes, ...] = ()


_ring = _Keyring()


def configure(settings: Settings) -> None:
    """Take the keys of the environment."""
    _ring.keys = FileKeys.of(settings.file_key_ring())
    _ring.secrets = tuple(each.encode() for each in settings.secret_keys())


def seal(purpose: str, value: str) -> bytes:
    """Encrypt a short text under the current key."""
    keys = _keys()
    nonce = os.urandom(_NONCE_SIZE)
    key_id = keys.current_id.encode("ascii")
    sealed = _cipher(key_id.decode(), purpose).encrypt(nonce, value.encode(), purpose.encode())
    return key_id.ljust(_ID_SIZE, b"\0") + nonce + sealed


def open_(purpose: str, sealed: bytes) -> str:
    """The text again. Raises CannotBeOpened, FileKeyMissing."""
    key_id = sealed[:_ID_SIZE].rstrip(b"\0").decode("ascii", "replace")
    nonce, rest = sealed[_ID_SIZE : _ID_SIZE + _NONCE_SIZE], sealed[_ID_SIZE + _NONCE_SIZE :]
    try:
        return _cipher(key_id, purpose).decrypt(nonce, rest, purpose.encode()).decode()
    except (InvalidTag, ValueError):
        raise CannotBeOpened from None


_MARK: Final = "sealed:"


def seal_text(purpose: str, value: str) -> str:
    """The same for a text column; "" stays ""."""
    return _MARK + b64encode(seal(purpose, value)).decode() if value else value


def open_text(purpose: str, value: str) -> str:
    """The text again; what was written before texts were sealed reads as it is. Raises as `open_`."""
    return open_(purpose, b64decode(value.removeprefix(_MARK))) if value.startswith(_MARK) else value


class SealedText(TypeDecorator[str]):
    """A text column that holds sealed text, see `seal_text`."""

    impl = Text
    cache_ok = True

    def __init__(self, purpose: str) -> None:
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value: str | None, _dialect: Any) -> str | None:
        return seal_text(self.purpose, value) if value else value

    def process_result_value(self, value: str | None, _dialect: Any) -> str | None:
        return open_text(self.purpose, value) if value and value != blanking.MASK else value


def digest(purpose: str, value: str) -> bytes:
    """What the value is found by; the same value gives the same digest for one purpose."""
    return digests(purpose, value)[0]


def digests(purpose: str, value: str) -> tuple[bytes, ...]:
    """The same under each of the portal's secrets, the one that signs first: what was made before a rotation, or by a
    process that is ahead in one, is among the others."""
    return tuple(
        hmac.new(_derived(secret, f"digest {purpose}"), value.encode(), hashlib.sha256).digest()
        for secret in _ring.secrets
    )


def one_of(given: str, ours: Iterable[str]) -> bool:
    """Whether it is one of these, in a time that says nothing. ours: of ASCII."""
    said = given.encode("ascii", "replace")
    return any([hmac.compare_digest(said, each.encode()) for each in ours])  # noqa: C419 - never stops at the first


def current_key_id() -> str:
    """The id of the key that seals, see `FileKeys`."""
    return _keys().current_id


def known_key_ids() -> list[str]:
    """The ids of the keys that open, the current one first."""
    return list(_keys().by_id)


def _cipher(key_id: str, purpose: str) -> AESGCM:
    # Not the file key itself: that one wraps, this one seals; two uses, two keys.
    return AESGCM(_derived(_keys().key(key_id), f"seal {purpose}"))


@lru_cache(128)  # a file of bills asks for the same two keys four hundred thousand times
def _derived(secret: bytes, info: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=f"parvis {info}".encode()).derive(secret)


def _keys() -> FileKeys:
    assert _ring.keys is not None, "sealing.configure was not called"
    return _ring.keys
