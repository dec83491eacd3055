"""Syslog (RFC 5424) over TCP with octet counting (RFC 6587, 3.4.1) or over TLS (RFC 5425).

Syslog has no acknowledgement. All is written, our half of the line is closed, and the collector's own close says that
it has read to the end; one that keeps the line open for five seconds has taken it too, when its TCP says that nothing
is left with us. A line that was cut, or on which something is left, is told as unknown: the same entries are sent
again, with the same sequence ids.
"""

import fcntl
import os
import socket
import ssl
import sys
import termios
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC

from portal.gateways import OutcomeUnknown, Unavailable
from portal.gateways.door import Deadline, Door
from portal.gateways.siem.contract import Entry

_FACILITY = 13  # log audit
_NOTICE, _WARNING = 5, 4
_MOST_SEQUENCE = 2147483647  # RFC 5424, 7.3.1: then it starts again at 1
_PATIENCE_S = 5.0
_CHUNK = 1 << 16
_SETTLE_S = 0.05
"""One that hangs up with something unread says goodbye first, and that it was cut a moment later."""


class SyslogCollector:
    """`Collector` over one connection a batch."""

    def __init__(
        self, address: tuple[str, int], *, tls: bool = False, anchors: str = "", timeout_seconds: float = 30.0
    ) -> None:
        self.door = Door("siem.syslog", timeout_seconds=timeout_seconds)
        self.name = f"syslog+{'tls' if tls else 'tcp'}://{address[0]}:{address[1]}"
        self._address = address
        self._tls = ssl.create_default_context(cafile=anchors or None) if tls else None
        self._host = _ascii(socket.gethostname(), 255)

    def send(self, entries: Iterable[Entry]) -> int:
        """See `Collector.send`."""
        with self.door.passage("send") as deadline, self._connected(deadline) as line:
            try:
                count = self._write(line, entries, deadline)
                _wait_for_the_end(line, deadline)
            except OSError:
                raise OutcomeUnknown("the line was cut while entries left") from None
            return count

    def check(self) -> None:
        """See `Collector.check`: the port answers, under TLS with a certificate to trust; nothing is sent."""
        with self.door.passage("check") as deadline, self._connected(deadline):
            pass

    def frame(self, entry: Entry) -> bytes:
        """One message, its length first."""
        severity = _WARNING if entry.is_warning else _NOTICE
        moment = entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        sequence = (entry.sequence - 1) % _MOST_SEQUENCE + 1
        head = f"<{8 * _FACILITY + severity}>1 {moment} {self._host} parvis {os.getpid()} {_ascii(entry.kind, 32)}"
        message = f'{head} [meta sequenceId="{sequence}"] {entry.json}'.encode("ascii")
        return f"{len(message)} ".encode() + message

    def _write(self, line: socket.socket, entries: Iterable[Entry], deadline: Deadline) -> int:
        count, waiting = 0, bytearray()
        for entry in entries:
            waiting += self.frame(entry)
            count += 1
            if len(waiting) >= _CHUNK:
                line.settimeout(deadline.remaining())
                line.sendall(waiting)
                waiting.clear()
        line.settimeout(deadline.remaining())
        line.sendall(waiting)
        return count

    @contextmanager
    def _connected(self, deadline: Deadline) -> Iterator[socket.socket]:
        try:
            line = socket.create_connection(self._address, timeout=deadline.remaining())
        except OSError:
            raise Unavailable("the collector cannot be reached") from None
        with line, self._under_tls(line) if self._tls else line as spoken:
            yield spoken

    def _under_tls(self, line: socket.socket) -> socket.socket:
        assert self._tls is not None
        try:
            return self._tls.wrap_socket(line, server_hostname=self._address[0])
        except OSError:
            raise Unavailable("the collector's TLS cannot be trusted") from None


def _wait_for_the_end(line: socket.socket, deadline: Deadline) -> None:
    """Close our half and read until the collector closes its own. Raises OSError when the line was cut."""
    if isinstance(line, ssl.SSLSocket):
        line.settimeout(min(_PATIENCE_S, deadline.remaining()))
        with suppress(TimeoutError):
            _say_goodbye(line)
    else:
        line.shutdown(socket.SHUT_WR)
        line.settimeout(min(_PATIENCE_S, deadline.remaining()))
        with suppress(TimeoutError):
            while line.recv(_CHUNK):
                pass
    time.sleep(_SETTLE_S)
    if trouble := line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(trouble)
    if _left(line):
        raise OSError("some of it never arrived")


def _left(line: socket.socket) -> int:
    """Bytes that the other end's TCP has not acknowledged (SIOCOUTQ, tcp(7)); 0 where the system cannot tell."""
    try:
        return int.from_bytes(fcntl.ioctl(line.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)
    except OSError:
        return 0


def _say_goodbye(line: ssl.SSLSocket) -> None:
    """`close_notify` on both sides, which RFC 5425 (4.4) asks for: a line that ends without the collector's was cut."""
    try:
        line.unwrap()
    except ssl.SSLError as error:
        # One that speaks, which no collector needs to, is still there.
        if isinstance(error, ssl.SSLEOFError) or error.reason != "APPLICATION_DATA_AFTER_CLOSE_NOTIFY":
            raise


def _ascii(text: str, longest: int) -> str:
    """A header field: printable ASCII without a space, `-` when nothing is left."""
    return "".join(sign for sign in text if "!" <= sign <= "~")[:longest] or "-"
