"""The mail door."""

from urllib.parse import parse_qs, unquote, urlsplit

from portal.gateways import UnsupportedUrl
from portal.gateways.mail.console import ConsoleMailer
from portal.gateways.mail.contract import Mailer, Message
from portal.gateways.mail.smtp import SmtpMailer, SmtpServer
from portal.gateways.mail.twin import MailTwin

__all__ = ["Mailer", "Message", "connect"]

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def connect(url: str, *, sender: str = "parvis@localhost") -> Mailer:
    """`console:` (printed), `twin:` (kept in memory), `smtp://user:password@host:port?starttls=1` or `smtps://…`.

    `sender` is the From of every message: an address, or `Name <address>`. User and password are percent-encoded.
    Opens no connection yet. Raises `UnsupportedUrl`.
    """
    scheme = url.partition(":")[0]
    if scheme == "console":
        return ConsoleMailer(sender=sender)
    if scheme == "twin":
        return MailTwin(sender=sender)
    if scheme in ("smtp", "smtps"):
        return SmtpMailer(_server(url), sender=sender)
    raise UnsupportedUrl(f"mail {scheme!r} is not supported: use smtp://, smtps:// or console:")


def _server(url: str) -> SmtpServer:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UnsupportedUrl("mail: the port is not a number") from None
    if not parts.hostname:
        raise UnsupportedUrl("mail: smtp needs a host")
    tls = parts.scheme == "smtps"
    starttls = parse_qs(parts.query).get("starttls", ["0"])[-1] in ("1", "true", "yes")
    if parts.username and not (tls or starttls or parts.hostname in _LOOPBACK):
        raise UnsupportedUrl("mail: a password is never sent in clear; add ?starttls=1 or use smtps://")
    return SmtpServer(
        host=parts.hostname,
        port=port or (465 if tls else 587 if parts.username else 25),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=tls,
        starttls=starttls,
    )
