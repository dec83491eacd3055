"""The secrets of invitations: derived with the portal's own, so that the database holds none of them."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from uuid import UUID

from auth.factors import sealing


def token_of(invitation_id: UUID, kept: bytes | None = None) -> str:
    """What the link ends with: 43 signs, the same each time for the same invitation. kept: the digest of the one that
    was made, maybe under another of the portal's secrets."""
    made = [urlsafe_b64encode(each).decode().rstrip("=") for each in sealing.digests("guest link", invitation_id)]
    return next((each for each in made if digest(each) == kept), made[0])


def code_of(invitation_id: UUID, number: int) -> str:
    """The six digits of the number-th code of an invitation."""
    return _codes_of(invitation_id, number)[0]


def is_code_of(invitation_id: UUID, number: int, typed: str) -> bool:
    """Whether these digits are that code, in a time that says nothing."""
    return sealing.same(typed.encode(), [each.encode() for each in _codes_of(invitation_id, number)])


def _codes_of(invitation_id: UUID, number: int) -> list[str]:
    made = sealing.digests("guest code", invitation_id, number)
    return [f"{int.from_bytes(each[:8], 'big') % 1_000_000:06d}" for each in made]


def new_token() -> str:
    """The secret of a guest's cookie."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
