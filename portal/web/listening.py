"""How web processes take connections: neither silence nor slowness of one browser may keep the others waiting."""

import errno
import socket
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]  # Gunicorn has no types

KEEP_ALIVE_S = 15
"""Longer than browsers keep a connection opened in advance (10 s), or their next request would fall on a closed one."""

_GOODBYE_S = 2.0
_DRAINED = _PIECE = 64 * 1024
_SENT_AHEAD = 64 * 1024
"""Linux takes the double of it."""


@dataclass(frozen=True)
class Patience:
    """How long a thread of ours stays with one browser. headers_s: until a request's headers are there, from its first
    byte. silence_s: without one byte of a body that is announced, or without one that is taken of an answer.
    slowest: bytes a second of a whole body or of a piece of an answer, once silence_s are over.
    body_s: for a whole body, however steadily it comes."""

    headers_s: float = 10.0
    silence_s: float = 20.0
    slowest: float = 4096.0
    body_s: float = 900.0


class Measured(socket.socket):
    """A browser's connection, on which each request has a time of its own. Whoever takes longer has hung up, as far as
    the portal is concerned: gunicorn itself would wait for ever."""

    patience = Patience()
    _began = 0.0
    _received = 0
    _in_body = False

    @classmethod
    def around(cls, plain: socket.socket, patience: Patience) -> "Measured":
        """Take the connection over: nobody else may use `plain` any more."""
        made = cls(fileno=plain.detach())
        made.patience = patience
        # A full buffer takes more once a third of it is free: of four megabytes, slow readers would be cut for silence.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SENT_AHEAD)
        return made

    def begin(self) -> None:
        """The headers of a request come now."""
        self._in_body, self._began = False, time.monotonic()

    def go_on(self) -> None:
        """Its body comes now, if it has one."""
        self._in_body, self._began, self._received = True, time.monotonic(), 0

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """As a socket; b"", as of somebody who hung up, when there is no time left."""
        left = self._left()
        if left <= 0:
            return b""
        usual = self.gettimeout()
        self.settimeout(left if usual is None else min(left, usual))
        try:
            data = super().recv(size, flags)
        except TimeoutError:
            return b""
        finally:
            self.settimeout(usual)
        self._received += len(data)
        return data

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """As a socket; a broken pipe for those who take it too slowly."""
        whole = memoryview(data)
        for start in range(0, len(whole), _PIECE):
            piece = whole[start : start + _PIECE]
            with self._within(self.patience.silence_s + len(piece) / self.patience.slowest):
                super().sendall(piece, flags)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """As a socket; a broken pipe for those who take nothing for a while."""
        with self._within(self.patience.silence_s):
            return super().sendfile(file, offset, count)

    @contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        usual = self.gettimeout()
        self.settimeout(seconds)
        try:
            yield
        except TimeoutError:
            raise BrokenPipeError(errno.EPIPE, "too slow") from None
        finally:
            self.settimeout(usual)

    def _left(self) -> float:
        if not self._in_body:
            return self._began + self.patience.headers_s - time.monotonic()
        earned = min(self.patience.silence_s + self._received / self.patience.slowest, self.patience.body_s)
        return min(self._began + earned - time.monotonic(), self.patience.silence_s)


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # Gunicorn has no types
    """Gives a thread to a connection when its request arrives, and for no longer than it needs.

    gunicorn 27 gives one at once and lets it wait five seconds: with the two threads a process has, two connections
    opened in advance by one browser would make everybody wait that long. Once a first byte is there it waits for ever:
    two browsers that stop in the middle of a word would keep a process for themselves. And it says goodbye to each in
    the one place where all are received, for up to two seconds: whoever does not hang up first would stop them all.
    """

    patience = Patience()

    def __init__(self, *arguments: Any, **words: Any) -> None:
        super().__init__(*arguments, **words)
        self.leaving: deque[TConn] = deque()

    def enqueue_req(self, conn: TConn) -> None:
        if not isinstance(conn.sock, Measured):
            conn.sock = Measured.around(conn.sock, self.patience)
            conn.close = partial(self._close, conn, conn.close)
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def handle(self, conn: TConn) -> Any:
        """One request, from its first byte."""
        conn.sock.begin()
        return super().handle(conn)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Its headers are there."""
        conn.sock.go_on()
        return super().handle_request(req, conn)

    def murder_pending(self) -> None:
        """Those who were told goodbye, too."""
        super().murder_pending()
        while self.leaving and self.leaving[0].timeout < time.monotonic():
            self._part(self.leaving[0])

    def _close(self, conn: TConn, usual: Any, graceful: bool = False) -> None:
        """Say that no more will come, and let them hang up: what they sent and nobody read would cut our last words."""
        if not graceful or not self.alive:
            usual(graceful=graceful)
            return
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            conn.sock.close()
            return
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + _GOODBYE_S
        self.leaving.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self._hear_out, conn))

    def _hear_out(self, conn: TConn, _socket: object) -> None:
        try:
            if socket.socket.recv(conn.sock, _DRAINED):
                return
        except BlockingIOError:
            return
        except OSError:  # a network that went away, too: one that gets through ends the whole process
            pass
        self._part(conn)

    def _part(self, conn: TConn) -> None:
        self.leaving.remove(conn)
        self.poller.unregister(conn.sock)
        conn.sock.close()

    def _cap_keepalive(self, deadline: float) -> None:
        """When stopping, do not wait for silent connections either."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)
