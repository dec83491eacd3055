"""A counterpart that begins an answer and never ends it, one byte now and then."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def dripping(begins: bytes) -> Iterator[int]:
    """Its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stopped = threading.Event()
        thread = threading.Thread(target=_drip, args=(server, begins, stopped), daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            stopped.set()
            thread.join(2)


def _drip(server: socket.socket, begins: bytes, stopped: threading.Event) -> None:
    line, _address = server.accept()
    with line, suppress(OSError):
        line.recv(65536)
        line.sendall(begins)
        while not stopped.wait(0.02):
            line.sendall(b" ")
