"""The process apart (`portal.apart.run`), started without an environment: it forks itself for each file it is given.

The forked one limits itself, answers with what the named module makes of the bytes, and ends. The first one, which
never reads a byte of a file, loads each module once. Imports nothing of the portal itself.
"""

import importlib.util
import json
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

MEMORY = 1024 * 1024 * 1024
ROOT = Path(__file__).parents[2]
LENGTH = struct.Struct("!Q")
Answer = Callable[..., bytes]


def serve(control: socket.socket) -> None:
    """Fork for each line that comes with what is asked, until whoever asks is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asks
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forked ones
    known: dict[str, Answer] = {}
    while True:
        asked, lines, _flags, _address = socket.recv_fds(control, 64 * 1024, 1)
        if not asked:
            return
        seconds, path, *arguments = json.loads(asked)
        with socket.socket(fileno=lines[0]) as line:
            if path not in known:
                known[path] = answering(path)
            try:
                forked = os.fork() == 0
            except OSError:  # the line ends without a word: the machine is full
                continue
            if forked:
                control.close()
                attend(line, known[path], seconds, arguments)


def answering(path: str) -> Answer:
    """The function `answer` of the module in that file."""
    spec = importlib.util.spec_from_file_location(f"reader_{Path(path).stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    answer: Answer = module.answer
    return answer


def attend(line: socket.socket, answer: Answer, seconds: int, arguments: list[str]) -> NoReturn:
    """Say who one is, read the bytes, answer, end. An answer cut short is none."""
    try:
        limit(seconds)
        line.sendall(LENGTH.pack(os.getpid()))
        length = LENGTH.unpack(received(line, LENGTH.size))[0]
        made = answer(received(line, length), *arguments)
        line.sendall(LENGTH.pack(len(made)))
        line.sendall(made)
    finally:
        os._exit(0)


def received(line: socket.socket, length: int) -> bytes:
    """So many bytes from whoever asks. Raises EOFError when they do not come."""
    whole = bytearray(length)
    rest = memoryview(whole)
    while rest:
        came = line.recv_into(rest)
        if not came:
            raise EOFError
        rest = rest[came:]
    return bytes(whole)


def limit(seconds: int) -> None:
    """From here on, more than this much processor or memory ends the process, and no file can be written."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    serve(socket.socket(fileno=0))
