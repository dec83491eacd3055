"""How web processes take connections: browsers open some in advance, which must cost nobody a thread."""

import time
from functools import partial
from selectors import EVENT_READ

from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]  # Gunicorn has no types

KEEP_ALIVE_S = 15
"""Longer than browsers keep a connection opened in advance (10 s), or their next request would fall on a closed one."""


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # Gunicorn has no types
    """Gives a thread to a connection when its request arrives.

    gunicorn 27 gives one at once and lets it wait five seconds: with the two threads a process has, two connections
    opened in advance by one browser would make everybody wait that long.
    """

    def enqueue_req(self, conn: TConn) -> None:
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def _cap_keepalive(self, deadline: float) -> None:
        """When stopping, do not wait for silent connections either."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)
