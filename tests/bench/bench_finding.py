"""appointments.month: a month of free times of 25 practitioners; appointments.mine: the page of a person who has 200
appointments; appointments.find: the search over every reason of a hospital. CPU of the application per request, against
its own statements."""

import time
from collections.abc import Callable
from datetime import date, timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from portal import db
from portal.establishments import Unit
from services.appointments.models import Reason
from tests.bench.bench_slots import fill
from tests.bench.harness import Ground, application, ground, quickest, report, signed_in, size
from tests.bench.replay import player, recorded
from tests.factories import appointments, people

NAMES = ("appointments.month", "appointments.mine", "appointments.find")
PRACTITIONERS = 25
ROWS = 200
REASONS = 60
LOOKS = 20
_VISITS = text("""
insert into appointment (id, establishment_id, patient_id, site_id, unit_id, practitioner_id, reason_id, session_id,
  first_cell, n_cells, start_at, end_at, state, channel, reference, cancel_reason, booked_at)
select gen_random_uuid(), s.establishment_id, :patient, s.site_id, s.unit_id, s.practitioner_id, :reason, s.id, 0, 1,
  s.start_at + make_interval(days => n - 100), s.start_at + make_interval(days => n - 100, mins => 15),
  (array['booked', 'done', 'missed', 'cancelled'])[1 + n % 4], 'web', 'B' || n, '', now()
from consultation_session s, generate_series(1, :rows) n where s.id = :session
""")


def run() -> None:
    with ground() as place:
        app = application(place.settings)
        with app.app_context(), db.transaction(db.system("bench")):
            reason, opened = fill(size(PRACTITIONERS))
            account, patient = people.patient_with_account()
            asked = {"patient": patient.id, "reason": reason.id, "session": opened.id, "rows": ROWS}
            db.session.execute(_VISITS, asked)
            browser = signed_in(app, account.id)
        _month(app, place, reason)
        _measure("appointments.mine", app, place, browser, "/rendez-vous", f"{ROWS} appointments")
        _find(app, place, reason)


def _month(app: Flask, place: Ground, reason: Reason) -> None:
    shown = (date.today() + timedelta(days=32)).replace(day=1)
    address = f"/rendez-vous/choisir-un-creneau?reason={reason.id}&month={shown:%Y-%m}"
    _measure("appointments.month", app, place, app.test_client(), address, f"{size(PRACTITIONERS)} practitioners")


def _find(app: Flask, place: Ground, reason: Reason) -> None:
    with app.app_context(), db.transaction(db.system("bench")):
        unit = db.session.get_one(Unit, reason.unit_id)
        for number in range(REASONS):
            appointments.reason(unit, f"Reason {number}", 15)
        db.session.execute(
            text("insert into session_reason (session_id, reason_id, establishment_id)"
                 " select s.id, r.id, s.establishment_id from consultation_session s, reason r on conflict do nothing")
        )  # fmt: skip
        db.session.execute(text("analyze session_reason"))
    _measure("appointments.find", app, place, app.test_client(), "/rendez-vous/choisir", f"{REASONS} reasons")


def _measure(name: str, app: Flask, place: Ground, browser: FlaskClient, address: str, note: str) -> None:
    """CPU of the application per request, in ms, against that of sending the same statements."""

    def look() -> None:
        answer = browser.get(address)
        if answer.status_code != 200:
            raise RuntimeError(f"{name} answered {answer.status_code}")

    look()
    with recorded(app) as statements:
        look()
    with player(place, statements, writes=False) as play:
        ours, limit = quickest(lambda: _cpu_ms(look), lambda: _cpu_ms(play), 3)
    report(name, ours, "ms CPU", limit, lower_is_better=True, note=f"{note}, {len(statements)} statements a page")


def _cpu_ms(work: Callable[[], None]) -> float:
    began = time.process_time()
    for _look in range(LOOKS):
        work()
    return (time.process_time() - began) / LOOKS * 1e3
