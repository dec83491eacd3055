"""The page on which people read what works: in their words, while things are closed, failing, or all away."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import db, jobs
from portal.catalog.notices import queries as notices
from portal.catalog.notices.models import SiteNotice
from portal.gateways.board import DoorLine, DoorPause
from portal.gateways.breaker import BreakerState
from portal.pages import working
from tests.english import in_english  # noqa: F401 - every browser here reads English
from tests.factories import hospitals
from tests.ground import prepared
from tests.pages import parsed

PAGE, DATA = "/etat", "/etat.json"
Make = Callable[..., Flask]


@pytest.fixture(autouse=True)
def _looked_anew() -> Iterator[None]:
    working.forget()
    yield
    working.forget()


def line(door: str, breaker: BreakerState = BreakerState.OPEN) -> DoorLine:
    return DoorLine(
        door=door, process="web secret-host:12", breaker=breaker.value, last_success_at=db.now() - timedelta(hours=1),
        last_failure_at=db.now(), last_failure="Unavailable: secret-host does not answer", done=1, refused=0, failed=5,
        total_ms=1.0, recent=[0] * 13,
    )  # fmt: skip


def words(client: FlaskClient, status: int = 200) -> str:
    answer = client.get(PAGE)
    assert answer.status_code == status
    (main,) = parsed(answer.text).iter("main")
    return " ".join(main.text_content().split())


def test_everything_works(client: FlaskClient) -> None:
    assert "Everything works" in words(client)
    told = client.get(DATA)
    assert (told.json["state"], told.json["troubles"], told.json["maintenance"]) == ("works", [], [])
    assert told.headers["Cache-Control"] == "public, max-age=15"


def test_a_door_that_fails_is_a_service_that_does_not_work_and_nothing_inside_is_told(client: FlaskClient) -> None:
    with prepared():
        db.session.add(line("payments.payfip.090909"))
        db.session.add(line("mail.smtp"))
    said = words(client)
    assert "Some services do not work as usual" in said
    assert "Pay a bill online Not working Not possible for the moment. Since " in said
    assert "Receive e-mails Running late What you ask for is kept" in said
    assert "Receive text messages Works" in said
    for inside in ("payfip", "smtp", "090909", "secret-host", "Unavailable"):
        assert inside not in client.get(PAGE).text
        assert inside not in client.get(DATA).text
    assert {each["service"] for each in client.get(DATA).json["troubles"]} == {"payments", "mails"}


@pytest.mark.parametrize("door", ["directory", "siem.syslog", "webhooks", "mail.smtp"])
def test_what_works_or_serves_nobody_here_is_no_trouble(client: FlaskClient, door: str) -> None:
    with prepared():
        db.session.add(line(door, BreakerState.CLOSED if door == "mail.smtp" else BreakerState.OPEN))
    assert "Everything works" in words(client)


def test_a_door_that_people_closed_says_where_since_when_and_until_when_and_not_why(client: FlaskClient) -> None:
    with prepared():
        place = hospitals.hospital("990000017", "Hospital of the Arch", short_name="The Arch").establishment
        db.session.add(DoorPause(
            door="his.mllp 990000017", establishment_id=place.id, reason="Jeanne broke it", paused_by="staff:Jeanne",
            paused_at=db.now() - timedelta(hours=2), until=db.now() + timedelta(hours=2),
        ))  # fmt: skip
    said = words(client)
    assert "The Arch – What you ask for is kept" in said
    assert "Back expected: " in said
    assert "Jeanne" not in said
    (trouble,) = client.get(DATA).json["troubles"]
    assert (trouble["service"], trouble["late"], trouble["hospital"]) == ("hospital", True, "990000017")
    assert trouble["since"] < trouble["until"]


def test_jobs_that_wait_for_long_are_said_to_be_late(client: FlaskClient) -> None:
    with prepared():
        jobs.enqueue("jobs.retry_stalled", at=db.now() - timedelta(minutes=11))
    assert "Answers, confirmations and reminders Running late" in words(client)


def test_an_announced_stop_is_told_once_with_its_hours(client: FlaskClient) -> None:
    now = db.now()
    with prepared():
        db.session.add(SiteNotice(
            level="maintenance", texts={"en": {"title": "Works on the network", "text": "On Sunday."}},
            shown_from=now - timedelta(hours=1), window_from=now + timedelta(days=1),
            window_until=now + timedelta(days=1, hours=2),
        ))  # fmt: skip
    notices.forget()
    answer = client.get(PAGE)
    assert answer.text.count("Works on the network") == 1
    (stop,) = client.get(DATA).json["maintenance"]
    assert stop["from"] == (now + timedelta(days=1)).isoformat(timespec="seconds")


def test_a_portal_that_is_only_read_says_so(make_app: Make) -> None:
    browser = make_app(read_only=True).test_client()
    browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    assert "One can read, and nothing can be sent" in words(browser)


def test_it_opens_while_the_database_is_away(app: Flask, client: FlaskClient) -> None:
    db.connect("postgresql://nobody@127.0.0.1:1/none")
    try:
        said = words(client, 503)
        told = client.get(DATA)
    finally:
        db._factory.configure(bind=app.extensions["parvis.engine"])
    assert "The portal is interrupted" in said
    assert "Service by service" not in said
    assert (told.status_code, told.json["state"]) == (503, "interrupted")
    assert "Everything works" not in words(client, 503), "it looks again after a few seconds only"
    working.forget()
    assert "Everything works" in words(client)


def test_it_is_looked_at_once_in_a_few_seconds(client: FlaskClient, statements: Callable[..., object]) -> None:
    client.get(PAGE)
    with statements() as seen:  # type: ignore[attr-defined]  # a context manager
        client.get(PAGE)
        client.get(DATA)
    assert not [each for each in seen if "door_" in each or "procrastinate" in each]


def test_nobody_waits_for_whoever_looks(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    client.get(PAGE)
    monkeypatch.setattr(working._remembered, "read_at", -1e9)
    with working._remembered.lock:  # somebody looks, and the database hangs
        assert "Everything works" in words(client)


def test_a_look_takes_few_statements(client: FlaskClient, statements: Callable[..., object]) -> None:
    with prepared():
        db.session.add_all(line(f"payments.payfip.{number}") for number in range(20))
    with statements() as seen:  # type: ignore[attr-defined]  # a context manager
        client.get(PAGE)
    assert len(seen) <= 12, seen


@pytest.mark.parametrize("language", ["fr", "en", "es", "ar"])
def test_it_is_led_to_from_the_footer_and_from_error_pages(client: FlaskClient, language: str) -> None:
    for address in ("/accessibilite", "/nothing-here", PAGE):
        answer = client.get(f"{address}?lang={language}")
        assert f'href="{PAGE}"' in answer.text
