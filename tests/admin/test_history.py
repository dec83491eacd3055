"""The demonstration's past: every figure that can be fed is alive, and no two starts differ."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from portal import db, kpi
from portal.kpi import KpiEvent, Period
from tests.factories import history, hospitals
from tests.factories.demonstration import World
from tests.ground import prepared, today
from tests.writers import all_rolled_up

PUBLISHED_BY_HAND = {"A1", "A1a"}
"""Of the accessibility statement."""
BEST_AT_ZERO = {"F4a", "I2a"}
SEEN_BY_THE_WORKER = {"O3"}
"""Made of a look each minute: the demonstration's own worker begins them."""


@pytest.fixture
def world(app: Flask) -> World:
    with prepared():
        world = World(hospitals.hospital("990000017"), hospitals.hospital("990000025"))
        history.demonstrate(world)
    all_rolled_up()
    return world


def test_every_figure_that_can_be_fed_is_alive(world: World) -> None:
    this_day = today()
    with db.transaction(db.system("tests")):
        past = Period(this_day - timedelta(days=history.DAYS), this_day - timedelta(days=1))
        quiet = {each.code for each in kpi.definitions() if not each.compute(past).value}
    assert quiet == BEST_AT_ZERO | SEEN_BY_THE_WORKER | PUBLISHED_BY_HAND


def test_it_ends_yesterday_so_that_today_shows_what_one_does(world: World) -> None:
    today = db.now().astimezone(world.north.establishment.tz).date()
    with db.transaction(db.system("tests")):
        assert kpi.counted("visit_started", Period(today, today + timedelta(days=1))) == 0


def test_it_is_the_same_at_each_start(world: World) -> None:
    with db.transaction(db.system("tests")) as current:
        written = list(current.execute(select(KpiEvent.event, KpiEvent.at, KpiEvent.quantity).order_by(KpiEvent.id)))
        again = [(row["event"], row["at"], row["quantity"]) for row in history.events(world)]
    assert [tuple(row) for row in written] == again
