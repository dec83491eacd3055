"""Webhooks over HTTPS, to the very address that was looked at."""

import http.client
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult

from portal.gateways import OutcomeUnknown, Refused, Unavailable, UnsupportedUrl
from portal.gateways.door import Deadline, Door
from portal.gateways.reach import Resolve
from portal.gateways.webhooks import addresses

_READ_AT_MOST = 65536
_LATER = frozenset({408, 425, 429})


class HttpsWebhooks:
    """`Webhooks` over HTTP/1.1; one connection an event.

    anywhere: http and private addresses too (demonstration, tests). Each subscriber has its own breaker in the
    caller's back-off: one that is away must not stop the others, so this door's own stays closed.
    """

    def __init__(
        self, *, anywhere: bool = False, timeout_seconds: float = 10.0, resolve: Resolve | None = None
    ) -> None:
        self.door = Door("webhooks", timeout_seconds=timeout_seconds, open_after=1_000_000)
        self._anywhere = anywhere
        self._resolve = resolve
        self._tls = ssl.create_default_context()

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """See `Webhooks.post`."""
        with self.door.passage("post") as deadline:
            status = self._posted(url, body, headers, deadline)
            if 200 <= status < 300:
                return status
            if 300 <= status < 500 and status not in _LATER:
                raise Refused(str(status), "the subscriber does not take it")
            raise Unavailable(f"the subscriber answered {status}")

    def check(self) -> None:
        """See `Webhooks.check`."""

    def _posted(self, url: str, body: bytes, headers: Mapping[str, str], deadline: Deadline) -> int:
        try:
            parts = addresses.checked(url, anywhere=self._anywhere)
        except UnsupportedUrl as error:
            raise Refused("address", str(error)) from None
        line = self._connected(parts, deadline)
        try:
            with deadline.cutting(line.sock):
                return _exchanged(line, parts, body, headers, deadline)
        except (OSError, http.client.HTTPException, ValueError):
            raise OutcomeUnknown("the subscriber gave no answer that can be understood") from None
        finally:
            line.close()

    def _connected(self, parts: SplitResult, deadline: Deadline) -> http.client.HTTPConnection:
        host, port = parts.hostname or "", addresses.port_of(parts)
        address = addresses.limits(self._resolve, anywhere=self._anywhere).address(host, port)
        line = http.client.HTTPConnection(host, port, timeout=deadline.remaining())
        try:
            sock = socket.create_connection((address, port), timeout=deadline.remaining())
        except OSError:
            raise Unavailable("the subscriber cannot be reached") from None
        try:
            # The certificate is checked against the name, whatever the address.
            line.sock = self._tls.wrap_socket(sock, server_hostname=host) if parts.scheme == "https" else sock
        except OSError:
            sock.close()
            raise Unavailable("the subscriber's certificate cannot be trusted") from None
        return line


def _exchanged(
    line: http.client.HTTPConnection, parts: SplitResult, body: bytes, headers: Mapping[str, str], deadline: Deadline
) -> int:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    line.sock.settimeout(deadline.remaining())
    line.request("POST", target, body, dict(headers))
    line.sock.settimeout(deadline.remaining())
    answer = line.getresponse()
    answer.read(_READ_AT_MOST)
    deadline.remaining()  # an answer cut at the end of the time looks like a short one
    return answer.status
