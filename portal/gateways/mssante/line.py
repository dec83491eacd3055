"""One line to the operator, before anybody speaks: within the passage's time, whatever the counterpart does."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from portal.gateways import Refused, Unavailable, reach
from portal.gateways.door import Deadline
from portal.gateways.mssante.url import Host

# A counterpart that says nothing for so long will say nothing.
SILENCE_SECONDS = 30.0


class Line:
    """A line that may serve several passages: each gives it the time that it has."""

    def __init__(self, host: Host, deadline: Deadline) -> None:
        """Raises `Unavailable`."""
        self.host = host
        try:
            self.socket = reach.current().connect(host.name, host.port, timeout=_patience(deadline))
        except Refused as error:
            raise Unavailable(error.meaning) from None  # letters wait until an operator names it
        except OSError:
            raise Unavailable("the operator cannot be reached") from None
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A second handle on the same line: TLS takes the first one, and cutting must reach it all the same.
        self._handle = self.socket.dup()

    @contextmanager
    def within(self, deadline: Deadline, spoken: socket.socket | None = None) -> Iterator[None]:
        """For the time of a passage. spoken: the line as TLS made it."""
        (spoken or self.socket).settimeout(_patience(deadline))
        with deadline.cutting(self._handle):
            yield

    def close(self) -> None:
        self.socket.close()
        self._handle.close()


def _patience(deadline: Deadline) -> float:
    return min(SILENCE_SECONDS, deadline.remaining())
