"""A subscriber that works: it checks signatures, remembers what it was told, and can be told to fail."""

from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from portal.gateways.serving import Serving


@dataclass(frozen=True)
class Told:
    """One call. headers: in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class SubscriberFaults:
    """What goes wrong from now on. status: answered instead of 204, 0 for none at all (it hangs up)."""

    status: int = 204
    location: str = ""
    takes: bool = True
    silent: bool = False


@dataclass
class Memory:
    """Everything that was taken, in order."""

    calls: list[Told] = field(default_factory=list)


class SubscriberTwin(Serving, ThreadingHTTPServer):
    """Listens on a free port of the loopback until the context ends."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Call)
        self.faults = SubscriberFaults()
        self.memory = Memory()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/agenda"


class _Call(BaseHTTPRequestHandler):
    server: SubscriberTwin

    def do_POST(self) -> None:
        faults = self.server.faults
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if faults.takes:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.server.memory.calls.append(Told(self.path, headers, body))
        if faults.silent:
            self.server.stopped.wait(10)
        if faults.silent or not faults.status:
            self.close_connection = True
            return
        self.send_response(faults.status)
        if faults.location:
            self.send_header("Location", faults.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 the name of the standard library
        """Tests read their own output."""
