"""A collector that works: reads syslog frames over TCP or TLS, keeps them; can be told to fail as a real one does."""

import socketserver
import ssl
from dataclasses import dataclass

from portal.gateways.serving import Serving


@dataclass
class SiemFaults:
    """What goes wrong from now on. cut_after: hang up, with what is still to come unread, after that many messages."""

    cut_after: int | None = None


class SiemTwin(Serving, socketserver.ThreadingTCPServer):
    """Listens on a free port of the loopback until the context ends."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int = 0, *, tls: ssl.SSLContext | None = None) -> None:
        """tls: with the certificate that it shows, for 127.0.0.1."""
        super().__init__(("127.0.0.1", port), _Conversation)
        self.tls = tls
        self.faults = SiemFaults()
        self.messages: list[str] = []

    @property
    def url(self) -> str:
        return f"syslog+{'tls' if self.tls else 'tcp'}://127.0.0.1:{self.server_address[1]}"


class _Conversation(socketserver.StreamRequestHandler):
    server: SiemTwin

    def setup(self) -> None:
        if self.server.tls is not None:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        if self.server.tls is not None:
            self.request.close()

    def handle(self) -> None:
        taken = 0
        while (size := self._size()) is not None:
            self.server.messages.append(self.rfile.read(size).decode("ascii"))
            taken += 1
            if self.server.faults.cut_after is not None and taken >= self.server.faults.cut_after:
                return
        if isinstance(self.request, ssl.SSLSocket):
            self.request.unwrap()  # its own close_notify: it has read to the end

    def _size(self) -> int | None:
        digits = b""
        while (sign := self.rfile.read(1)).isdigit():
            digits += sign
        return int(digits) if digits else None
