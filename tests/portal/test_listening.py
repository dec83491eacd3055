"""Web processes and the connections that browsers open in advance."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack

import httpx
import pytest

QUICK_S = 3.0
"""Under gunicorn's own five seconds of patience."""


def answer(_environ: object, start_response: Callable[..., object]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


@pytest.fixture
def listening() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A web process as `parvis web` starts it, with its two threads, and its port."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        command = (
            f"-m gunicorn {__name__}:answer --bind fd://{door.fileno()} --threads 2 --keep-alive 15"
            " --worker-class portal.web.listening.PatientWorker"
            " --graceful-timeout 20 --no-control-socket --log-level critical"
        )
        process = subprocess.Popen([sys.executable, *command.split()], pass_fds=[door.fileno()])
        yield process, door.getsockname()[1]
        process.kill()
        process.wait()


def test_silent_connections_keep_nobody_waiting_and_are_served_when_they_speak(
    listening: tuple[subprocess.Popen[bytes], int],
) -> None:
    process, port = listening
    with ExitStack() as open_connections:
        assert ask(port) == "ok"
        silent = [open_connections.enter_context(socket.create_connection(("127.0.0.1", port))) for _one in range(8)]
        began = time.monotonic()
        assert ask(port) == "ok"
        assert time.monotonic() - began < QUICK_S

        silent[0].sendall(b"GET / HTTP/1.1\r\nHost: portal.test\r\n\r\n")
        assert silent[0].recv(100).startswith(b"HTTP/1.1 200 OK")
        process.send_signal(signal.SIGTERM)
        assert process.wait(2 * QUICK_S) == 0


def ask(port: int) -> str:
    return httpx.get(f"http://127.0.0.1:{port}", timeout=30, trust_env=False).text
