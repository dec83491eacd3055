"""Which addresses may be called: an administrator's subscription must not make the portal knock on doors inside.

The name is resolved once, every address it gives must be public, and the connection goes to the one that was looked
at: a name that answers otherwise the second time (DNS rebinding) gains nothing.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

from portal.gateways import Refused, Unavailable, UnsupportedUrl

Resolve = Callable[[str, int], Sequence[str]]
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
    if not anywhere and _is_literal_inside(parts.hostname):
        raise UnsupportedUrl("the address must be a public one")
    return parts


def _is_literal_inside(host: str) -> bool:
    try:
        return not is_public(host)
    except ValueError:
        return host.rstrip(".") == "localhost" or host.rstrip(".").endswith((".localhost", ".local", ".internal"))


def is_public(address: str) -> bool:
    """Whether an IP address is one of the Internet. Raises ValueError when it is not an address."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return found in _IPV6_INTERNET and found.is_global and not _holds_an_ipv4(found)
        found = found.ipv4_mapped
    return found.is_global and not found.is_multicast


_IPV6_INTERNET: Final = ipaddress.IPv6Network("2000::/3")
"""All that IANA gives out (RFC 4291, 2.4): the translators' prefixes (64:ff9b::/96, RFC 6052) are outside it."""


def _holds_an_ipv4(address: ipaddress.IPv6Address) -> bool:
    """6to4 (RFC 3056) and Teredo (RFC 4380) lead to an IPv4 address, which may be one inside."""
    return address.sixtofour is not None or address.teredo is not None


def port_of(parts: SplitResult) -> int:
    return parts.port or _PORTS[parts.scheme]


def reachable(parts: SplitResult, resolve: Resolve, *, anywhere: bool) -> str:
    """The address to connect to. Raises `Refused` ("address") when one of the name's is private, `Unavailable`."""
    try:
        found = resolve(parts.hostname or "", port_of(parts))
    except OSError:
        raise Unavailable("the name of the subscriber is not known") from None
    if not found:
        raise Unavailable("the name of the subscriber is not known")
    if not anywhere and not all(is_public(each) for each in found):
        raise Refused("address", "the subscriber's name leads to a private address")
    return found[0]


def by_dns(host: str, port: int) -> Sequence[str]:
    """Every address of a name. Raises OSError."""
    return [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
