"""What an SMS door does."""

import re
from typing import Protocol

from portal.gateways import Refused

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
MAX_TEXT = 480  # three parts: longer than that belongs in the portal, behind a link


class SmsSender(Protocol):
    """Something that carries a short text to a telephone; never with health data."""

    def send(self, to: str, text: str) -> None:
        """Send `text` to the E.164 number `to` (+33612345678).

        Raises `Refused` ("to", "text" or the operator's code), `Unavailable`, `OutcomeUnknown`.
        """

    def check(self) -> None:
        """Return if the counterpart answers; raise `Unavailable` if not."""


def checked(to: str, text: str) -> None:
    """Raises `Refused` for what no operator would send."""
    if not _E164.fullmatch(to):
        raise Refused("to", "the number is not in the form +33612345678")
    if not text.strip() or len(text) > MAX_TEXT:
        raise Refused("text", f"the text is empty or over {MAX_TEXT} characters")
