"""Marked data go through every route, by whoever may ask it; then whatever the portal says of itself is searched for
them: its log and its libraries', its numbers, the lines of the audit, the arguments of jobs, the addresses it sends
people to, its headers, its traces, its error pages, its mails and texts."""

import io
import json
import logging
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit
from uuid import UUID

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from pydantic import SecretStr
from sqlalchemy import event, text
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from auth import guards
from auth.machines import actions as machines
from auth.machines.actions import Credentials, Draft
from auth.machines.scopes import SCOPES
from portal import audit, db, doctor, jobs, logs, notifications, text_messages, tracing
from portal.audit import sending
from portal.config import Settings
from portal.gateways.mail.contract import Message
from portal.gateways.payments import payfip_twin
from portal.gateways.sms.console import ConsoleSms
from portal.tracing import otlp
from services.billing import jobs as payments
from tests.emptying import Tables
from tests.factories import appointments, billing, demonstration, documents, preadmission
from tests.ground import prepared
from tests.pages import parsed
from tests.security import canary

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(autouse=True, scope="module")
def _compact(tables: Tables) -> None:
    """It asks a thousand pages."""
    tables.compact()


FILLED: Final = (appointments, preadmission, billing, documents)
"""Rooms of the demonstration whose rows are there: what most forms are about."""
HOMES: Final = {
    "public": ("/",), "patient": ("/", "/mon-compte"), "professional": ("/pro",), "staff": ("/admin/",),
}  # fmt: skip
LAST: Final = ("logout", "leave", "close", "erase", "delete", "revoke", "end_")
"""Posts that close what the others need."""
IN_A_MAIL: Final = frozenset({"zqcourriel@canari", "zqnomcanari", "zqnaissancecanari", "zqprenomcanari"})
"""A mail has the address of whom it is for, and may name who writes; never words, files, numbers or codes of theirs."""
OWN_NUMBER: Final = frozenset({"0698714253", "698714253"})
"""A text message goes to a number."""
_OWN_ADDRESS: Final = re.compile(r'(?:href|action|content)="[^"]*"')
"""A page leads to itself in another language: the address that its reader has just asked for."""
NAMED: Final = frozenset({"reason", "resource_pool", "resource", "questionnaire_definition"})
"""Things of a hospital whose name the audit tells."""
ERRORS: Final = frozenset({400, 403, 404, 405, 413, 429, 500, 503})


@dataclass
class Heard:
    """What the portal said of itself, and on which occasion marks were in it."""

    log: io.StringIO = field(default_factory=io.StringIO)
    traces: io.StringIO = field(default_factory=io.StringIO)
    leaks: set[str] = field(default_factory=set)
    asked: int = 0
    statuses: dict[int, int] = field(default_factory=dict)

    def search_said(self, where: str) -> None:
        """What was logged and traced since this was last asked."""
        for what, stream in (("log", self.log), ("traces", self.traces)):
            self.search(f"{what} of {where}", stream.getvalue())
            stream.seek(0)
            stream.truncate()

    def listen(self, where: str, answer: TestResponse) -> None:
        self.asked += 1
        self.statuses[answer.status_code] = self.statuses.get(answer.status_code, 0) + 1
        self.search_said(where)
        self.search(f"address after {where}", _led_to(answer))
        self.search(f"headers after {where}", _others(answer))
        if answer.status_code in ERRORS and answer.mimetype == "text/html":
            self.search(f"error page of {where} ({answer.status_code})", _OWN_ADDRESS.sub("", answer.text))

    def search(self, where: str, said: str, allowed: frozenset[str] = frozenset()) -> None:
        for mark in canary.marks(said) - {each.lower() for each in allowed}:
            at = said.lower().find(mark)
            self.leaks.add(f"{where}: {mark}: …{said[max(0, at - 120) : at + 60]!r}")


def _led_to(answer: TestResponse) -> str:
    """The address that somebody is sent to; without the one that they asked for, where they come back after a step."""
    target = urlsplit(answer.headers.get("Location", ""))
    if target.query == answer.request.query_string.decode("latin-1"):
        return ""
    kept = [(name, value) for name, value in parse_qsl(target.query) if name != "next"]
    return f"{target.path}?{urlencode(kept)}#{target.fragment}"


