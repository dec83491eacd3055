"""The secret of a companion's link: derived with the portal's own, so that the database holds none."""

from base64 import urlsafe_b64encode
from uuid import UUID

from auth.factors import sealing
from auth.guests.secrets import digest


def token_of(companion_id: UUID, number: int, kept: bytes | None = None) -> str:
    """What the number-th link ends with: 43 signs. kept: the digest of the one that was made, maybe under another of
    the portal's secrets."""
    digests = sealing.digests("companion link", companion_id, number)
    made = [urlsafe_b64encode(each).decode().rstrip("=") for each in digests]
    return next((each for each in made if digest(each) == kept), made[0])
