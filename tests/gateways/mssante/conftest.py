"""A twin of an operator, two boxes, and the portal's door to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from portal.gateways.mssante import Box, Operator, Papers, Place, connect, operators, revocation
from portal.gateways.mssante.twin import Kind, RunningTwin, TwinBox, start_in_thread

OURS = "cardiologie@ch-essai.mssante.fr"
THEIRS = "adam.hoda@medecin.mssante.fr"
SECRET = "un mot de passe"
TOKEN = "un.jeton.psc"


def mail(number: int = 1, size: int = 0) -> bytes:
    """A mail as it is written; size: bytes of its text."""
    head = f"From: {OURS}\r\nTo: {THEIRS}\r\nSubject: Lettre\r\nMessage-ID: <{number}@ch-essai.mssante.fr>\r\n\r\n"
    line = "Bonjour" + "x" * 69 + "\r\n"
    return (head + line * max(size // len(line), 1)).encode()


@dataclass
class Ground:
    """What a test stands on."""

    twin: RunningTwin
    ours: TwinBox
    theirs: TwinBox

    def operator(self, auth: str = "password", papers: Papers | None = None, **options: object) -> Operator:
        return connect(self.twin.url(auth), papers or self.twin.papers, production=False, **options)  # type: ignore[arg-type]  # options of connect, as tests give them

    @property
    def box(self) -> Box:
        return Box(OURS, SECRET)


@pytest.fixture(autouse=True)
def _nothing_is_remembered_of_another_test() -> None:
    """Ports come back: neither a breaker nor a list of revoked certificates is another operator's."""
    operators._doors.clear()
    revocation._published.clear()


@pytest.fixture
def ground() -> Iterator[Ground]:
    with start_in_thread() as twin:
        yield Ground(twin, twin.open_box(OURS, Kind.ORG, SECRET), twin.open_box(THEIRS, Kind.PER, "autre"))


Poller = Callable[[Operator], None]


class Taking:
    """What a poller does: read, keep for good, then mark."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.place = Place()
        self.kept: list[bytes] = []

    def __call__(self, operator: Operator) -> None:
        with operator.read(self.box, self.place) as reading:
            self.place = reading.place
            for found in reading.waiting(100):
                key = (found.raw or b"").partition(b"Message-ID: ")[2].partition(b"\r\n")[0]
                if key not in self.kept:
                    self.kept.append(key)
                reading.mark([found.uid])
                self.place = Place(self.place.validity, found.uid)


@pytest.fixture
def taking(ground: Ground) -> Taking:
    return Taking(ground.box)
