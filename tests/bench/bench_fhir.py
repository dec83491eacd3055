"""fhir.sas: the national platform's search, one practitioner of many over three days, p95 in ms, against its own
statements. fhir.speciality: the shared-agenda guide's, every practitioner of a speciality over a week."""

from datetime import date, timedelta
from urllib.parse import quote

from flask import Flask
from sqlalchemy import text

from portal import db, establishments
from portal.web.limits import limiter
from services.appointments.fhir.offer import OPEN_TO_ALL
from tests.bench.harness import Ground, application, ground, p95_ms, quickest, report, size
from tests.bench.replay import player, recorded
from tests.factories import appointments, hospitals

NAMES = ("fhir.sas", "fhir.speciality")
PRACTITIONERS = 500
DAYS = 90
LOOKS = 20
_REPEATED = text("""
insert into consultation_session (id, establishment_id, site_id, unit_id, practitioner_id, start_at, local_date,
  step_min, n_cells, open, free)
select gen_random_uuid(), establishment_id, site_id, unit_id, practitioner_id, start_at + make_interval(days => day),
  local_date + day, step_min, n_cells, open, free
from consultation_session, generate_series(1, :days) day
""")
_OFFERED = text("""
insert into session_reason (session_id, reason_id, establishment_id)
select s.id, r.id, s.establishment_id from consultation_session s join reason r on r.unit_id = s.unit_id
on conflict do nothing
""")


def run() -> None:
    with ground() as place:
        app = application(place.settings)
        limiter.enabled = False
        with app.app_context(), db.transaction(db.system("bench")):
            _fill(size(PRACTITIONERS))
        begins, includes = date.today() + timedelta(days=2), "_include=Slot:schedule&_include:iterate=Schedule:actor"
        who = quote("urn:oid:1.2.250.1.71.4.2.1|820000000007")
        _search(app, place, "fhir.sas", begins, 3,
                f"schedule.actor:Practitioner.identifier={who}&{includes}")  # fmt: skip
        _search(app, place, "fhir.speciality", begins, 7,
                f"schedule.actor:PractitionerRole.specialty={quote('TRE_R38|SM38')}&{includes}&_count=50")  # fmt: skip


def _fill(practitioners: int) -> None:
    """A morning of each practitioner, repeated every day, in units of 25; the last unit is of ophthalmology."""
    where = hospitals.hospital(address="1 rue du Banc, 75001 Paris")
    establishments.change_setting(where.establishment.id, OPEN_TO_ALL, "yes")
    tomorrow = date.today() + timedelta(days=1)
    for first in range(0, practitioners, 25):
        unit = hospitals.unit(where.establishment, where.site, f"U{first}", f"Service {first}")
        reason = appointments.reason(unit, duration_min=15)
        speciality = "Ophtalmologie" if first + 25 >= practitioners else "Cardiologie"
        for number in range(first, min(first + 25, practitioners)):
            doctor = hospitals.practitioner(unit, f"2{number:010d}", f"DOCTEUR {number}", "Bench", speciality)
            appointments.consultation(
                hospitals.Hospital(where.establishment, where.site, unit, doctor), [reason], tomorrow
            )
    db.session.execute(_REPEATED, {"days": DAYS - 1})
    db.session.execute(_OFFERED)


def _search(app: Flask, place: Ground, name: str, begins: date, days: int, query: str) -> None:
    browser = app.test_client()
    until = begins + timedelta(days=days)
    address = f"/fhir/Slot?status=free&start=ge{begins}&start=lt{until}&{query}"
    found: list[int] = []

    def look() -> None:
        answer = browser.get(address)
        if answer.status_code != 200:
            raise RuntimeError(f"{name} answered {answer.status_code}")
        found.append(answer.get_json()["total"])

    look()
    with recorded(app) as statements:
        look()
    if not found[0]:
        raise RuntimeError(f"{name} found nothing")
    with player(place, statements, writes=False) as play:
        ours, limit = quickest(lambda: p95_ms(look, LOOKS), lambda: p95_ms(play, LOOKS), 3)
    note = f"{size(PRACTITIONERS)} practitioners, {DAYS} days, {found[0]} slots, {len(statements)} statements"
    report(name, ours, "ms", limit, lower_is_better=True, note=note)
