"""When thousands come at once, each waits their turn, in the order of arrival; on an ordinary day nobody does."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy import update

from portal import db
from portal.db import session
from portal.web.limits import limiter
from services.appointments.rush import actions, doorway, queries, tickets
from services.appointments.rush.doorway import COOKIE
from services.appointments.rush.models import WaitingRoom
from tests.factories import people
from tests.pages import PageClient
from tests.services.appointments.conftest import Ground

NOON = datetime(2030, 1, 7, 12, tzinfo=UTC)


class Away(MemoryStorage):
    """What counts visits, when nobody answers there."""

    def incr(self, *_given: object, **_named: object) -> int:
        raise ConnectionError


def pace(per_minute: int, next_at: datetime = datetime(2020, 1, 1, tzinfo=UTC)) -> None:
    with db.transaction(db.system("tests")):
        session.merge(WaitingRoom(id=1, per_minute=per_minute, next_at=next_at))


def turns(*arrivals: datetime) -> list[datetime]:
    found = []
    for now in arrivals:
        with db.transaction(db.system("tests")):
            found.append(actions.take_turn(now))
    return found


def test_nobody_waits_as_long_as_fewer_come_than_the_pace(app: Flask) -> None:
    pace(60)
    arrivals = [NOON + timedelta(seconds=n) for n in range(5)]
    assert turns(*arrivals) == arrivals


def test_a_rush_is_served_at_the_pace_in_the_order_of_arrival(app: Flask) -> None:
    pace(60)
    found = turns(*[NOON] * 5)
    assert found == [NOON + timedelta(seconds=n) for n in range(5)]


def test_once_the_rush_is_over_nobody_waits_any_more(app: Flask) -> None:
    pace(60)
    turns(*[NOON] * 30)
    later = NOON + timedelta(seconds=31)
    assert turns(later) == [later]


@given(st.text(max_size=60))
def test_nobody_writes_their_own_ticket(app: Flask, text: str) -> None:
    assert tickets.read(text, NOON) is None


def test_a_ticket_is_good_from_its_turn_and_for_twenty_minutes(app: Flask) -> None:
    ticket = tickets.written(NOON)
    assert tickets.read(ticket, NOON - timedelta(hours=1)) == NOON
    assert tickets.read(ticket, NOON + timedelta(minutes=19)) == NOON
    assert tickets.read(ticket, NOON + timedelta(minutes=20)) is None
    moment, seal = ticket.split(".")
    assert tickets.read(f"{int(moment) - 60}.{seal}", NOON) is None


class TestAtTheDoor:
    def address(self, ground: Ground) -> str:
        return f"/rendez-vous/choisir-un-creneau?reason={ground.reason.id}"

    def test_on_an_ordinary_day_one_comes_in_at_once_and_keeps_the_door_open(
        self, ground: Ground, client: PageClient
    ) -> None:
        pace(1200)
        assert client.get(self.address(ground)).status_code == 200
        pace(1, db.now() + timedelta(hours=1))
        assert client.get(self.address(ground)).status_code == 200

    def test_in_a_rush_one_waits_then_comes_in(self, ground: Ground, client: PageClient) -> None:
        pace(60, db.now() + timedelta(minutes=3))
        sent = client.get(self.address(ground))
        assert sent.status_code == 303
        page = client.get(sent.location)
        assert page.status_code == 200
        assert "180" in page.text or "179" in page.text
        assert page.headers["Refresh"] == "20"
        assert 'href="tel:' in page.text, "one may always call"
        client.set_cookie(COOKIE, tickets.written(db.now()), path="/")
        let_in = client.get(sent.location)
        assert (let_in.status_code, let_in.location) == (303, self.address(ground))
        assert client.get(self.address(ground)).status_code == 200

    def test_a_reload_keeps_ones_place(self, ground: Ground, client: PageClient) -> None:
        pace(60, db.now() + timedelta(minutes=3))
        first = client.get(self.address(ground))
        with db.transaction(db.system("tests")):
            before = queries.room().next_at
        for _ in range(3):
            client.get(first.location)
            client.get(self.address(ground))
        with db.transaction(db.system("tests")):
            assert queries.room().next_at == before

    def test_without_cookies_one_is_told_instead_of_turning_in_circles(self, ground: Ground, app: Flask) -> None:
        pace(60, db.now() + timedelta(minutes=3))
        page = app.test_client(use_cookies=False).get("/rendez-vous/salle-d-attente")
        assert page.status_code == 200
        assert "cookie" in page.text
        assert 'href="tel:' in page.text, "one may always call"

    @pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "", "javascript:alert(1)"])
    def test_nobody_is_sent_elsewhere(self, app: Flask, client: PageClient, wanted: str) -> None:
        assert (
            client.get("/rendez-vous/salle-d-attente", query_string={"next": wanted}).location == "/rendez-vous/choisir"
        )

    def test_other_pages_are_open_to_all(self, ground: Ground, client: PageClient) -> None:
        pace(1, db.now() + timedelta(hours=1))
        assert client.get("/rendez-vous/choisir").status_code == 200

    def test_a_crowd_behind_one_address_is_asked_to_come_again(
        self, ground: Ground, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Tests count nobody's tries: here they are counted, in memory.
        monkeypatch.setattr(limiter, "enabled", True)
        monkeypatch.setattr(limiter, "_limiter", FixedWindowRateLimiter(MemoryStorage()))
        for _ in range(301):
            limiter.limiter.hit(doorway.PER_VISITOR, "waiting-room", "127.0.0.1")
        page = app.test_client().get(self.address(ground))
        assert page.status_code == 429
        assert page.headers["Refresh"] == "20"

    def test_nobody_is_kept_out_when_what_counts_visits_is_away(
        self, ground: Ground, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limiter, "enabled", True)
        monkeypatch.setattr(limiter, "_limiter", FixedWindowRateLimiter(Away()))
        assert app.test_client().get(self.address(ground)).status_code == 200


class TestThePace:
    def test_is_changed_by_administrators(self, ground: Ground, sign_in: Callable[..., PageClient]) -> None:
        with db.transaction(db.system("tests")):
            account = people.agent(ground.hospital.establishment.id, "administration")
        browser = sign_in(account)
        assert browser.get("/admin/affluence").status_code == 200
        assert browser.post("/admin/affluence", data={"per_minute": "0"}).status_code == 422
        assert browser.post("/admin/affluence", data={"per_minute": "300"}).status_code == 303
        with db.transaction(db.system("tests")):
            assert queries.room().per_minute == 300

    def test_is_nobody_elses(self, ground: Ground) -> None:
        pace(1200)
        with db.transaction(ground.actor):
            assert session.execute(update(WaitingRoom).values(per_minute=1)).rowcount == 0
