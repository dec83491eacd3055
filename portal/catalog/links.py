"""Which addresses may be linked to: https, of a name that was agreed on. A portal that sends patients anywhere is a
gift to whoever fishes for passwords (CWE-601)."""

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

KNOWN_HOSTS: Final = (
    "monespacesante.fr", "ameli.fr", "sante.fr", "service-public.fr", "service-public.gouv.fr", "sante.gouv.fr",
    "esante.gouv.fr", "has-sante.fr", "dondorganes.fr", "viatrajectoire.fr", "sante-ra.fr", "sas.sante.fr",
    "msa.fr", "annuaire.sante.fr", "solidarites.gouv.fr", "impots.gouv.fr", "info.gouv.fr", "france-assos-sante.org",
)  # fmt: skip
"""National services and, for ViaTrajectoire, the region that hosts it; with every name below them."""


class NotALink(ValueError):
    """The address is not an https one, without a password, a port or a fragment of another site."""


class HostNotAllowed(ValueError):
    """Nobody said that links may lead there. Its argument is the host."""


def host_of(url: str) -> str:
    """The name that an address leads to, in lower case. Raises NotALink."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise NotALink(url) from error
    plain = host.replace("-", "").replace(".", "")
    odd = parts.username is not None or port is not None or any(sign.isspace() or ord(sign) < 33 for sign in url)
    if parts.scheme != "https" or odd or "\\" in url or "." not in host or not (plain.isascii() and plain.isalnum()):
        raise NotALink(url)
    return host


def check(url: str, allowed: Collection[str] = ()) -> None:
    """Raises NotALink, HostNotAllowed. allowed: names beside KNOWN_HOSTS; each allows what is below it."""
    host = host_of(url)
    if not any(host == each or host.endswith(f".{each}") for each in (*KNOWN_HOSTS, *allowed)):
        raise HostNotAllowed(host)
