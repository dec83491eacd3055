"""Numbers that are read in the database when `/status/metrics` is asked: any process answers for all."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from portal import db

Read = Callable[[], Iterable[Metric]]


class Measured(Collector):
    """What one job reads, each time it is asked."""

    def __init__(self, job: str, read: Read) -> None:
        self._job = job
        self._read = read

    def describe(self) -> Iterator[Metric]:
        """Nothing: the database is not asked when the process starts."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Nothing when the database does not answer: `parvis_database_up` and `/status/ready` say so."""
        try:
            with db.transaction(db.system(self._job)):
                found = list(self._read())
        except SQLAlchemyError:
            return
        yield from found


_known: set[str] = set()


def measure(job: str, read: Read) -> None:
    """Have `read` called at each reading, in a transaction of its own, as the named job. Once a process for a job."""
    if job not in _known:
        _known.add(job)
        REGISTRY.register(Measured(job, read))


def gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    """One number."""
    return GaugeMetricFamily(name, words, value=value)
