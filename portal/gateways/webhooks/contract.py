"""What a door for webhooks does: it posts a signed event to an address that a hospital's other system gave."""

from collections.abc import Mapping
from typing import Protocol


class Webhooks(Protocol):
    """Something that posts an event to a subscriber."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Post it; return the status, from 200 to 299.

        Raises `Refused` (the status, for 300 to 499 but 408, 425 and 429; "address" when it is not one that may be
        called), `Unavailable`, `OutcomeUnknown`. No redirection is followed.
        """

    def check(self) -> None:
        """Return: subscribers are looked at one by one, when there is something to tell them."""