def _others(answer: TestResponse) -> str:
    """Headers. The name of a file is for whoever has asked for that file."""
    of_their_own = ("location", "content-disposition")
    return "\n".join(f"{name}: {value}" for name, value in answer.headers if name.lower() not in of_their_own)


class _Written(SpanProcessor):
    """What would leave for a collector of traces."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    def on_end(self, span: ReadableSpan) -> None:
        self._stream.write(f"{span.name} {span.status.description} {dict(span.attributes or {})} {span.events}\n")


@pytest.fixture
def heard(app: Flask, settings: Settings) -> Iterator[Heard]:
    """The log as it is in production, at its most talkative; put back afterwards."""
    found = Heard()
    before, handlers = structlog.get_config(), list(logging.getLogger().handlers)
    logs.configure(settings.model_copy(update={"env": "production", "log_level": "DEBUG"}), found.log)
    provider = TracerProvider()
    provider.add_span_processor(_Written(found.traces))
    tracer = otlp.Sender(provider)
    tracer.watch(engine := app.extensions["parvis.engine"])
    tracing._tracer.append(tracer)
    yield found
    tracing._tracer.clear()
    for name, listener in (
        ("before_cursor_execute", tracer._begin), ("after_cursor_execute", tracer._end), ("handle_error", tracer._fail),
    ):  # fmt: skip
        event.remove(engine, name, listener)
    logging.captureWarnings(False)
    logging.getLogger().handlers[:] = handlers
    structlog.configure(**before)


@dataclass
class Sent:
    """Messages that left."""

    mails: list[Message]
    texts: io.StringIO


@pytest.fixture
def sent(settings: Settings) -> Iterator[Sent]:
    """What leaves from now on."""
    notifications.configure(settings.model_copy(update={"mail_url": SecretStr("twin:")}))
    texts = io.StringIO()
    text_messages._operator.door = ConsoleSms(stream=texts)
    yield Sent(notifications._outbox.door.sent, texts)  # type: ignore[attr-defined]  # the twin's
    notifications.configure(settings)
    text_messages.configure(settings)


@pytest.fixture(autouse=True)
def _payments(app: Flask, settings: Settings) -> Iterator[None]:
    """Bills are paid at the twin: no test leaves this machine."""
    with payfip_twin.start_in_thread() as twin:
        addresses = {
            "payfip_endpoint_url": twin.endpoint_url, "payfip_payment_url": twin.payment_url,
            "stripe_api_base": "http://127.0.0.1:9",  # nobody is there: what is said of a door that is away counts too
        }  # fmt: skip
        payments.connect(settings.model_copy(update=addresses))
        yield
    payments.connect(settings)


Browsers = dict[str, FlaskClient]


@pytest.fixture
def browsers(app: Flask, sign_in: Callable[[UUID], FlaskClient], request: pytest.FixtureRequest) -> Browsers:
    """Guard → a browser that it lets in."""
    with prepared():
        # Pages of documents are drawn meanwhile, for as long as a busy machine needs.
        db.session.execute(text("set local idle_in_transaction_session_timeout = 0"))
        world = demonstration.build()
        for room in FILLED if "form" in request.node.name else ():
            room.demonstrate(world)
        patient = db.session.scalar(
            text("select account_id from patient_access where patient_id = :id and relation = 'self'"),
            {"id": world.patients["camille"].id},
        )
        known, secret = machines.add(Draft(world.north.establishment.id, "GAM", [scope.code for scope in SCOPES]))
        client_id = known.client_id
        agent, professional = world.agents["administrator"].id, next(iter(world.professionals.values())).account_id
    with prepared():
        token, _given = machines.issue(Credentials(client_id, secret), "")
    machine = app.test_client()
    machine.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return {
        "public": app.test_client(), "patient": sign_in(patient), "signed-in": sign_in(patient),
        "professional": sign_in(professional), "staff": sign_in(agent), "machines": machine,
    }  # fmt: skip


Tail = Callable[[], None]


@pytest.fixture
def afterwards(
    app: Flask, heard: Heard, sent: Sent, work_jobs: Callable[[], None], capfd: pytest.CaptureFixture[str]
) -> Tail:
    """Do the jobs, then search all that was kept or sent; no mark may be anywhere."""

    def look() -> None:
        work_jobs()
        heard.search("standard output", "".join(capfd.readouterr()))
        _look_everywhere(app, heard, sent)

    return look


def test_every_route_asked_anything_says_nothing_of_it(
    app: Flask, heard: Heard, browsers: Browsers, afterwards: Tail
) -> None:
    _ask_every_route(app, heard, browsers)
    assert heard.asked > 1200, heard.statuses
    assert heard.statuses.get(500, 0) == 0, heard.statuses
    afterwards()


@pytest.mark.parametrize(("who", "forms"), [("public patient professional", 60), ("staff", 200)])
def test_every_form_filled_by_people_says_nothing_of_it(
    app: Flask, heard: Heard, browsers: Browsers, afterwards: Tail, who: str, forms: int
) -> None:
    _fill_every_form(app, heard, {each: browsers[each] for each in who.split()})
    assert heard.asked > 2 * forms, heard.statuses
    assert heard.statuses.get(303, 0) > forms / 4, heard.statuses
    assert heard.statuses.get(500, 0) == 0, heard.statuses
    afterwards()


def test_a_mark_that_is_planted_is_found_wherever_it_is(app: Flask, heard: Heard, sent: Sent, afterwards: Tail) -> None:
    """Or the two tests above would promise nothing."""
    print(canary.CODE)
    structlog.get_logger().warning("planted", name=canary.NAME)
    logging.getLogger("a.library").error("failed on %s", canary.EMAIL)
    heard.listen("a planted line", app.test_client().get("/etat.json"))
    structlog.get_logger().info("planted", said=f"born on {canary.BORN}")
    text_messages._operator.door.send("+33600000000", f"Bonjour {canary.NAME}")
    sent.mails.append(Message("a@example.test", canary.WORDS, "", "en"))
    with prepared(), tracing.span("GET", "server", asked=canary.PHONE):
        audit.record("sign_in.refused", name=canary.GIVEN)
        jobs.enqueue("notifications.send", notification_id=canary.IPP)
    with pytest.raises(AssertionError) as told:
        afterwards()
    places = (
        "standard output",
        "log of a planted line",
        "log of the jobs",
        "traces of the jobs",
        "text messages",
        "a mail",
        "a line of the audit",
        "arguments of",
    )
    assert [each for each in places if each not in str(told.value)] == []


def _look_everywhere(app: Flask, heard: Heard, sent: Sent) -> None:
    heard.search_said("the jobs")
    _search_what_is_kept(heard)
    heard.search("numbers", app.test_client().get("/status/metrics").text)
    heard.search("the report for support", "\n".join(doctor.report(app, app.config["SETTINGS"])))
    heard.search("text messages", sent.texts.getvalue(), OWN_NUMBER)
    for mail in sent.mails:
        heard.search("a mail", f"{mail.subject}\n{mail.text}\n{mail.html}", IN_A_MAIL)
    assert not heard.leaks, "\n".join(sorted(heard.leaks))


def _search_what_is_kept(heard: Heard) -> None:
    with db.transaction(db.system("tests")) as current:
        for task, arguments in current.execute(text("select task_name, args::text from procrastinate_jobs")):
            heard.search(f"arguments of {task}", arguments)
        for door, reason in current.execute(text("select error, reason from job_trouble")):
            heard.search("trouble of a job", f"{door} {reason}")
        for row in current.execute(text("select e::text from kpi_event e")):
            heard.search("an event of the figures", row[0])
        for line in sending.between(db.now().replace(year=2020), db.now().replace(year=2090)):
            heard.search("a line of the audit", _without_names_of_things(line))


def _without_names_of_things(line: str) -> str:
    """What a hospital calls its own things, which everybody reads on its pages, is nobody's."""
    told = json.loads(line)
    if told.get("object_kind") in NAMED and isinstance(told.get("details"), dict):
        told["details"] = {key: value for key, value in told["details"].items() if key not in ("name", "code")}
    return json.dumps(told)


