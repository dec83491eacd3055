"""Numbers for `/status/metrics`: mails that wait to leave, boxes that cannot be read, mails put aside, and when the
certificates end by which hospitals open their boxes."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from portal.web.measuring import gauge, measure
from services.documents.mailboxes import queries
from services.documents.mailboxes.operators import certificates


def register() -> None:
    """Once a process."""
    measure("mailboxes.metrics", _read)


def _read() -> Iterator[Metric]:
    waiting, troubled, aside = queries.backlog()
    yield gauge("parvis_mails_waiting", "Secure mails that wait to leave", waiting)
    yield gauge("parvis_mailboxes_in_trouble", "Secure mailboxes whose last reading failed", troubled)
    yield gauge("parvis_mails_aside", "Secure mails that came, were put aside, and nobody decided about", aside)
    ends = GaugeMetricFamily(
        "parvis_certificate_ends_timestamp_seconds",
        "When a hospital's certificate for its secure mailboxes ends; 0 when it cannot be read",
        labels=("finess",),
    )
    for finess, moment in certificates():
        ends.add_metric((finess,), moment.timestamp() if moment else 0.0)
    yield ends
