"""kpi.page: the dashboard over a year, p95 in ms, against one GROUP BY of the raw events. kpi.event: events appended a
second, against their bare INSERT. kpi.rebuild: events counted again a second, against the same GROUP BY."""

import psycopg
from flask import Flask
from flask.testing import FlaskClient

from portal import db, kpi
from portal.kpi import rolling
from tests.bench.harness import (
    Ground,
    application,
    ground,
    interleaved,
    p95_ms,
    quickest,
    report,
    seconds,
    signed_in,
    size,
)
from tests.bench.replay import player, recorded
from tests.factories import hospitals, people

NAMES = ("kpi.page", "kpi.event", "kpi.rebuild")
EVENTS = 100_000
A_ROUND = 300
LOOKS = 10
_YEAR = "/admin/?from=2025-11-22&to=2026-11-21"
_FILL = """
insert into kpi_event (event, establishment_id, channel, audience, dimension, quantity, pseudonym, at)
select (array['visit_started', 'appointment_booked', 'bill_paid', 'preadmission_submitted'])[1 + mod(g, 4)],
  %(place)s, (array['web', 'phone', 'mssante'])[1 + mod(g, 3)], 'patient', '', mod(g, 9000), md5(mod(g, 5000)::text),
  now() - make_interval(secs => g * (365 * 86400.0 / %(events)s))
from generate_series(1, %(events)s) g
"""
_GROUPED = """
select at::date, event, establishment_id, channel, audience, dimension, count(*), sum(quantity) from kpi_event
group by 1, 2, 3, 4, 5, 6
"""


def run() -> None:
    events = size(EVENTS)
    with ground() as place, psycopg.connect(place.server.url(database="bench"), autocommit=True) as above:
        app = application(place.settings)
        browser = _fill(app, above, events)

        def grouped() -> None:
            above.execute(_GROUPED).fetchall()

        with app.app_context():
            ours, limit = interleaved(lambda: events / seconds(_rebuild), lambda: events / seconds(grouped), 3)
            report("kpi.rebuild", ours, "events/s", limit, note=f"{events} events of a year")
        ours, limit = quickest(lambda: p95_ms(lambda: _look(browser), LOOKS), lambda: p95_ms(grouped, LOOKS), 2)
        report("kpi.page", ours, "ms", limit, lower_is_better=True, note=f"dashboard over {events} events of a year")
        with app.app_context():
            _append(app, place)


def _fill(app: Flask, above: psycopg.Connection, events: int) -> FlaskClient:
    with app.app_context(), db.transaction(db.system("bench")):
        where = hospitals.hospital()
        administrator = people.agent(where.establishment.id, "administration")
        browser = signed_in(app, administrator.id)
    above.execute(_FILL, {"place": where.establishment.id, "events": events})
    above.execute("analyze kpi_event")
    return browser


def _rebuild() -> None:
    with db.transaction(db.system("bench")):
        rolling.rebuild()


def _look(browser: FlaskClient) -> None:
    answer = browser.get(_YEAR)
    if answer.status_code != 200:
        raise RuntimeError(f"the dashboard answered {answer.status_code}")


def _append(app: Flask, place: Ground) -> None:
    with db.transaction(db.system("bench")), recorded(app) as statements:
        kpi.count("visit_started")

    def count() -> None:
        with db.transaction(db.system("bench")):
            for _ in range(A_ROUND):
                kpi.count("visit_started")

    with player(place, list(statements) * A_ROUND, writes=True) as play:
        ours, limit = interleaved(lambda: A_ROUND / seconds(count), lambda: A_ROUND / seconds(play))
    report("kpi.event", ours, "events/s", limit, note=f"{A_ROUND} events a transaction")
