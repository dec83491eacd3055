"""The secrets of invitations: derived with the portal's own, so that the database holds none of them."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from uuid import UUID

from auth.factors import sealing


def token_of(invitation_id: UUID) -> str:
    """What the link ends with: 43 signs, the same each time for the same invitation."""
    return urlsafe_b64encode(sealing.digest("guest link", invitation_id)).decode().rstrip("=")


def code_of(invitation_id: UUID, number: int) -> str:
    """The six digits of the number-th code of an invitation."""
    return f"{int.from_bytes(sealing.digest('guest code', invitation_id, number)[:8], 'big') % 1_000_000:06d}"


def new_token() -> str:
    """The secret of a guest's cookie."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
