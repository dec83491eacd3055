"""ClamAV's daemon, over TCP or a local socket (clamd(8), section "COMMANDS": INSTREAM and PING)."""

import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from portal.gateways import Refused, Unavailable
from portal.gateways.antivirus.contract import Verdict
from portal.gateways.door import Deadline, Door

MAX_REPLY_BYTES = 4096
_PIECE_BYTES = 64 * 1024


class ClamdScanner:
    """`Scanner` over clamd; one connection per file, safe to share between threads."""

    def __init__(
        self, address: tuple[str, int] | str, *, timeout_seconds: float = 60.0, door: Door | None = None
    ) -> None:
        self.door = door or Door("antivirus.clamd", timeout_seconds=timeout_seconds)
        self._address = address

    def scan(self, chunks: Iterable[bytes]) -> Verdict:
        """See `Scanner.scan`."""
        with self.door.passage("scan") as deadline, self._connected(deadline) as line:
            with suppress(BrokenPipeError, ConnectionResetError):  # clamd stopped reading: its reply says why
                _send(line, b"zINSTREAM\0", deadline)
                for piece in _pieces(chunks):
                    _send(line, struct.pack("!L", len(piece)) + piece, deadline)
                _send(line, struct.pack("!L", 0), deadline)
            return _verdict(_reply(line, deadline))

    def check(self) -> None:
        """See `Scanner.check`."""
        with self.door.passage("check") as deadline, self._connected(deadline) as line:
            _send(line, b"zPING\0", deadline)
            if _reply(line, deadline) != "PONG":
                raise Unavailable("the scanner does not answer to PING")

    @contextmanager
    def _connected(self, deadline: Deadline) -> Iterator[socket.socket]:
        try:
            with self._dial(deadline) as line:
                yield line
        except OSError:
            raise Unavailable("the scanner cannot be reached, or stopped answering") from None

    def _dial(self, deadline: Deadline) -> socket.socket:
        if isinstance(self._address, tuple):
            return socket.create_connection(self._address, timeout=deadline.remaining())
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.settimeout(deadline.remaining())
            line.connect(self._address)
        except BaseException:
            line.close()
            raise
        return line


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Chunks of a size clamd likes; an empty one would end the stream too early."""
    for chunk in chunks:
        for start in range(0, len(chunk), _PIECE_BYTES):
            yield chunk[start : start + _PIECE_BYTES]


def _send(line: socket.socket, data: bytes, deadline: Deadline) -> None:
    line.settimeout(deadline.remaining())
    line.sendall(data)


def _reply(line: socket.socket, deadline: Deadline) -> str:
    """One reply, ended by NUL as we asked with the "z" prefix."""
    received = b""
    while b"\0" not in received:
        line.settimeout(deadline.remaining())
        piece = line.recv(MAX_REPLY_BYTES)
        if not piece or len(received) > MAX_REPLY_BYTES:
            raise Unavailable("the scanner's reply is cut or endless")
        received += piece
    return received.partition(b"\0")[0].decode("ascii", errors="replace")


def _verdict(reply: str) -> Verdict:
    """Clean only when clamd says exactly so: anything unexpected leaves the file unreadable."""
    if reply == "stream: OK":
        return Verdict(clean=True)
    if reply.startswith("stream: ") and reply.endswith(" FOUND"):
        return Verdict(clean=False, signature=reply.removeprefix("stream: ").removesuffix(" FOUND"))
    if reply.startswith("INSTREAM size limit exceeded"):
        raise Refused("size", "the file is larger than the scanner accepts (StreamMaxLength)")
    raise Unavailable("the scanner's reply is not a verdict")
