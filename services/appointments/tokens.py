"""Secrets of addresses that act or show without signing in: derived from a row's id with the portal's secret, so that
the same message or page gives the same address each time, and the database holds only their digests.

When the portal's secret is rotated, addresses given before go on working (their digests are plain), and are written
again as long as the former secret is among the fallbacks; then a new row is written for the next ones.
"""

import hashlib
import re
from base64 import urlsafe_b64encode
from typing import Final
from uuid import UUID

from auth.identity import sealing

_BYTES: Final = 16
"""128 bits: nobody guesses one, and it leaves room for words in a text message."""
_FORM: Final = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)


def token_of(purpose: str, row_id: UUID) -> str:
    """22 signs for an address."""
    return urlsafe_b64encode(sealing.digest(purpose, str(row_id))[:_BYTES]).decode().rstrip("=")


def made(purpose: str, row_id: UUID, kept: bytes) -> str:
    """The signs whose digest is kept, under whichever of the portal's secrets they were made; "" when it is gone."""
    signs = (urlsafe_b64encode(each[:_BYTES]).decode().rstrip("=") for each in sealing.digests(purpose, str(row_id)))
    return next((each for each in signs if digest(each) == kept), "")


def is_well_formed(token: str) -> bool:
    return _FORM.fullmatch(token) is not None


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
