"""How a box is opened: a Pro Santé Connect token, a certificate of the organisation, a password (never in production).

Each says what it shows by SASL (RFC 4422), the same by SMTP and by IMAP.
"""

from typing import Protocol

from portal.gateways.mssante.contract import Box, NotLetIn


class Means(Protocol):
    """A way in."""

    mechanism: str
    """SASL's name of it."""

    needs_certificate: bool
    """Whether the line itself carries the proof (mutual TLS); the mechanism is then used only where announced."""

    def shown(self, box: Box) -> bytes:
        """SASL's first message. Raises `NotLetIn` when there is nothing to show."""


class PscBearer:
    """`psc_bearer`: the access token of the holder's Pro Santé Connect session (référentiel 2, CONF.05 to 07)."""

    mechanism = "XOAUTH2"
    needs_certificate = False

    def __init__(self, user: str = "") -> None:
        self._user = user

    def shown(self, box: Box) -> bytes:
        user = _one_line(self._user or box.address)
        return f"user={user}\x01auth=Bearer {_one_line(box.secret)}\x01\x01".encode()


class ClientCertificate:
    """`client_cert`: mutual TLS with an IGC-Santé certificate of organisation, for boxes without a person behind."""

    mechanism = "EXTERNAL"
    needs_certificate = True

    def __init__(self, user: str = "") -> None:
        self._user = user

    def shown(self, box: Box) -> bytes:
        return _one_line(self._user or box.address).encode()


class Password:
    """`password`: for demonstrations and trials."""

    mechanism = "PLAIN"
    needs_certificate = False

    def __init__(self, user: str = "", password: str = "") -> None:
        self._user = user
        self._password = password

    def shown(self, box: Box) -> bytes:
        """RFC 4616."""
        return f"\0{self.user(box)}\0{self.password(box)}".encode()

    def user(self, box: Box) -> str:
        return _one_line(self._user or box.address)

    def password(self, box: Box) -> str:
        return _one_line(box.secret or self._password)


def _one_line(shown: str) -> str:
    """A secret that is missing, or holds what would end a command, opens nothing."""
    if not shown or not shown.isprintable():
        raise NotLetIn("no secret")
    return shown
