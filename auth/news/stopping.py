"""The signed address at the end of each message: whoever reads it may have these messages stop, without signing in."""

from base64 import urlsafe_b64encode
from uuid import UUID

from auth.identity import sealing
from auth.news.kinds import KINDS


def token(account_id: UUID, channel: str, key: str) -> str:
    """What only we can write. key: codes of kinds, with hyphens."""
    return _tokens(account_id, channel, key)[0]


def read(account_id: UUID, channel: str, key: str, given: str) -> list[str]:
    """The kinds that the address names; none when we did not write it."""
    if not sealing.one_of(given, _tokens(account_id, channel, key)):
        return []
    return [code for code in key.split("-") if code in KINDS]


def _tokens(account_id: UUID, channel: str, key: str) -> list[str]:
    made = sealing.digests("news stop", f"{account_id} {channel} {key}")
    return [urlsafe_b64encode(each[:18]).decode() for each in made]
