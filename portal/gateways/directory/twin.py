"""A publisher that works: it gives files under the names of their editions, and can be told to fail."""

from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from portal.gateways.serving import Serving


@dataclass
class PublisherFaults:
    """What goes wrong from now on. status: answered instead of 200. cut_after: bytes after which it hangs up."""

    status: int = 200
    location: str = ""
    cut_after: int | None = None
    hides_names: bool = False


@dataclass
class Shelf:
    """path → (name of the edition, content); and the questions asked, (verb, path)."""

    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)


class PublisherTwin(Serving, ThreadingHTTPServer):
    """Listens on a free port of the loopback until the context ends."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Call)
        self.faults = PublisherFaults()
        self.shelf = Shelf()

    def publish(self, path: str, name: str, content: bytes) -> str:
        """Put a file there; returns its address."""
        self.shelf.files[path] = (name, content)
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class _Call(BaseHTTPRequestHandler):
    server: PublisherTwin

    def do_HEAD(self) -> None:
        self._begin()

    def do_GET(self) -> None:
        content = self._begin()
        cut = self.server.faults.cut_after
        self.wfile.write(content if cut is None else content[:cut])
        if cut is not None:
            self.close_connection = True

    def _begin(self) -> bytes:
        faults, shelf = self.server.faults, self.server.shelf
        shelf.asked.append((self.command, self.path))
        name, content = shelf.files.get(self.path, ("", b""))
        status = faults.status if name or faults.status != 200 else 404
        if status != 200:
            content = b""
        self.send_response(status)
        if faults.location:
            self.send_header("Location", faults.location)
        if name and not faults.hides_names:
            self.send_header("Content-Disposition", f'attachment; filename="{name}"')
        self.send_header("ETag", f'"{len(content)}-{name}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return content

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name of the standard library
        """Tests read their own output."""
