"""A scanner that knows one thing: the EICAR test file, which every scanner reports and which harms nobody."""

from collections.abc import Iterable
from dataclasses import dataclass

from portal.gateways import Unavailable
from portal.gateways.antivirus.contract import Verdict
from portal.gateways.door import Door

# In two halves, or this very file would be quarantined by the scanners of those who clone it.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}" + rb"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
SIGNATURE = "Eicar-Test-Signature"


@dataclass
class ScannerFaults:
    """What goes wrong from now on."""

    down: bool = False


class ScannerTwin:
    """`Scanner` that finds the EICAR test string anywhere in a file."""

    def __init__(self) -> None:
        self.door = Door("antivirus.twin")
        self.faults = ScannerFaults()

    def scan(self, chunks: Iterable[bytes]) -> Verdict:
        """See `Scanner.scan`."""
        with self.door.passage("scan"):
            self._must_be_up()
            found = holds_eicar(chunks)
            return Verdict(clean=not found, signature=SIGNATURE if found else "")

    def check(self) -> None:
        """See `Scanner.check`."""
        with self.door.passage("check"):
            self._must_be_up()

    def _must_be_up(self) -> None:
        if self.faults.down:
            raise Unavailable("the twin was told to be down")


def holds_eicar(chunks: Iterable[bytes]) -> bool:
    """Whether the test string is there, even across two chunks. Reads every chunk, as a real scanner does."""
    found, tail = False, b""
    for chunk in chunks:
        window = tail + chunk
        found = found or EICAR in window
        tail = window[-(len(EICAR) - 1) :]
    return found
