"""Web processes are replaced while people use the portal: systemd keeps the door, nobody is turned away."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import httpx
import pytest

TOO_LONG_S = 30.0


def answer(environ: dict[str, str], start_response: Callable[..., object]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.5)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


def started(door: socket.socket, notices: Path) -> subprocess.Popen[bytes]:
    """The web processes as systemd starts `parvis web` (sd_listen_fds(3), sd_notify(3)), serving `answer`."""
    command = (
        f"{sys.executable} -m gunicorn {__name__}:answer --bind 127.0.0.1:1 --threads 2 --keep-alive 15"
        " --worker-class portal.web.listening.PatientWorker"
        " --graceful-timeout 20 --no-control-socket --log-level critical"
    )

    def at_three() -> None:
        # The first descriptor after the three standard ones is the door.
        os.dup2(door.fileno(), 3)

    environment = os.environ | {"LISTEN_FDS": "1", "NOTIFY_SOCKET": str(notices)}
    return subprocess.Popen(["sh", "-c", f"LISTEN_PID=$$ exec {command}"], env=environment, preexec_fn=at_three,
                            close_fds=False)  # fmt: skip


@pytest.fixture
def door() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def notices(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "n"))
        heard.settimeout(TOO_LONG_S)
        yield heard


def test_nobody_is_turned_away_while_they_are_replaced(door: socket.socket, notices: socket.socket) -> None:
    url = f"http://127.0.0.1:{door.getsockname()[1]}"
    told = Path(notices.getsockname())
    process = started(door, told)
    assert b"READY=1" in notices.recv(4096)

    answers: list[int] = []
    going = threading.Event()

    def visit() -> None:
        while not going.is_set():
            ask("/")

    def ask(path: str) -> None:
        answers.append(httpx.get(url + path, timeout=TOO_LONG_S, trust_env=False).status_code)

    visitors = [threading.Thread(target=visit), threading.Thread(target=ask, args=("/slow",))]
    for visitor in visitors:
        visitor.start()
    time.sleep(0.2)  # the slow request is being answered
    process.send_signal(signal.SIGTERM)
    assert process.wait(TOO_LONG_S) == 0
    before = len(answers)
    process = started(door, told)
    assert b"READY=1" in notices.recv(4096)
    while len(answers) < before + 3:
        time.sleep(0.01)
    going.set()
    for visitor in visitors:
        visitor.join()
    process.terminate()
    assert process.wait(TOO_LONG_S) == 0
    assert set(answers) == {200}
