"""The doors' tests read their log lines, whatever level another test set, and some of them are called back."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

import pytest
import structlog

from portal.gateways import reach


@pytest.fixture(autouse=True)
def _every_line_is_written() -> Iterator[None]:
    before = structlog.get_config()
    structlog.reset_defaults()
    yield
    structlog.configure(**before)


@pytest.fixture(autouse=True)
def _twins_may_be_called() -> Iterator[None]:
    before = reach.current()
    reach.configure(reach.read("", anywhere=True))
    yield
    reach.configure(before)


@dataclass
class Portal:
    """A server that writes down who calls it, as our own callback page would."""

    url: str = ""
    calls: list[tuple[str, str, str]] = field(default_factory=list)


@pytest.fixture
def portal() -> Iterator[Portal]:
    heard, lock = Portal(), Lock()

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            with lock:
                heard.calls.append((self.command, self.path, body))
            self.send_response(200)
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    heard.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield heard
    server.shutdown()
    thread.join()
    server.server_close()
