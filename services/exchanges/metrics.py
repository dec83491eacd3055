"""Numbers for `/status/metrics`: how late the exchanges are, and what waits."""

from collections.abc import Iterator

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from portal import db
from services.exchanges import queries


class Exchanges(Collector):
    """Looked for in the database at each reading: any process answers for all workers."""

    def describe(self) -> Iterator[Metric]:
        """Nothing: the database is not asked when the process starts."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Nothing when the database does not answer: `/status/ready` says so."""
        try:
            with db.transaction(db.system("exchanges.metrics")):
                waiting, lag_s, refused = queries.backlog()
        except SQLAlchemyError:
            return
        for name, words, value in (
            ("parvis_exchange_waiting", "Changes to be told to somebody", waiting),
            ("parvis_exchange_lag_seconds", "How long the oldest of them has waited", lag_s),
            ("parvis_exchange_refused", "Changes that a hospital system refused, and nobody settled", refused),
        ):
            yield GaugeMetricFamily(name, words, value=value)


_collectors: list[Exchanges] = []


def register() -> None:
    """Once a process."""
    if not _collectors:
        _collectors.append(Exchanges())
        REGISTRY.register(_collectors[0])
