"""The twin as two servers of the loopback: in threads for tests, in its own process for the demonstration."""

import socket
import socketserver
from types import TracebackType
from typing import Self

from portal.gateways.mssante.trust import Papers
from portal.gateways.mssante.twin.boxes import Habits, Kind, TwinBox
from portal.gateways.mssante.twin.certificates import Wallet
from portal.gateways.mssante.twin.entrance import Entrance
from portal.gateways.mssante.twin.faults import Faults
from portal.gateways.mssante.twin.imap import ImapConversation
from portal.gateways.mssante.twin.line import Gone, Line
from portal.gateways.mssante.twin.post_office import PostOffice
from portal.gateways.mssante.twin.smtp import SmtpConversation
from portal.gateways.serving import Serving


class _Listening(Serving, socketserver.ThreadingTCPServer):
    """One of the two servers; one thread a line."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, port: int, entrance: Entrance, conversation: type[SmtpConversation] | type[ImapConversation]
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.entrance = entrance
        self.conversation = conversation

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Handler(socketserver.BaseRequestHandler):
    server: _Listening
    request: socket.socket

    def handle(self) -> None:
        if self.server.entrance.faults.down:
            return
        line = Line(self.request, self.server.entrance.faults, self.server.stopped)
        try:
            self.server.conversation(line, self.server.entrance).run()
        except Gone:
            pass
        finally:
            line.close()


class RunningTwin:
    """A twin that listens. Leaving the context stops it."""

    def __init__(self, smtp_port: int = 0, imap_port: int = 0, post: PostOffice | None = None) -> None:
        self.post = post or PostOffice()
        self.wallet = Wallet()
        self.faults = Faults()
        self.entrance = Entrance(self.post, self.wallet, self.faults)
        self._smtp = _Listening(smtp_port, self.entrance, SmtpConversation)
        self._imap = _Listening(imap_port, self.entrance, ImapConversation)

    def url(self, auth: str = "password", user: str = "", password: str = "") -> str:
        """What the portal is given as the operator's address. user, password: as `connect` takes them, encoded."""
        secret = f"{user}:{password}@" if password else f"{user}@" if user else ""
        return f"smtp+imap://{secret}127.0.0.1:{self._smtp.port}?imap=127.0.0.1:{self._imap.port}&auth={auth}"

    @property
    def papers(self) -> Papers:
        """What the portal knows the twin by, and the certificate that it shows to it."""
        client = self.wallet.client
        revocations = self.wallet.authority.revocations().decode()
        return Papers(self.wallet.authority.anchors, client.certificate, client.key, revocations)

    def open_box(
        self, address: str, kind: Kind = Kind.ORG, password: str = "", habits: Habits | None = None
    ) -> TwinBox:
        """See `PostOffice.open_box`."""
        return self.post.open_box(address, kind, password, habits)

    def start(self) -> Self:
        self._smtp.__enter__()
        self._imap.__enter__()
        return self

    def stop(self) -> None:
        for server in (self._smtp, self._imap):
            server.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_in_thread(smtp_port: int = 0, imap_port: int = 0, post: PostOffice | None = None) -> RunningTwin:
    """A twin listening on 127.0.0.1 (free ports unless told); `with start_in_thread() as twin: …` stops it."""
    return RunningTwin(smtp_port, imap_port, post).start()
