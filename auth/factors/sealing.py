"""What a factor must keep secret: sealed with the portal's file keys, so that a stolen database opens nothing.

Every key of the ring opens, the current one seals: keys are rotated as those of the files are.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from portal.config import Settings


class Unsealable(Exception):
    """Not sealed by us, not for this purpose, or too old."""


class _Keys:
    ring: MultiFernet
    codes: bytes


def configure(settings: Settings) -> None:
    """Derive the keys from those of the environment."""
    ring = settings.file_key_ring().values()
    _Keys.ring = MultiFernet([Fernet(urlsafe_b64encode(hashlib.sha256(b"factor:" + key).digest())) for key in ring])
    _Keys.codes = hashlib.sha256(b"factor codes:" + settings.secret_key.get_secret_value().encode()).digest()


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


def digest(*parts: object) -> bytes:
    """A keyed digest of a short secret: six digits could be guessed from a plain one."""
    return hmac.new(_Keys.codes, "\0".join(map(str, parts)).encode(), hashlib.sha256).digest()


def same(one: bytes, other: bytes) -> bool:
    """Compare two digests in a time that says nothing."""
    return hmac.compare_digest(one, other)
