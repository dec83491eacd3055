"""No collector: nothing leaves."""

from collections.abc import Iterable

from portal.gateways.siem.contract import Entry


class NoCollector:
    """`Collector` that takes nothing."""

    name = ""

    def send(self, entries: Iterable[Entry]) -> int:
        """See `Collector.send`."""
        return 0

    def check(self) -> None:
        """See `Collector.check`."""
