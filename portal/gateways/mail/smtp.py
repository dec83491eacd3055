"""Mail by SMTP (RFC 5321), step by step, to know whether the message was taken when the line is cut."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from portal.gateways import OutcomeUnknown, Refused, Unavailable
from portal.gateways.door import Deadline, Door
from portal.gateways.mail.contract import Message, address_of, written


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where and how to reach a server. The password stays out of every representation."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    starttls: bool = False


class SmtpMailer:
    """`Mailer` over a relay; one connection per message, safe to share between threads."""

    def __init__(
        self, server: SmtpServer, *, sender: str, timeout_seconds: float = 20.0, door: Door | None = None
    ) -> None:
        self.door = door or Door("mail.smtp", timeout_seconds=timeout_seconds)
        self._server = server
        self._sender = sender

    def send(self, message: Message) -> None:
        """See `Mailer.send`."""
        raw = written(message, self._sender).as_bytes()
        with self.door.passage("send") as deadline, self._session(deadline) as session:
            _expect(_in_time(session, deadline).mail(address_of(self._sender)), 250)
            _expect(_in_time(session, deadline).rcpt(message.to), 250, 251)
            _hand_over(_in_time(session, deadline), raw)

    def check(self) -> None:
        """See `Mailer.check`: connects, signs in if there is a user, sends nothing."""
        with self.door.passage("check") as deadline, self._session(deadline) as session:
            _expect(_in_time(session, deadline).noop(), 250)

    @contextmanager
    def _session(self, deadline: Deadline) -> Iterator[smtplib.SMTP]:
        """A greeted, encrypted and signed-in session. What goes wrong on the way there concerns no message."""
        try:
            session = self._connected(deadline)
        except (OSError, smtplib.SMTPException):
            raise Unavailable("the mail server cannot be reached, or does not let us in") from None
        try:
            yield session
            with suppress(OSError, smtplib.SMTPException):  # the message is taken: a rude goodbye changes nothing
                session.quit()
        except (OSError, smtplib.SMTPException):
            raise Unavailable("the mail server stopped answering") from None
        finally:
            session.close()

    def _connected(self, deadline: Deadline) -> smtplib.SMTP:
        server, timeout = self._server, deadline.remaining()
        # Our own name is given: smtplib would look it up in the DNS, which may take longer than any limit.
        name = address_of(self._sender).rpartition("@")[2] or "localhost"
        if server.tls:
            context = ssl.create_default_context()
            session: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, name, timeout=timeout, context=context)
        else:
            session = smtplib.SMTP(server.host, server.port, name, timeout=timeout)
        try:
            if server.starttls:
                _in_time(session, deadline).starttls(context=ssl.create_default_context())
            _in_time(session, deadline).ehlo_or_helo_if_needed()
            if server.user:
                _in_time(session, deadline).login(server.user, server.password)
        except BaseException:
            session.close()
            raise
        return session


def _in_time(session: smtplib.SMTP, deadline: Deadline) -> smtplib.SMTP:
    """The session, whose next step may take no longer than what is left of the passage."""
    if session.sock is not None:
        session.sock.settimeout(deadline.remaining())
    return session


def _hand_over(session: smtplib.SMTP, raw: bytes) -> None:
    """DATA and the text. Once the text leaves, a cut line no longer says whether it was taken."""
    try:
        answer = session.data(raw)
    except smtplib.SMTPDataError as error:  # refused before the text
        answer = (error.smtp_code, b"")
    except (OSError, smtplib.SMTPException):
        raise OutcomeUnknown("the mail server was cut while it took the message") from None
    _expect(answer, 250)


def _expect(answer: tuple[int, bytes], *codes: int) -> None:
    """What the server said, as a fact. Its text is dropped: it usually quotes the address."""
    code = answer[0]
    if code in codes:
        return
    if 500 <= code < 600:
        raise Refused(str(code), "the mail server refuses this message")
    raise Unavailable(f"the mail server cannot take this message now ({code})")
