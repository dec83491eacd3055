"""Traces arrive at a collector, go on in the jobs that a request asked for, and hold nobody's data; without an address
there is nothing of them, not even an import."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask import Blueprint, Flask
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.trace.status import StatusCode
from sqlalchemy import text

from auth import guards
from portal import config, db, jobs, tracing
from portal.config import ConfigurationError, Settings
from portal.gateways import Unavailable
from portal.gateways.door import Door
from portal.tracing import otlp
from tests.ground import prepared

asked = guards.public(Blueprint("asked", __name__, url_prefix="/asked"))


@asked.post("/<name>")
def of_somebody(name: str) -> str:
    db.session.execute(text("select cast(:said as text)"), {"said": name}).all()
    jobs.enqueue("notifications.send", notification_id="00000000-0000-4000-8000-000000000000")
    return name


@asked.get("/broken/<name>")
def broken(name: str) -> str:
    raise ValueError(name)


@dataclass
class Collector:
    """A collector of traces over HTTP, which keeps what it is given."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    resources: set[tuple[str, str]] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)

    def take(self, path: str, body: bytes) -> None:
        self.paths.add(path)
        for each in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources |= {(pair.key, pair.value.string_value) for pair in each.resource.attributes}
            for scope in each.scope_spans:
                self.spans += scope.spans

    def named(self, name: str) -> Span:
        (span,) = (each for each in self.spans if each.name == name)
        return span


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def traced(make_app: Callable[..., Flask], collector: Collector) -> Iterator[Flask]:
    app = make_app(asked, otlp_url=collector.url)
    yield app
    tracing._tracer.clear()


def flushed() -> None:
    (tracer,) = tracing._tracer
    assert isinstance(tracer, otlp.Sender)
    tracer.provider.shutdown()


def said(span: Span) -> dict[str, str]:
    return {pair.key: pair.value.string_value or str(pair.value.int_value) for pair in span.attributes}


def test_a_request_its_statements_and_its_jobs_are_one_trace_without_a_name_in_it(
    traced: Flask, collector: Collector, work_jobs: Callable[[], None]
) -> None:
    answer = traced.test_client().post(
        "/asked/Jeanne?q=MARTIN",
        data={"said": "Jeanne"},
        headers={"User-Agent": "Jeanne", "traceparent": "Jeanne"},
        check=False,
    )
    assert answer.status_code == 200
    work_jobs()
    flushed()
    request = collector.named("POST /asked/<name>")
    assert said(request) == {
        "http.request.method": "POST", "http.route": "/asked/<name>", "http.response.status_code": "200",
    }  # fmt: skip
    inside = [each for each in collector.spans if each.trace_id == request.trace_id]
    assert any(said(each).get("db.query.text", "").startswith("select cast(%(said)s") for each in inside)
    job = collector.named("notifications.send")
    assert (job.trace_id, job.parent_span_id) == (request.trace_id, request.span_id)
    assert collector.paths == {"/v1/traces"}
    assert ("service.name", "parvis") in collector.resources
    assert "Jeanne" not in str(collector.spans)
    assert "MARTIN" not in str(collector.spans)


def test_what_breaks_is_said_by_its_class_and_the_page_gives_the_number_of_the_trace(
    traced: Flask, collector: Collector
) -> None:
    answer = traced.test_client().get("/asked/broken/Jeanne", check=False)
    flushed()
    span = collector.named("GET /asked/broken/<name>")
    assert span.status.code == StatusCode.ERROR.value
    assert said(span)["error.type"] == "500"
    assert span.trace_id.hex()[:8] in answer.text
    assert "Jeanne" not in str(collector.spans)


def test_a_door_is_a_span_and_what_it_answered_is_not_told(traced: Flask, collector: Collector) -> None:
    with pytest.raises(Unavailable), Door("mail.test").passage("send"):
        raise Unavailable("no answer about Jeanne")
    flushed()
    span = collector.named("mail.test send")
    assert said(span) == {"parvis.door": "mail.test", "error.type": "Unavailable"}
    assert not span.events


def test_a_statement_that_nobody_asked_for_is_no_trace(traced: Flask, collector: Collector) -> None:
    with prepared():
        db.session.execute(text("select 1"))
    flushed()
    assert collector.spans == []


def test_the_portal_answers_while_no_collector_does(make_app: Callable[..., Flask]) -> None:
    app = make_app(asked, otlp_url="http://127.0.0.1:1")
    try:
        assert app.test_client().post("/asked/x", check=False).status_code == 200
    finally:
        tracing._tracer.clear()


def test_an_address_that_is_none_is_refused() -> None:
    environ = {
        "PORTAL_ENV": "test",
        "PORTAL_SECRET_KEY": "x" * 40,
        "PORTAL_FILE_KEYS": f"k:{'A' * 43}=",
        "PORTAL_DATABASE_URL": "postgresql://x@127.0.0.1/x",
        "PORTAL_OTLP_URL": "collector:4318",
    }
    with pytest.raises(ConfigurationError, match="PORTAL_OTLP_URL"):
        config.load(environ)


def test_a_client_that_is_not_installed_is_said_at_the_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "portal.tracing.otlp", None)
    monkeypatch.delattr(tracing, "otlp", raising=False)
    with pytest.raises(ConfigurationError, match=r"requirements/otlp\.lock"):
        tracing.configure(settings.model_copy(update={"otlp_url": "http://127.0.0.1:4318"}))


def test_without_an_address_nothing_of_it_is_imported() -> None:
    counted = "import portal.app, sys; print(sum(name.startswith('opentelemetry') for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", counted], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
    assert tracing.span("x", "client") is tracing.span("y", "server"), "a span costs nothing"
    assert tracing.carried() == ""
