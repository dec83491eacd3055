"""The address of an operator: `smtp+imap://user@host:port?imap=host:port&auth=xoauth2|client_cert|password`."""

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from portal.gateways import UnsupportedUrl

SCHEME = "smtp+imap"
_SUBMISSION, _IMAP = 587, 143
_KNOWN = {"imap", "auth"}


class Auth(StrEnum):
    """How a box is opened."""

    XOAUTH2 = "xoauth2"
    CLIENT_CERT = "client_cert"
    PASSWORD = "password"  # noqa: S105 - the name of a means, not a password


@dataclass(frozen=True, slots=True)
class Host:
    """A name or an IP address, and a port."""

    name: str
    port: int

    @property
    def is_loopback(self) -> bool:
        try:
            return ip_address(self.name).is_loopback
        except ValueError:
            return self.name == "localhost"

    def __str__(self) -> str:
        return f"{self.name}:{self.port}"


@dataclass(frozen=True, slots=True)
class OperatorAddress:
    """Where an operator is and how its boxes are opened. user: signs in instead of the box's address, when given."""

    smtp: Host
    imap: Host
    auth: Auth
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def is_loopback(self) -> bool:
        return self.smtp.is_loopback and self.imap.is_loopback


def parse(url: str) -> OperatorAddress:
    """User and password are percent-encoded; ports are 587 and 143 unless told. Raises `UnsupportedUrl`."""
    try:
        parts = urlsplit(url.strip())
        smtp = _host(parts, _SUBMISSION)
        options = parse_qs(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        imap = _host(urlsplit("//" + _one(options, "imap", smtp.name)), _IMAP)
    except ValueError as error:
        if isinstance(error, UnsupportedUrl):
            raise
        raise UnsupportedUrl("mssante: the address cannot be read (a port is a number below 65536)") from None
    if parts.scheme != SCHEME:
        raise UnsupportedUrl(f"mssante {parts.scheme[:20]!r} is not supported: use {SCHEME}://host:port?imap=host:port")
    if parts.path.strip("/") or parts.fragment or set(options) - _KNOWN:
        raise UnsupportedUrl("mssante: an operator's address takes the options imap and auth, and nothing else")
    return OperatorAddress(smtp, imap, _auth(options), unquote(parts.username or ""), unquote(parts.password or ""))


def _host(parts: SplitResult, usual_port: int) -> Host:
    if not parts.hostname or not parts.hostname.isascii():
        raise UnsupportedUrl("mssante: an operator needs a host")
    return Host(parts.hostname, parts.port or usual_port)


def _one(options: dict[str, list[str]], name: str, otherwise: str) -> str:
    given = options.get(name, [otherwise])
    if len(given) != 1:
        raise UnsupportedUrl(f"mssante: {name} is given twice")
    return f"[{given[0]}]" if given[0].count(":") > 1 and not given[0].startswith("[") else given[0]


def _auth(options: dict[str, list[str]]) -> Auth:
    try:
        return Auth(_one(options, "auth", Auth.XOAUTH2))
    except ValueError as error:
        if isinstance(error, UnsupportedUrl):
            raise
        raise UnsupportedUrl("mssante: auth is xoauth2, client_cert or password") from None
