"""Where an address that people typed may lead: the Internet, and what an operator named inside (PORTAL_INSIDE_HOSTS).

An administrator of a hospital must not make the portal knock on doors inside. A name is resolved once, every address it
gives is looked at, and the connection goes to one that was looked at: a name that answers otherwise the second time
(DNS rebinding) gains nothing. Addresses of the operator's own settings are theirs to choose and do not pass here.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from portal.gateways import Refused, Unavailable, UnsupportedUrl

Resolve = Callable[[str, int], Sequence[str]]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
INSIDE: Final = "address"
"""The code of a refusal."""
_ENDINGS: Final = (
    "localhost", "local", "localdomain", "internal", "intranet", "intra", "private", "corp", "home", "lan", "arpa",
)  # fmt: skip
"""No public name ends so (RFC 6761, 6762, 8375; `internal` is ICANN's for networks of one's own)."""
_NUMBER: Final = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)


class Inside(UnsupportedUrl):
    """The address leads inside, where no operator let it."""

    def __init__(self) -> None:
        super().__init__("the address is inside the network, and PORTAL_INSIDE_HOSTS does not name it")


def by_dns(host: str, port: int) -> Sequence[str]:
    """Every address of a name. Raises OSError."""
    return [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True)
class Reach:
    """hosts: (name, port; 0 for any) and networks: those inside that may be called. anywhere: every address may, for a
    demonstration and tests."""

    hosts: frozenset[tuple[str, int]] = frozenset()
    networks: tuple[Network, ...] = ()
    anywhere: bool = False
    resolve: Resolve = field(default=by_dns, compare=False)

    def check(self, host: str, port: int) -> None:
        """Look at a host as it is written; no question is asked of anybody. Raises Inside."""
        if not self.anywhere and not self._is_named(host, port) and self._is_inside(host):
            raise Inside

    def address(self, host: str, port: int) -> str:
        """The first address to connect to. Raises as `addresses`."""
        return self.addresses(host, port)[0]

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """Those of a name, one at least. Raises `Refused` (INSIDE) when one of them is inside, `Unavailable`."""
        try:
            found = self.resolve(host, port)
        except (OSError, UnicodeError):
            raise Unavailable("the name is not known") from None
        if not found:
            raise Unavailable("the name is not known")
        if not (self.anywhere or self._is_named(host, port) or all(map(self._may_be_called, found))):
            raise Refused(INSIDE, str(Inside()))
        return list(dict.fromkeys(found))

    def connect(self, host: str, port: int, timeout: float) -> socket.socket:
        """A line to the first address of that host that answers. timeout: seconds for each.

        Raises `Refused` (INSIDE), `Unavailable` for a name that nobody knows, and the OSError of the last address.
        """
        *others, last = self.addresses(host, port)
        for each in others:
            with suppress(OSError):
                return socket.create_connection((each, port), timeout=timeout)
        return socket.create_connection((last, port), timeout=timeout)

    def _is_named(self, host: str, port: int) -> bool:
        name = _plain(host)
        return (name, port) in self.hosts or (name, 0) in self.hosts

    def _may_be_called(self, address: str) -> bool:
        return is_public(address) or _one_of(self.networks, address)

    def _is_inside(self, host: str) -> bool:
        name = _plain(host)
        try:
            return not self._may_be_called(name)
        except ValueError:
            last = name.rpartition(".")[2]
            # Names without a dot are those of a network of one's own; resolvers read 127.1 and 0x7f000001 as IPv4.
            return "." not in name or last in _ENDINGS or bool(_NUMBER.fullmatch(last))


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


def _one_of(networks: Sequence[Network], address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in networks)


def _plain(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()


def read(named: str, *, anywhere: bool = False) -> Reach:
    """PORTAL_INSIDE_HOSTS: `name`, `name:port`, `[address]:port` and `network/length`, separated by spaces.

    Raises `UnsupportedUrl`, which says what to change.
    """
    hosts, networks = set(), []
    for each in named.split():
        try:
            if "/" in each:
                networks.append(ipaddress.ip_network(each))
            else:
                parts = urlsplit(f"//{each}")
                if not parts.hostname or parts.netloc != each or "@" in each:
                    raise ValueError
                hosts.add((_plain(parts.hostname), parts.port or 0))
        except ValueError:
            told = f"PORTAL_INSIDE_HOSTS: {each!r} is not a name, name:port or network/length"
            raise UnsupportedUrl(told) from None
    return Reach(frozenset(hosts), tuple(networks), anywhere)


_current: list[Reach] = [Reach()]


def configure(reach: Reach) -> None:
    """What may be called from now on, in this process."""
    _current[:] = [reach]


def current() -> Reach:
    """The Internet alone, until `configure` says more."""
    return _current[0]