# -- every route, asked anything ---------------------------------------------------------------------------------


def _ask_every_route(app: Flask, heard: Heard, browsers: Browsers) -> None:
    for rule in sorted(app.url_map.iter_rules(), key=lambda each: each.rule):
        browser = browsers[_guard(app, rule.endpoint)]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if method == "POST" and any(word in rule.endpoint for word in LAST):
                continue
            path = _path(rule)
            body: dict[str, Any] = {}
            if method != "GET":
                kind = rule.rule.split("/")[2].split("<")[0] if rule.rule.startswith("/fhir/") else ""
                told = {"data": json.dumps(canary.resource(kind)), "content_type": "application/fhir+json"}
                body = told if kind else {"data": canary.anything()}
            answer = browser.open(
                path, method=method, query_string=canary.anything(), headers=canary.HEADERS, check=False, **body
            )
            heard.listen(f"{method} {rule.rule}", answer)
            answer.close()


def _guard(app: Flask, endpoint: str) -> str:
    blueprint = app.blueprints.get(endpoint.rpartition(".")[0])
    return str(getattr(blueprint, guards.GUARD, "public")).partition(":")[0]


def _path(rule: Rule) -> str:
    """An address of this route, marked where it takes words."""
    built = ""
    for is_dynamic, part in rule._trace:
        if not is_dynamic:
            built += part.lstrip("|")
            continue
        kind = type(rule._converters[part]).__name__
        values = {"UUIDConverter": "00000000-0000-4000-8000-000000000000", "IntegerConverter": "7"}
        built += values.get(kind, canary.PATH)
    return built


