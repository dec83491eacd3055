"""Numbers for `/status/metrics`: how late the exchanges are, and what waits."""

from collections.abc import Iterator

from prometheus_client.core import Metric

from portal.web.measuring import gauge, measure
from services.exchanges import queries


def register() -> None:
    """Once a process."""
    measure("exchanges.metrics", _read)


def _read() -> Iterator[Metric]:
    waiting, lag_s, refused = queries.backlog()
    yield gauge("parvis_exchange_waiting", "Changes to be told to somebody", waiting)
    yield gauge("parvis_exchange_lag_seconds", "How long the oldest of them has waited", lag_s)
    yield gauge("parvis_exchange_refused", "Changes that a hospital system refused, and nobody settled", refused)
