"""Hostile bytes are opened in a process of its own: a parser that eats, hangs, falls or is taken over does so alone.

That process holds none of our secrets (no environment, no file or line of ours), may use so much processor, memory and
time, and ends with its answer. It is forked from one that was started clean and has loaded the parsers (`child`): a
fork of ours would know what we know, and to load the parsers for each file takes twenty times as long.
"""

import atexit
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from threading import Lock
from typing import Any, Final

from portal.apart.child import LENGTH

SECONDS: Final = 20
_CHILD: Final = Path(__file__).parent / "child.py"
_MOST_ANSWERED: Final = 20 * 1024 * 1024
_AT_ONCE: Final = 1024 * 1024
# Memory that each thread of a decoder would set aside for itself counts as used.
_ENVIRONMENT: Final = {"MALLOC_ARENA_MAX": "2"}


class GaveUp(Exception):
    """It took too long or too much, or fell on what it was given."""


class CannotStart(OSError):
    """The machine can start no process for now; it is no fault of the bytes."""


def run(
    reader: Path, data: bytes, arguments: Sequence[str] = (), *, seconds: int = SECONDS, most: int = _MOST_ANSWERED
) -> bytes:
    """What `answer(data, *arguments)` of the module in that file returns. The module imports little of the portal.

    seconds: of processor, and twice that on the clock. most: bytes of the answer. Raises GaveUp, CannotStart.
    """
    asked = json.dumps([seconds, str(reader), *arguments]).encode()
    until = time.monotonic() + 2 * seconds
    line, pid = _starter.forked(asked, until)
    with line:
        try:
            line.sendall(LENGTH.pack(len(data)))
            if data:  # to send nothing fails too, when the answer to nothing has come and the line is closed
                line.sendall(data)
            length = LENGTH.unpack(_read(line, LENGTH.size, until))[0]
            if length > most:
                raise GaveUp
            return _read(line, length, until)
        except (GaveUp, OSError) as trouble:
            _end(line, pid)
            raise GaveUp from trouble


def _read(line: socket.socket, length: int, until: float) -> bytes:
    """So many bytes. Raises GaveUp when they do not come, TimeoutError when they come too late."""
    whole = bytearray(length)
    rest = memoryview(whole)
    while rest:
        line.settimeout(max(0.001, until - time.monotonic()))
        came = line.recv_into(rest)
        if not came:
            raise GaveUp
        rest = rest[came:]
    return bytes(whole)


def _end(line: socket.socket, pid: int) -> None:
    """End it, unless it ended: its end of the line, which nobody else holds, would be closed, and its number might be
    another's by now."""
    seen = select.poll()
    seen.register(line, 0)
    if not any(what & select.POLLHUP for _line, what in seen.poll(0)):
        with suppress(ProcessLookupError):
            os.kill(pid, SIGKILL)


@dataclass
class _Starter:
    """The clean process, one for each of ours; started when it is first needed, and again if it is gone."""

    ours: int = 0
    control: socket.socket | None = None
    process: "subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        self._lock = Lock()

    def forked(self, asked: bytes, until: float) -> tuple[socket.socket, int]:
        """A line to a process forked for this, and its number. Raises CannotStart."""
        for _try in range(2):
            control, line = self._line(asked)
            try:
                return line, int(LENGTH.unpack(_read(line, LENGTH.size, until))[0])
            except (GaveUp, OSError):  # the clean one was ended, or cannot fork
                line.close()
                with self._lock:
                    if self.control is control:
                        self.forget()
        raise CannotStart

    def _line(self, asked: bytes) -> tuple[socket.socket, socket.socket]:
        here, there = socket.socketpair()
        for end in (here, there):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _AT_ONCE)
        with there, self._lock:
            for is_last in (False, True):
                try:
                    control = self._started()
                    socket.send_fds(control, [asked], [there.fileno()])
                    return control, here
                except OSError as trouble:  # it is gone, or stuck, or cannot be started
                    self.forget()
                    if is_last:
                        here.close()
                        raise CannotStart from trouble
        raise CannotStart

    def _started(self) -> socket.socket:
        if self.control is None or self.ours != os.getpid():
            self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.control.settimeout(SECONDS)
            with theirs:
                command = [sys.executable, "-I", "-B", str(_CHILD)]
                # Its errors may quote a document, and go nowhere.
                self.process = subprocess.Popen(
                    command,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=_ENVIRONMENT,
                )
            self.ours = os.getpid()
        return self.control

    def forget(self) -> None:
        """Close the line: the clean process ends with it."""
        if self.control is not None:
            self.control.close()
        if self.process is not None and self.ours == os.getpid():
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.control = self.process = None


_starter = _Starter()
atexit.register(_starter.forget)


def told(facts: dict[str, Any], data: bytes = b"") -> bytes:
    """An answer of a few facts, and of bytes."""
    return json.dumps(facts).encode() + b"\n" + data


def heard(answer: bytes) -> tuple[dict[str, Any], bytes]:
    """What `told` wrote; never believed further than its shape. Raises GaveUp."""
    head, _line, data = answer.partition(b"\n")
    try:
        facts = json.loads(head)
    except ValueError:
        raise GaveUp from None
    if not isinstance(facts, dict):
        raise GaveUp
    return facts, data
