"""The operator's IMAP (RFC 3501, RFC 9051): one box opened, over a line that is ours."""

import imaplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from portal.gateways import Refused, Unavailable
from portal.gateways.door import Deadline
from portal.gateways.mssante.contract import Box, NotLetIn, Untrusted
from portal.gateways.mssante.line import Line
from portal.gateways.mssante.means import Means, Password
from portal.gateways.mssante.trust import Trust, handshake
from portal.gateways.mssante.url import Host

_PIECE = 2**16
# All that a command may be answered, literals aside.
_MOST_WORDS = 4 * 2**20
# imaplib takes it for granted that answers are well formed, and stumbles in many ways when they are not.
_BROKEN = (OSError, imaplib.IMAP4.error, ValueError, TypeError, LookupError, AttributeError)


class Client(imaplib.IMAP4):
    """imaplib's client, which reads no literal larger than `most_bytes`: what is left of it is thrown away."""

    def __init__(self, line: Line, most_bytes: int) -> None:
        self._line = line
        self._most_bytes = most_bytes
        self.overflowed = False
        self._left = _MOST_WORDS
        super().__init__(line.host.name, line.host.port)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return self._line.socket

    def uid(self, command: str, *args: str) -> tuple[str, list[Any]]:
        """See `imaplib.IMAP4.uid`."""
        self._left = _MOST_WORDS
        return super().uid(command, *args)

    def readline(self) -> bytes:
        """See `imaplib.IMAP4.readline`."""
        line = super().readline()
        self._left -= len(line)
        if self._left < 0:
            raise self.abort("an answer without an end")
        return line

    def read(self, size: int) -> bytes:
        """See `imaplib.IMAP4.read`."""
        if size <= self._most_bytes:
            found = super().read(size)
            if len(found) < size:
                raise self.abort("cut in the middle of a mail")
            return found
        self.overflowed = True
        while size > 0 and (piece := super().read(min(size, _PIECE))):
            size -= len(piece)
        return b""


class Imap:
    """Opens lines to the operator's IMAP."""

    def __init__(self, host: Host, trust: Trust, means: Means, most_bytes: int) -> None:
        self._host = host
        self._trust = trust
        self._means = means
        self._most_bytes = most_bytes

    def open(self, box: Box | None, deadline: Deadline) -> "Conversation":
        """An encrypted conversation, with the box let in when one is given."""
        context = self._trust.context()
        conversation = Conversation(Line(self._host, deadline), self._most_bytes)
        try:
            with conversation.within(deadline):
                conversation.start(context, may_be_plain=self._trust.is_blind)
                if box is not None:
                    sign_in(conversation.client, self._means, box)
        except BaseException:
            conversation.close()
            raise
        return conversation


class Conversation:
    """A line to the operator, which may last several passages."""

    client: Client

    def __init__(self, line: Line, most_bytes: int) -> None:
        self._line = line
        self._most_bytes = most_bytes
        self._spoken = line.socket

    @contextmanager
    def within(self, deadline: Deadline) -> Iterator[None]:
        """For the time of a passage. What breaks the line is `Unavailable`."""
        try:
            with self._line.within(deadline, self._spoken):
                yield
        except imaplib.IMAP4.readonly:
            raise Refused("READ-ONLY", "the box cannot be written") from None
        except _BROKEN:
            raise Unavailable("the operator's IMAP stopped answering, or cannot be understood") from None

    def start(self, context: ssl.SSLContext, *, may_be_plain: bool) -> None:
        """Greeting and STARTTLS."""
        self.client = Client(self._line, self._most_bytes)
        if "STARTTLS" in self.client.capabilities:
            with handshake():
                self.client.starttls(context)
            self._spoken = self.client.sock
        elif not may_be_plain:
            raise Untrusted("the operator's IMAP does not encrypt (no STARTTLS)")

    def goodbye(self, deadline: Deadline) -> None:
        """What was done is done: a rude goodbye changes nothing."""
        with suppress(Unavailable), self.within(deadline):
            self.client.logout()
        self.close()

    def close(self) -> None:
        """Without a word."""
        if hasattr(self, "client"):
            with suppress(OSError):
                self.client.shutdown()
        self._line.close()


def sign_in(client: Client, means: Means, box: Box) -> None:
    """Raises `NotLetIn`, or `Unavailable` when the operator says that it cannot tell now."""
    try:
        if f"AUTH={means.mechanism}" in client.capabilities:
            client.authenticate(means.mechanism, _answers(means.shown(box)))
        elif isinstance(means, Password):
            client.login(means.user(box), means.password(box))
        elif not means.needs_certificate:
            raise NotLetIn("no such means")
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        if b"UNAVAILABLE" in str(error).upper().encode():  # RFC 5530
            raise Unavailable("the operator cannot let anybody in now") from None
        raise NotLetIn("NO") from None


def _answers(shown: bytes) -> Callable[[bytes], bytes]:
    """XOAUTH2 asks again to tell why it says no, and waits for an empty answer."""
    said = iter([shown])
    return lambda challenge: next(said, b"")
