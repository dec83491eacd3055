"""A hospital system over MLLP, in the original acknowledgement mode: each message waits for its own answer."""

import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from portal.gateways import OutcomeUnknown, Refused, Unavailable, reach
from portal.gateways.door import Deadline, Door
from portal.gateways.his.contract import Dropped, NotAccepted, Parcel
from portal.gateways.his.framing import Blocks, Cut, framed
from portal.gateways.his.hl7v2 import Acknowledgement, NotHl7, read_acknowledgement

_MOST_STRAY_ANSWERS = 20


class MllpSystem:
    """`HospitalSystem` over one connection a message: a late answer to another one cannot be taken for this one's."""

    def __init__(
        self, address: tuple[str, int], *, tls: bool = False, label: str = "", timeout_seconds: float = 15.0
    ) -> None:
        self.door = Door(f"his.mllp {label}".strip(), timeout_seconds=timeout_seconds)
        self._address = address
        self._tls = ssl.create_default_context() if tls else None

    def send(self, message: bytes, control_id: str) -> Acknowledgement:
        """See `HospitalSystem.send`."""
        with self.door.passage("send") as deadline, self._connected(deadline) as line:
            try:
                line.settimeout(deadline.remaining())
                with deadline.cutting(line):
                    line.sendall(framed(message))
                    answer = _answer(line, control_id, deadline)
            except (OSError, Cut, NotHl7):
                raise OutcomeUnknown("no acknowledgement that can be understood came back") from None
            if not answer.accepted:
                raise NotAccepted(answer)
            return answer

    def put(self, parcel: Parcel) -> Acknowledgement:
        """Files travel by a folder alone."""
        raise Refused("folder", "his_url is not a folder, and files were to be left in one")

    def dropped(self) -> Iterable[Dropped]:
        """Nothing waits: the system calls the listener (`parvis listen his`)."""
        return ()

    def settle(self, name: str, answer: bytes, *, accepted: bool) -> None:
        """See `HospitalSystem.settle`."""

    def check(self) -> None:
        """See `HospitalSystem.check`: the port answers; no message is sent."""
        with self.door.passage("check") as deadline, self._connected(deadline):
            pass

    @contextmanager
    def _connected(self, deadline: Deadline) -> Iterator[socket.socket]:
        try:
            line = reach.current().connect(*self._address, timeout=deadline.remaining())
        except Refused as error:
            raise Unavailable(error.meaning) from None  # messages wait until an operator names it
        except OSError:
            raise Unavailable("the hospital system cannot be reached") from None
        with line:
            yield self._under_tls(line) if self._tls else line

    def _under_tls(self, line: socket.socket) -> socket.socket:
        assert self._tls is not None
        try:
            return self._tls.wrap_socket(line, server_hostname=self._address[0])
        except OSError:
            raise Unavailable("the hospital system's TLS cannot be trusted") from None


def _answer(line: socket.socket, control_id: str, deadline: Deadline) -> Acknowledgement:
    """The answer to this message; those to others, which came late or twice, are passed over."""
    blocks = Blocks(line)
    for _stray in range(_MOST_STRAY_ANSWERS):
        line.settimeout(deadline.remaining())
        block = blocks.next()
        if block is None:
            break
        answer = read_acknowledgement(block)
        if answer.control_id == control_id:
            return answer
    raise Cut("the line was closed without an answer")
