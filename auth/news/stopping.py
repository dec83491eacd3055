"""The signed address at the end of each message: whoever reads it may have these messages stop, without signing in."""

import hmac
from base64 import urlsafe_b64encode
from uuid import UUID

from auth.identity import sealing
from auth.news.kinds import KINDS


def token(account_id: UUID, channel: str, key: str) -> str:
    """What only we can write. key: codes of kinds, with hyphens."""
    return urlsafe_b64encode(sealing.digest("news stop", f"{account_id} {channel} {key}")[:18]).decode()


def read(account_id: UUID, channel: str, key: str, given: str) -> list[str]:
    """The kinds that the address names; none when we did not write it."""
    if not hmac.compare_digest(token(account_id, channel, key).encode(), given.encode()):
        return []
    return [code for code in key.split("-") if code in KINDS]
