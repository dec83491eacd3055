"""A tiny server of clamd's protocol, around the scanner twin; can be told to fail as a real one does."""

import socketserver
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from portal.gateways.antivirus.twin import SIGNATURE, holds_eicar
from portal.gateways.serving import Serving


class ClamdTrouble(StrEnum):
    SILENT = "silent"  # reads all, never answers
    CUT = "cut"  # hangs up without an answer
    GARBAGE = "garbage"
    ENDLESS = "endless"  # answers without end


@dataclass
class ClamdFaults:
    """What goes wrong from now on."""

    trouble: ClamdTrouble | None = None
    max_stream_bytes: int = 25 * 1024 * 1024  # clamd.conf: StreamMaxLength


class TooLong(Exception):
    """The stream is over StreamMaxLength."""


class ClamdTwin(Serving, socketserver.ThreadingTCPServer):
    """Listens on a free port of the loopback until the context ends."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Conversation)
        self.faults = ClamdFaults()

    @property
    def url(self) -> str:
        return f"clamd://127.0.0.1:{self.server_address[1]}"


class _Conversation(socketserver.StreamRequestHandler):
    server: ClamdTwin

    def handle(self) -> None:
        command = self._until_nul()
        if command == b"zPING":
            self._answer(b"PONG")
        elif command == b"zINSTREAM":
            self._scan()
        else:
            self._answer(b"UNKNOWN COMMAND")

    def _scan(self) -> None:
        try:
            found = holds_eicar(self._stream())
        except TooLong:
            self._answer(b"INSTREAM size limit exceeded. ERROR")
        else:
            self._answer(f"stream: {SIGNATURE} FOUND".encode() if found else b"stream: OK")

    def _stream(self) -> Iterator[bytes]:
        total = 0
        while True:
            (length,) = struct.unpack("!L", self.rfile.read(4))
            if length == 0:
                return
            total += length
            if total > self.server.faults.max_stream_bytes:
                raise TooLong
            yield self.rfile.read(length)

    def _answer(self, reply: bytes) -> None:
        trouble = self.server.faults.trouble
        if trouble is ClamdTrouble.SILENT:
            self.server.stopped.wait(10)
        elif trouble is ClamdTrouble.GARBAGE:
            self.wfile.write(b"<html>\0")
        elif trouble is ClamdTrouble.ENDLESS:
            self.wfile.write(b"a" * 100_000)
        elif trouble is None:
            self.wfile.write(reply + b"\0")

    def _until_nul(self) -> bytes:
        command = b""
        while (byte := self.rfile.read(1)) not in (b"", b"\0"):
            command += byte
        return command
