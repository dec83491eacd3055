"""What people do in communities. Each gesture is written in the audit and in the community's own journal."""

from services.communities import identifiers
from services.communities.queries import Seat


class CommunityClosed(Exception):
    """Everything in it can be read, nothing written."""


class NotAllowed(Exception):
    """The member's role does not let them."""


class NotThere(Exception):
    """It is not, or no longer, in this community."""


class Identified(Exception):
    """The text holds the number of a patient: it is not kept."""


def writable(seat: Seat, least: str) -> None:
    """Raises CommunityClosed, NotAllowed."""
    if not seat.is_open:
        raise CommunityClosed
    if not seat.at_least(least):
        raise NotAllowed


def nobody_in(*texts: str) -> None:
    """Raises Identified when one of these holds a number of a patient whose key is right."""
    if any(identifiers.refused(identifiers.found(text)) for text in texts):
        raise Identified
