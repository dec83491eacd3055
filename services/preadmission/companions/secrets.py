"""The secret of a companion's link: derived with the portal's own, so that the database holds none."""

from base64 import urlsafe_b64encode
from uuid import UUID

from auth.factors import sealing


def token_of(companion_id: UUID, number: int) -> str:
    """What the number-th link ends with: 43 signs."""
    return urlsafe_b64encode(sealing.digest("companion link", companion_id, number)).decode().rstrip("=")
