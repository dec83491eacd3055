"""Numbers for `/status/metrics`: mails that wait to leave, boxes that cannot be read, mails put aside."""

from collections.abc import Iterator

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from portal import db
from services.documents.mailboxes import queries


class Mailboxes(Collector):
    """Looked for in the database at each reading: any process answers for all workers."""

    def describe(self) -> Iterator[Metric]:
        """Nothing: the database is not asked when the process starts."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Nothing when the database does not answer: `/status/ready` says so."""
        try:
            with db.transaction(db.system("mailboxes.metrics")):
                waiting, troubled, aside = queries.backlog()
        except SQLAlchemyError:
            return
        for name, words, value in (
            ("parvis_mails_waiting", "Secure mails that wait to leave", waiting),
            ("parvis_mailboxes_in_trouble", "Secure mailboxes whose last reading failed", troubled),
            ("parvis_mails_aside", "Secure mails that came, were put aside, and nobody decided about", aside),
        ):
            yield GaugeMetricFamily(name, words, value=value)


_collectors: list[Mailboxes] = []


def register() -> None:
    """Once a process."""
    if not _collectors:
        _collectors.append(Mailboxes())
        REGISTRY.register(_collectors[0])
