"""Spans kept by OpenTelemetry's own library and sent in batches over HTTP. Only imported when traces are asked for."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlalchemy import event
from sqlalchemy.engine import Engine

from portal.tracing import Kind, Mark, Value

_KINDS: Final = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT, "consumer": SpanKind.CONSUMER}
_LONGEST: Final = 2000
"""Characters of a statement that are kept."""
_AROUND: Final = TraceContextTextMapPropagator()


def tracer(url: str) -> "Sender":
    """What sends to this collector. The rest (sampling, headers, certificates) is said by `OTEL_*` variables."""
    resource = Resource.create({SERVICE_NAME: os.environ.get("OTEL_SERVICE_NAME", "parvis")})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{url.rstrip('/')}/v1/traces")))
    return Sender(provider)


class Sender:
    """See `portal.tracing.Tracer`."""

    def __init__(self, provider: TracerProvider) -> None:
        self.provider = provider
        self._tracer = provider.get_tracer("parvis")

    @contextmanager
    def span(self, name: str, kind: Kind, parent: str, attributes: dict[str, Value]) -> Iterator[Mark]:
        """See `portal.tracing.Tracer`. The text of an error is not kept: its class is."""
        around: Context | None = _AROUND.extract({"traceparent": parent}) if parent else None
        with self._tracer.start_as_current_span(
            name, around, _KINDS[kind], attributes, record_exception=False, set_status_on_exception=False
        ) as span:

            def mark(key: str, value: Value) -> None:
                if key == "error":
                    span.set_status(Status(StatusCode.ERROR))
                    key = "error.type"
                span.set_attribute(key, value)

            try:
                yield mark
            except BaseException as error:
                mark("error", type(error).__name__)
                raise

    def rename(self, name: str) -> None:
        """See `portal.tracing.Tracer`."""
        trace.get_current_span().update_name(name)

    def carried(self) -> str:
        """See `portal.tracing.Tracer`."""
        carrier: dict[str, str] = {}
        _AROUND.inject(carrier)
        return carrier.get("traceparent", "")

    def watch(self, engine: Engine) -> None:
        """See `portal.tracing.Tracer`."""
        event.listen(engine, "before_cursor_execute", self._begin)
        event.listen(engine, "after_cursor_execute", self._end)
        event.listen(engine, "handle_error", self._fail)

    def _begin(self, _c: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: Any) -> None:
        if context is None or not trace.get_current_span().is_recording():
            return  # what nobody asked for (a look at the doors) is no trace of its own
        words = {"db.system.name": "postgresql", "db.query.text": statement[:_LONGEST]}
        name = statement.lstrip().partition(" ")[0].upper()[:20] or "SQL"
        context.parvis_span = self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=words)

    def _end(self, _c: Any, _cursor: Any, _statement: str, _values: Any, context: Any, _many: Any) -> None:
        if span := getattr(context, "parvis_span", None):
            span.end()

    def _fail(self, met: Any) -> None:
        if span := getattr(met.execution_context, "parvis_span", None):
            span.set_status(Status(StatusCode.ERROR))
            span.set_attribute("error.type", type(met.original_exception).__name__)
            span.end()
