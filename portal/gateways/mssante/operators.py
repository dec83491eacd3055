"""An operator as the portal sees it: two doors, shared by all its boxes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from portal.gateways import Unavailable
from portal.gateways.door import Door
from portal.gateways.mssante.contract import Box, Place, Reading, Submission, Submitted
from portal.gateways.mssante.imap import Imap
from portal.gateways.mssante.means import Means
from portal.gateways.mssante.reading import OpenBox
from portal.gateways.mssante.smtp import Submitter
from portal.gateways.mssante.trust import Trust
from portal.gateways.mssante.url import OperatorAddress

# Breakers outlive the objects of one job: an operator that fails is left alone by the next one too.
_doors: dict[tuple[str, float], Door] = {}
_doors_lock = threading.Lock()


class MssanteOperator:
    """`Operator` by SMTP and IMAP; a connection per mail sent, one per box read; safe to share between threads."""

    def __init__(
        self, address: OperatorAddress, trust: Trust, means: Means, *, most_bytes: int, timeout_seconds: float
    ) -> None:
        self.smtp_door = _door(f"mssante.smtp {address.smtp}", timeout_seconds)
        self.imap_door = _door(f"mssante.imap {address.imap}", timeout_seconds)
        self._most_bytes = most_bytes
        self._submitter = Submitter(address.smtp, trust, means)
        self._imap = Imap(address.imap, trust, means, most_bytes)

    def size_limit(self, box: Box) -> int | None:
        """See `Operator.size_limit`."""
        with self.smtp_door.passage("size") as deadline:
            return self._submitter.size_limit(box, deadline)

    def submit(self, box: Box, mail: Submission) -> Submitted:
        """See `Operator.submit`."""
        with self.smtp_door.passage("submit") as deadline:
            return self._submitter.submit(box, mail, deadline)

    @contextmanager
    def read(self, box: Box, after: Place) -> Iterator[Reading]:
        """See `Operator.read`."""
        with self.imap_door.passage("open") as deadline:
            conversation = self._imap.open(box, deadline)
            opened = OpenBox(self.imap_door, conversation, self._most_bytes)
            try:
                with conversation.within(deadline):
                    opened.select(after)
            except BaseException:
                conversation.close()
                raise
        try:
            yield opened
            with suppress(Unavailable), self.imap_door.passage("close") as deadline:
                conversation.goodbye(deadline)
        finally:
            conversation.close()

    def check(self, box: Box | None) -> None:
        """See `Operator.check`."""
        with self.smtp_door.passage("check") as deadline:
            self._submitter.check(box, deadline)
        with self.imap_door.passage("check") as deadline:
            self._imap.open(box, deadline).goodbye(deadline)


def _door(name: str, timeout_seconds: float) -> Door:
    with _doors_lock:
        return _doors.setdefault((name, timeout_seconds), Door(name, timeout_seconds=timeout_seconds))
