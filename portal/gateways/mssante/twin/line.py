"""A line to a client of the twin, which may be encrypted on the way, cut, held or dripped."""

import socket
import ssl
import threading

from portal.gateways.mssante.twin.faults import Faults, Point

_MOST_LINE = 65536
_CLIENT_SECONDS = 30.0


class Gone(Exception):
    """The conversation is over: the client left, or the twin was told to cut."""


class Line:
    """Reads lines and bytes, writes answers."""

    def __init__(self, plain: socket.socket, faults: Faults, stopped: threading.Event) -> None:
        self._socket: socket.socket = plain
        self._faults = faults
        self._stopped = stopped
        self._buffer = b""
        self._drips = False
        self.client_certificate: bytes | None = None
        plain.settimeout(_CLIENT_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def is_encrypted(self) -> bool:
        return isinstance(self._socket, ssl.SSLSocket)

    def read_line(self) -> bytes:
        """Without its end. Raises `Gone`."""
        while b"\r\n" not in self._buffer:
            if len(self._buffer) > _MOST_LINE:
                raise Gone
            self._more()
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def read(self, size: int) -> bytes:
        """Raises `Gone`."""
        found = bytearray(self._buffer[:size])
        self._buffer = self._buffer[size:]
        while len(found) < size:
            self._more()
            wanted = size - len(found)
            found += self._buffer[:wanted]
            self._buffer = self._buffer[wanted:]
        return bytes(found)

    def read_some(self) -> bytes:
        """What has come, or what comes next. Raises `Gone`."""
        if not self._buffer:
            self._more()
        found, self._buffer = self._buffer, b""
        return found

    def give_back(self, rest: bytes) -> None:
        self._buffer = rest + self._buffer

    def write(self, answer: bytes) -> None:
        """Raises `Gone`."""
        try:
            if not self._drips:
                self._socket.sendall(answer)
                return
            for position in range(len(answer)):
                self._socket.sendall(answer[position : position + 1])
                self._wait(self._faults.drip_seconds)
        except OSError:
            raise Gone from None

    def say(self, text: str) -> None:
        self.write(text.encode() + b"\r\n")

    def point(self, point: Point) -> None:
        """A moment where something may go wrong. Raises `Gone`."""
        if self._faults.strikes("cut_at", point):
            raise Gone
        if self._faults.strikes("silent_at", point):
            self._wait(_CLIENT_SECONDS)
            raise Gone
        if self._faults.strikes("slow_at", point):
            self._wait(self._faults.slow_seconds)
        self._drips = self._drips or self._faults.strikes("drip_at", point)

    def encrypt(self, context: ssl.SSLContext) -> None:
        """What came in clear is forgotten: it may have been slipped in (RFC 3207 § 6). Raises `Gone`."""
        self._buffer = b""
        try:
            encrypted = context.wrap_socket(self._socket, server_side=True)
        except OSError:
            raise Gone from None
        self._socket = encrypted
        self.client_certificate = encrypted.getpeercert(binary_form=True)

    def close(self) -> None:
        self._socket.close()

    def _more(self) -> None:
        try:
            found = self._socket.recv(65536)
        except OSError:
            raise Gone from None
        if not found:
            raise Gone
        self._buffer += found

    def _wait(self, seconds: float) -> None:
        if self._stopped.wait(seconds):
            raise Gone
