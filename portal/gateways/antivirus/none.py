"""No scanner: every file is accepted, and its verdict says that nobody looked."""

from collections.abc import Iterable

from portal.gateways.antivirus.contract import Verdict
from portal.gateways.door import Door


class NoScanner:
    """`Scanner` that looks at nothing. It has a door so that the connectors page shows its absence."""

    def __init__(self) -> None:
        self.door = Door("antivirus.none")

    def scan(self, chunks: Iterable[bytes]) -> Verdict:
        """See `Scanner.scan`."""
        with self.door.passage("scan"):
            return Verdict(clean=True, scanned=False)

    def check(self) -> None:
        """See `Scanner.check`."""
