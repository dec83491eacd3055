"""A line between two programs that can go bad: refused, silent, slow, cut, or lying. Bytes pass unchanged otherwise."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum

_PIECE = 64 * 1024
_SLOW_BYTES = 256
_SLOW_S = 0.2


class Trouble(StrEnum):
    """What a bad line does to those who call."""

    REFUSED = "refused"  # nobody listens: connections are reset as soon as they are made
    SILENT = "silent"  # half-open: connected, everything is swallowed, nothing comes back
    SLOW = "slow"  # 256 bytes every 0.2 s in each direction
    CUT = "cut"  # hangs up after the first bytes of the answer
    GARBLED = "garbled"  # what is answered arrives, every byte of it changed
    ELSEWHERE = "elsewhere"  # somebody else answers, well: the page of a network that asks who one is
    OVERLOADED = "overloaded"  # a proxy answers in its place that it is too busy


_INSTEAD = {
    Trouble.ELSEWHERE: b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 49\r\nConnection: close\r\n\r\n"
    b"<html><body>Please accept our terms</body></html>",
    Trouble.OVERLOADED: b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
}
"""What comes back, whatever was asked, and in whatever tongue."""


_GARBLED = bytes(255 - byte for byte in range(256))


class Line:
    """Listens on a free port of the loopback, and carries what comes to `target`; `trouble` may change at any time."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.trouble: Trouble | None = None
        self.calls = 0
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    def fail(self, trouble: Trouble) -> None:
        """From now on, for the calls under way too."""
        self.trouble = trouble
        if trouble is Trouble.REFUSED:
            self._hang_up()

    def heal(self) -> None:
        """What was begun on the bad line is cut, as a peer that comes back does."""
        self.trouble = None
        self._hang_up()

    def close(self) -> None:
        self._closed = True
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._hang_up()

    def _hang_up(self) -> None:
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._closed:
            try:
                caller, _address = self._listening.accept()
            except OSError:
                return
            self.calls += 1
            threading.Thread(target=self._carry, args=(caller,), daemon=True).start()

    def _carry(self, caller: socket.socket) -> None:
        if self.trouble is Trouble.REFUSED:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, not a goodbye
            caller.close()
            return
        if self.trouble in _INSTEAD:
            _answer_instead(caller, _INSTEAD[self.trouble])
            return
        with suppress(OSError), caller, socket.create_connection(self.target, 5) as called, self._kept(caller, called):
            asking = threading.Thread(target=self._pass, args=(caller, called, False), daemon=True)
            asking.start()
            self._pass(called, caller, True)
            for each in (caller, called):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            asking.join()

    @contextmanager
    def _kept(self, *ends: socket.socket) -> Iterator[None]:
        with self._lock:
            self._open.update(ends)
        try:
            yield
        finally:
            with self._lock:
                self._open.difference_update(ends)

    def _pass(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        with suppress(OSError):
            while data := source.recv(_SLOW_BYTES if self.trouble is Trouble.SLOW else _PIECE):
                if self.trouble is Trouble.SILENT:
                    continue
                if self.trouble is Trouble.SLOW:
                    time.sleep(_SLOW_S)
                if self.trouble is Trouble.GARBLED and is_answer:
                    data = data.translate(_GARBLED)
                if self.trouble in _INSTEAD:  # a line that was open before: it is not theirs
                    return
                sink.sendall(data[:8] if self.trouble is Trouble.CUT and is_answer else data)
                if self.trouble is Trouble.CUT and is_answer:
                    return
            sink.shutdown(socket.SHUT_WR)


def _answer_instead(caller: socket.socket, page: bytes) -> None:
    """To whatever is asked; those who wait for a greeting are given it as well."""
    with suppress(OSError), caller:
        caller.settimeout(0.3)
        with suppress(TimeoutError):
            caller.recv(_PIECE)
        caller.sendall(page)
        caller.shutdown(socket.SHUT_WR)
        while caller.recv(_PIECE):
            pass
