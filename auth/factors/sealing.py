"""What a factor must keep secret: sealed with the portal's file keys, so that a stolen database opens nothing.

Every key of the ring opens, the current one seals: keys are rotated as those of the files are.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from portal.config import Settings


class Unsealable(Exception):
    """Not sealed by us, not for this purpose, or too old."""


class _Keys:
    ring: MultiFernet
    current: Fernet
    codes: tuple[bytes, ...]


def configure(settings: Settings) -> None:
    """Derive the keys from those of the environment."""
    ring = settings.file_key_ring().values()
    made = [Fernet(urlsafe_b64encode(hashlib.sha256(b"factor:" + key).digest())) for key in ring]
    _Keys.ring, _Keys.current = MultiFernet(made), made[0]
    _Keys.codes = tuple(hashlib.sha256(b"factor codes:" + each.encode()).digest() for each in settings.secret_keys())


def seal(purpose: str, what: Mapping[str, Any]) -> bytes:
    """Make `what` unreadable, and good for this purpose only."""
    return _Keys.ring.encrypt(json.dumps({"for": purpose, "what": dict(what)}).encode())


def unseal(purpose: str, sealed: bytes | str, max_age_s: int | None = None) -> dict[str, Any]:
    """Read what was sealed for this purpose, at most `max_age_s` ago. Raises Unsealable."""
    try:
        opened = json.loads(_Keys.ring.decrypt(sealed, ttl=max_age_s))
    except (InvalidToken, ValueError) as error:
        raise Unsealable from error
    if opened["for"] != purpose:
        raise Unsealable
    return dict(opened["what"])


def renewed(sealed: bytes) -> bytes:
    """The same under the current key, as old as it was; itself when that is the one. Raises Unsealable."""
    try:
        _Keys.current.decrypt(sealed)
    except InvalidToken:
        try:
            return _Keys.ring.rotate(sealed)
        except InvalidToken as error:
            raise Unsealable from error
    return sealed


def digest(*parts: object) -> bytes:
    """A keyed digest of a short secret: six digits could be guessed from a plain one."""
    return digests(*parts)[0]


def digests(*parts: object) -> tuple[bytes, ...]:
    """The same under each of the portal's secrets, the one that signs first."""
    text = "\0".join(map(str, parts)).encode()
    return tuple(hmac.new(key, text, hashlib.sha256).digest() for key in _Keys.codes)


def same(one: bytes, others: Iterable[bytes]) -> bool:
    """Whether it is one of these digests, in a time that says nothing."""
    return any([hmac.compare_digest(one, each) for each in others])  # noqa: C419 - never stops at the first
