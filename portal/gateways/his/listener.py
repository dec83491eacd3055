"""The ear of the portal: an MLLP server that hands each message to whoever takes it, and sends the answer back."""

import socket
import socketserver
import threading
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

import structlog

from portal.gateways.his.framing import Blocks, Cut, framed
from portal.gateways.serving import Serving

log = structlog.get_logger("portal.gateways")

Receive = Callable[[bytes], bytes]
Network = IPv4Network | IPv6Network
_MOST_LINES = 64
IDLE_SECONDS = 600.0


class MllpListener(Serving, socketserver.ThreadingTCPServer):
    """Listens until the context ends; one thread a line, as many lines as a hospital's interfaces have.

    receive: a message → its acknowledgement; never raises. callers: networks that may call, all when none is given.
    """

    allow_reuse_address = True
    daemon_threads = True
    looks_every_s = 0.05

    def __init__(
        self,
        address: tuple[str, int],
        receive: Receive,
        callers: tuple[Network, ...] = (),
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Line)
        self.receive = receive
        self.callers = callers
        self.idle_seconds = idle_seconds
        self.lines = threading.BoundedSemaphore(_MOST_LINES)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def verify_request(self, request: object, client_address: Any) -> bool:
        """Callers from elsewhere, and more of them than there are lines, are hung up on."""
        caller = ip_address(str(client_address[0]))
        if self.callers and not any(caller in network for network in self.callers):
            log.warning("listener.refused")
            return False
        return True


class _Line(socketserver.BaseRequestHandler):
    server: MllpListener
    request: socket.socket

    def handle(self) -> None:
        if not self.server.lines.acquire(blocking=False):
            log.warning("listener.full")
            return
        try:
            self._converse()
        except (Cut, OSError) as error:
            log.warning("listener.cut", reason=type(error).__name__)
        finally:
            self.server.lines.release()

    def _converse(self) -> None:
        self.request.settimeout(self.server.idle_seconds)
        blocks = Blocks(self.request)
        while (message := blocks.next()) is not None:
            self.request.sendall(framed(self.server.receive(message)))
