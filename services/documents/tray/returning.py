"""How a refused parcel is sent back, by the way it came: rooms of channels that can answer say so here."""

from collections.abc import Callable, Mapping

from services.documents.models import DocumentArrival

SendBack = Callable[[DocumentArrival, str], None]
_ways: dict[str, SendBack] = {}


def offer(channel: str, send_back: SendBack) -> None:
    """Answer the sender of a parcel that came by this channel: given the parcel and the word of its refusal, write
    down what is to be sent; when the application starts."""
    _ways[channel] = send_back


def ways() -> Mapping[str, SendBack]:
    """Channel → how its senders are answered."""
    return _ways
