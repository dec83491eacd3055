"""Web processes and the connections that browsers open in advance."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import httpx
import pytest

from portal.web.listening import Patience, PatientWorker

QUICK_S = 3.0
"""Under gunicorn's own five seconds of patience."""
_LARGE = 32 * 1024 * 1024
"""More than the system keeps for somebody who does not read."""


class Hasty(PatientWorker):
    """The one of `parvis web`, in a hurry."""

    patience = Patience(headers_s=0.3, silence_s=0.3, slowest=1024 * 1024)


def answer(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """As much as the path says, once the whole body has come."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    received = len(environ["wsgi.input"].read(length))
    if received < length:
        start_response("400 Bad Request", [("Content-Length", "0")])
        return []
    size = _LARGE if environ["PATH_INFO"] == "/large" else 2
    start_response("200 OK", [("Content-Length", str(size))])
    return [b"ok" * (size // 2)]


@pytest.fixture(params=["portal.web.listening.PatientWorker"])
def listening(request: pytest.FixtureRequest) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A web process as `parvis web` starts it, with its two threads, and its port."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        command = (
            f"-m gunicorn {__name__}:answer --bind fd://{door.fileno()} --threads 2 --keep-alive 15"
            f" --worker-class {request.param}"
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


hasty = pytest.mark.parametrize("listening", [f"{__name__}.Hasty"], indirect=True, ids=["hasty"])
SLOW = {
    "headers that stop": b"GET / HTTP/1.1\r\nHost: portal.te",
    "a body that stops": b"POST / HTTP/1.1\r\nHost: portal.test\r\nContent-Length: 1000000\r\n\r\na=",
    "an answer that nobody reads": b"GET /large HTTP/1.1\r\nHost: portal.test\r\n\r\n",
}


@hasty
@pytest.mark.parametrize("said", SLOW.values(), ids=SLOW)
def test_browsers_that_stop_in_the_middle_leave_their_threads_to_others(
    listening: tuple[subprocess.Popen[bytes], int], said: bytes
) -> None:
    _process, port = listening
    with ExitStack() as open_connections:
        assert ask(port) == "ok"
        for _one in range(4):
            line = open_connections.enter_context(socket.create_connection(("127.0.0.1", port)))
            line.sendall(said)
        time.sleep(0.1)
        assert ask(port) == "ok"


@hasty
@pytest.mark.parametrize("began", [b"GET / HTTP/1.1\r\n", SLOW["a body that stops"]], ids=["headers", "a body"])
def test_who_sends_a_byte_now_and_then_is_hung_up_on(
    listening: tuple[subprocess.Popen[bytes], int], began: bytes
) -> None:
    _process, port = listening
    assert ask(port) == "ok"
    until = time.monotonic() + 10
    with socket.create_connection(("127.0.0.1", port)) as line, suppress(ConnectionError):
        line.sendall(began)
        line.settimeout(0.05)
        while time.monotonic() < until:
            line.sendall(b"x")
            with suppress(TimeoutError):
                heard = line.recv(100)
                assert heard == b"" or heard.startswith(b"HTTP/1.1 400")
                break
    assert time.monotonic() < until


def test_who_is_answered_and_does_not_hang_up_stops_nobody(listening: tuple[subprocess.Popen[bytes], int]) -> None:
    _process, port = listening
    with ExitStack() as open_connections:
        assert ask(port) == "ok"
        for _one in range(6):
            line = open_connections.enter_context(socket.create_connection(("127.0.0.1", port)))
            line.sendall(b"GET / HTTP/1.1\r\nHost: portal.test\r\nConnection: close\r\n\r\n")
            assert line.recv(100).startswith(b"HTTP/1.1 200 OK")
        began = time.monotonic()
        assert ask(port) == "ok"
        assert time.monotonic() - began < QUICK_S


def test_a_body_that_comes_slowly_but_surely_is_taken(listening: tuple[subprocess.Popen[bytes], int]) -> None:
    _process, port = listening
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(b"POST / HTTP/1.1\r\nHost: portal.test\r\nContent-Length: 30\r\n\r\n")
        for _piece in range(3):
            time.sleep(0.1)
            line.sendall(b"0123456789")
        assert line.recv(100).startswith(b"HTTP/1.1 200 OK")


def ask(port: int) -> str:
    return httpx.get(f"http://127.0.0.1:{port}", timeout=30, trust_env=False).text
