"""A mail server that keeps what it is given: what the portal says it sent is held against what arrived."""

from collections import Counter
from email import message_from_bytes
from email.policy import default
from threading import Lock
from typing import Any

from aiosmtpd.controller import Controller


class Letterbox:
    """Listens on this port of the loopback until `close`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._received: Counter[str] = Counter()
        self._lock = Lock()
        self._server = Controller(self, hostname="127.0.0.1", port=port)
        self._server.start()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        letter = message_from_bytes(envelope.content, policy=default)
        with self._lock:
            self._received[f"{envelope.rcpt_tos[0]} {letter['Subject']}"] += 1
        return "250 OK"

    def received(self) -> Counter[str]:
        """`recipient subject` → how many times."""
        with self._lock:
            return Counter(self._received)

    def close(self) -> None:
        self._server.stop()
