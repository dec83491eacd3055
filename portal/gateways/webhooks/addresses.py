"""Which addresses may subscribe to events: see `portal.gateways.reach` for why and how they are looked at."""

from dataclasses import replace
from typing import Final
from urllib.parse import SplitResult, urlsplit

from portal.gateways import UnsupportedUrl, reach
from portal.gateways.reach import Reach, Resolve

_PORTS: Final = {"https": 443, "http": 80}
_LONGEST: Final = 1000


def checked(url: str, *, anywhere: bool) -> SplitResult:
    """The parts of a subscriber's address. anywhere: http and private addresses too, for a demonstration and tests.

    Raises `UnsupportedUrl`, which says what to change.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UnsupportedUrl("the address is not one") from None
    if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        raise UnsupportedUrl("the address is not one")
    if parts.scheme != "https" and not (anywhere and parts.scheme == "http"):
        raise UnsupportedUrl("the address must begin with https://")
    if not parts.hostname or parts.username or parts.password or parts.fragment or port == 0:
        raise UnsupportedUrl("the address must be https://name/path, without a password or a fragment")
    limits(None, anywhere=anywhere).check(parts.hostname, port_of(parts))
    return parts


def limits(resolve: Resolve | None, *, anywhere: bool) -> Reach:
    """What a subscription may reach. resolve: another way to know the addresses of a name."""
    found = replace(reach.current(), anywhere=anywhere)
    return found if resolve is None else replace(found, resolve=resolve)


def port_of(parts: SplitResult) -> int:
    return parts.port or _PORTS[parts.scheme]
