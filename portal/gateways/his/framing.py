"""MLLP: one message between a vertical tab and a file separator (HL7 v2.5, implementation guide, appendix C)."""

import socket
from typing import Final

from portal.gateways.his.hl7v2 import MAX_BYTES

START: Final = b"\x0b"
END: Final = b"\x1c\r"
_PIECE: Final = 65536


class Cut(Exception):
    """The line was closed, or what came is no block."""


def framed(message: bytes) -> bytes:
    """A message as it travels."""
    return START + message + END


class Blocks:
    """Blocks that arrive on a line, one after the other; bytes between two of them are dropped."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._held = b""

    def next(self) -> bytes | None:
        """The next message; None when the other side hung up between two. Raises Cut, OSError, TimeoutError."""
        while (end := self._held.find(END)) < 0:
            if len(self._held) > MAX_BYTES + len(START):
                raise Cut("a block is too long")
            piece = self._line.recv(_PIECE)
            if not piece:
                if START in self._held:
                    raise Cut("the line was closed inside a block")
                return None
            self._held += piece
        block, self._held = self._held[:end], self._held[end + len(END) :]
        start = block.rfind(START)
        if start < 0:
            raise Cut("a block has no beginning")
        return block[start + len(START) :]