# -- every form, filled with marks -------------------------------------------------------------------------------


def _fill_every_form(app: Flask, heard: Heard, browsers: Browsers) -> None:
    found: dict[tuple[str, str], tuple[FlaskClient, str, canary.Form]] = {}
    for guard, browser in browsers.items():
        for address, page in _pages(app, browser, HOMES[guard]):
            for form in canary.forms(page, address):
                action = urljoin(address, form.action)
                found.setdefault((form.method, _endpoint(app, action)), (browser, action, form))
    for (method, endpoint), (browser, action, form) in sorted(found.items(), key=_ending_last):
        for everything in (True, False):
            sent = form.filled(everything=everything)
            if method == "post":
                answer = browser.post(action, data=sent, headers=canary.HEADERS, check=False)
            else:
                path, _mark, asked = action.partition("?")
                told = dict(parse_qsl(asked)) | sent
                answer = browser.get(path, query_string=told, headers=canary.HEADERS, check=False)
            heard.listen(f"form {method} {endpoint}", answer)
            answer.close()


def _ending_last(entry: Any) -> Any:
    (method, endpoint), _rest = entry
    return any(word in endpoint for word in LAST), method, endpoint


def _pages(app: Flask, browser: FlaskClient, homes: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """One page of each kind that a link leads to."""
    waiting, seen, opened = deque(homes), set(homes), set()
    while waiting:
        address = waiting.popleft()
        endpoint = _endpoint(app, address)
        if endpoint in opened:
            continue
        answer = browser.get(address, check=False)
        targets = [answer.headers.get("Location", "")]
        if answer.mimetype == "text/html" and answer.status_code == 200:
            opened.add(endpoint)
            yield address, answer.text
            targets = [link.get("href") for link in parsed(answer.text).iter("a") if link.get("href")]
        answer.close()
        for target in targets:
            parts = urlsplit(urljoin(address, target))
            link = parts.path + (f"?{parts.query}" if parts.query else "")
            if not parts.netloc and link.startswith("/") and "lang=" not in link and link not in seen:
                seen.add(link)
                waiting.append(link)


def _endpoint(app: Flask, address: str) -> str:
    try:
        return str(app.url_map.bind("localhost").match(urlsplit(address).path, method="POST")[0])
    except HTTPException:
        pass
    try:
        return str(app.url_map.bind("localhost").match(urlsplit(address).path)[0])
    except HTTPException:
        return address
