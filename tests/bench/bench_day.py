"""appointments.day: CPU of one look at the day of a unit with forty agendas, about a thousand visits and the free times
between them, and of its week; against the same statements sent and read straight through psycopg (no objects, no page).

CPU of the application's process alone: PostgreSQL works elsewhere, and answers both alike.
"""

from collections.abc import Callable
from datetime import date, time, timedelta

from flask import Flask
from flask.testing import FlaskClient

from portal import db
from portal.establishments import Unit
from services.appointments import actions
from services.appointments.slots import Slot
from tests.bench.harness import Ground, application, cpu_seconds, ground, quickest, report, signed_in
from tests.bench.replay import player, recorded
from tests.factories import appointments, hospitals, people

NAMES = ("appointments.day", "appointments.week")
AGENDAS = 40
_HALF_DAYS = ((time(9), time(12, 30)), (time(14), time(17, 30)))
_LOOKS = 10


def run() -> None:
    with ground() as place:
        app = application(place.settings)
        with app.app_context(), db.transaction(db.system("bench")):
            unit, day, visits = _fill()
            agent = people.agent(unit.establishment_id, "appointments")
            browser = signed_in(app, agent.id)
        asked = f"unit={unit.id}&day={day.isoformat()}"
        for name, path in (("appointments.day", ""), ("appointments.week", "/semaine")):
            _measure(name, app, browser, f"/admin/rendez-vous{path}?{asked}", place, visits)


def _measure(name: str, app: Flask, browser: FlaskClient, address: str, place: Ground, visits: int) -> None:
    size = len(_look(browser, address))
    with recorded(app) as statements:
        _look(browser, address)
    with player(place, statements, writes=False) as play:
        ours, limit = quickest(lambda: _cpu_ms(lambda: _look(browser, address)), lambda: _cpu_ms(play))
    note = f"{AGENDAS} agendas, {visits} visits, {len(statements)} statements, {size} bytes"
    report(name, ours, "ms of CPU a request", limit, lower_is_better=True, note=note)


def _look(browser: FlaskClient, address: str) -> bytes:
    answer = browser.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}")
    return bytes(answer.data)


def _cpu_ms(work: Callable[[], object]) -> float:
    before = cpu_seconds()
    for _ in range(_LOOKS):
        work()
    return (cpu_seconds() - before) / _LOOKS * 1e3


def _fill() -> tuple[Unit, date, int]:
    """Nine times out of ten taken, a quarter of an hour each; the last ones of each half-day are free."""
    where = hospitals.hospital()
    reasons = [appointments.reason(where.unit, f"Motif {minutes}", minutes) for minutes in (15, 20, 30, 45, 60)]
    day, visits = date.today() + timedelta(days=3), 0
    for number in range(AGENDAS):
        doctor = hospitals.practitioner(where.unit, f"2{number:010d}", f"NOM {number}", "Prénom")
        for opens, closes in _HALF_DAYS:
            opened = appointments.consultation(where, reasons, day, opens, closes, step_min=5, practitioner=doctor)
            for cell in range(0, opened.n_cells - 4, 3):
                person = people.patient(f"PATIENT {number} {visits}", mobile="+33639980042")
                people.known_at(person, where.establishment.id, f"8{visits:07d}")
                actions.book_by_phone(person.id, reasons[0].id, Slot(opened.id, cell))
                visits += 1
    return where.unit, day, visits
