"""MLLP: one message between a vertical tab and a file separator (HL7 v2.5, implementation guide, appendix C)."""

import socket
from typing import Final

from portal.gateways.his.hl7v2 import limit_for

START: Final = b"\x0b"
END: Final = b"\x1c\r"
_PIECE: Final = 65536
_BEGINNING: Final = 1000  # enough for the header, which says what the message is


class Cut(Exception):
    """The line was closed, or what came is no block."""


def framed(message: bytes) -> bytes:
    """A message as it travels."""
    return START + message + END


class Blocks:
    """Blocks that arrive on a line, one after the other; bytes between two of them are dropped."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._held = bytearray()

    def next(self) -> bytes | None:
        """The next message; None when the other side hung up between two. Raises Cut, OSError, TimeoutError."""
        looked = 0
        while (end := self._held.find(END, looked)) < 0:
            if len(self._held) > limit_for(bytes(self._held[:_BEGINNING])) + len(START):
                raise Cut("a block is too long")
            looked = max(0, len(self._held) - len(END))
            piece = self._line.recv(_PIECE)
            if not piece:
                if START in self._held:
                    raise Cut("the line was closed inside a block")
                return None
            self._held += piece
        start = self._held.rfind(START, 0, end)
        if start < 0:
            raise Cut("a block has no beginning")
        block = bytes(self._held[start + len(START) : end])
        del self._held[: end + len(END)]
        return block
