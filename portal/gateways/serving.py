"""A server that runs beside us for as long as a `with` lasts: twins of counterparts, and lines that we listen on."""

import socketserver
import threading
from types import TracebackType
from typing import Self


class Serving(socketserver.BaseServer):
    """stopped: set when the `with` ends, for conversations that wait. looks_every_s: how soon it notices its end."""

    stopped: threading.Event
    looks_every_s = 0.01

    def __enter__(self) -> Self:
        self.stopped = threading.Event()
        threading.Thread(target=self.serve_forever, args=(self.looks_every_s,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        self.go_away()

    def go_away(self) -> None:
        """Take no call any more, from now on: a closed port is refused only once nobody looks at it."""
        self.shutdown()
        self.server_close()
