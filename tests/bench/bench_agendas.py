"""agendas.generate: opening a year of sessions from the weekly templates of 500 practitioners (SIZE of them), in
sessions a second, against the same rows through psycopg. agendas.change: new hours for the templates of a practitioner
with 10 000 appointments to come (SIZE × 20 of them), in seconds, against the bare updates; appointments lost."""

from collections.abc import Sequence
from datetime import date, time, timedelta
from uuid import UUID, uuid4

import psycopg
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import selectinload

from portal import db
from portal.db import session
from portal.establishments import Establishment
from services.appointments.agendas import actions
from services.appointments.agendas.models import SessionTemplate, TemplateReason
from services.appointments.agendas.rules import Rule
from services.appointments.models import Appointment
from tests.bench.harness import Ground, application, ground, report, report_faults, seconds, size
from tests.factories import agendas, appointments, hospitals, people
from tests.factories.hospitals import Hospital

NAMES = ("agendas.generate", "agendas.change")
PRACTITIONERS = 500
WEEKDAYS = (0, 1, 3, 4)
AT_ONCE = 100
CELLS = 60
"""A night of five hours by five minutes: as many appointments as a session holds."""

_FILL = text("""
with free as (
  select s.*, cell, row_number() over (order by s.start_at, cell) as rank
  from consultation_session s, generate_series(0, s.n_cells - 1) cell
  where s.template_id = any(cast(:templates as uuid[])) and s.start_at > now() order by s.start_at, cell limit :wanted
), booked as (
  insert into appointment (id, establishment_id, patient_id, site_id, unit_id, practitioner_id, reason_id, session_id,
    first_cell, n_cells, start_at, end_at, state, channel, reference, cancel_reason, booked_at)
  select gen_random_uuid(), establishment_id, :patient, site_id, unit_id, practitioner_id, :reason, id, cell, 1,
    start_at + make_interval(mins => cell * step_min), start_at + make_interval(mins => (cell + 1) * step_min),
    'booked', 'phone', rank, '', now() from free
  returning session_id, first_cell
)
update consultation_session s set free = s.open & ~taken.cells
from (select session_id, bit_or(1::bigint << first_cell) as cells from booked group by 1) taken
where taken.session_id = s.id
""")
_WRONG = text("""
select count(*) from consultation_session s where s.free <> s.open & ~coalesce((
  select bit_or(((1::bigint << a.n_cells) - 1) << a.first_cell) from appointment a
  where a.session_id = s.id and a.state <> 'cancelled'), 0)
""")


def run() -> None:
    with ground() as place:
        app = application(place.settings)
        with app.app_context(), db.transaction(db.system("bench")):
            where = hospitals.hospital()
            reason = appointments.reason(where.unit, duration_min=5)
            patient = people.patient("PATIENT").id
        _generate(app, place, where, reason.id)
        _change(app, place, where, reason.id, patient)


# -- a year for everybody ----------------------------------------------------------------------------------------


def _generate(app: Flask, place: Ground, where: Hospital, reason_id: UUID) -> None:
    with app.app_context(), db.transaction(db.system("bench")):
        for number in range(size(PRACTITIONERS)):
            doctor = hospitals.practitioner(where.unit, f"2{number:010d}", f"DOCTEUR {number}", "Bench").id
            for weekday in WEEKDAYS:
                _add(where, doctor, reason_id, agendas.rule(weekday, time(9), time(12)))
    took = seconds(lambda: _open_all(app, where))
    with app.app_context(), db.transaction(db.system("bench")):
        opened = int(session.scalar(text("select count(*) from consultation_session")) or 0)
    bare = _same_rows_again(place, reason_id)
    again = seconds(lambda: _open_all(app, where))
    note = f"{opened} sessions of {size(PRACTITIONERS)} practitioners in {took:.1f} s; nothing to do: {again:.1f} s"
    report("agendas.generate", opened / took, "sessions/s", opened / bare, note=note)


def _add(where: Hospital, practitioner_id: UUID, reason_id: UUID, rule: Rule) -> UUID:
    place = where.establishment.id
    made = SessionTemplate(id=uuid4(), establishment_id=place, practitioner_id=practitioner_id, unit_id=where.unit.id)
    made.follow(rule)
    session.add(made)
    session.flush()
    session.add(TemplateReason(template_id=made.id, reason_id=reason_id, establishment_id=place))
    return made.id


def _open_all(app: Flask, where: Hospital) -> None:
    """As the nightly jobs do, some templates a transaction."""
    with app.app_context(), db.transaction(db.system("bench")):
        ids = session.scalars(select(SessionTemplate.id).order_by(SessionTemplate.id)).all()
    for begin in range(0, len(ids), AT_ONCE):
        with app.app_context(), db.transaction(db.system("bench")):
            asked = select(SessionTemplate).where(SessionTemplate.id.in_(ids[begin : begin + AT_ONCE]))
            some = session.scalars(asked.options(selectinload(SessionTemplate.days)))
            actions.open_ahead(session.get_one(Establishment, where.establishment.id), some.all())


_SAME = """
insert into consultation_session (id, establishment_id, site_id, unit_id, practitioner_id, start_at, local_date,
  step_min, n_cells, open, free)
select gen_random_uuid(), establishment_id, site_id, unit_id, practitioner_id, start_at, local_date, step_min, n_cells,
  open, free from consultation_session
"""
_SAME_REASONS = """
insert into session_reason (session_id, reason_id, establishment_id)
select id, %s, establishment_id from consultation_session where template_id is null
"""


def _same_rows_again(place: Ground, reason_id: UUID) -> float:
    """The same rows, computed by nobody, written by the database alone, and taken back."""
    with psycopg.connect(place.settings.database_url.get_secret_value()) as connection:
        connection.execute("select set_config('parvis.system', 'bench', true)")
        took = seconds(lambda: connection.execute(_SAME))
        took += seconds(lambda: connection.execute(_SAME_REASONS, [reason_id]))
        connection.rollback()
    return took


# -- ten thousand appointments -----------------------------------------------------------------------------------


def _change(app: Flask, place: Ground, where: Hospital, reason_id: UUID, patient_id: UUID) -> None:
    wanted = size(PRACTITIONERS) * 20
    ids = _filled(app, where, reason_id, patient_id, wanted)
    bare = _bare_updates(place, ids)

    def shorten() -> None:
        with app.app_context(), db.transaction(db.system("bench")):
            establishment = session.get_one(Establishment, where.establishment.id)
            for template in session.scalars(select(SessionTemplate).where(SessionTemplate.id.in_(ids))).all():
                template.closes = time(23)
                actions.open_ahead(establishment, [template])

    took = seconds(shorten)
    with app.app_context(), db.transaction(db.system("bench")):
        booked = session.query(Appointment).filter_by(state="booked").count()
        wrong = int(session.scalar(_WRONG) or 0)
    note = f"{booked} appointments to come in {len(ids)} templates of a practitioner"
    report("agendas.change", took, "s", bare, lower_is_better=True, note=note)
    report_faults("agendas.change", abs(wanted - booked) + wrong, "appointments lost or wrong masks", note)


def _filled(app: Flask, where: Hospital, reason_id: UUID, patient_id: UUID, wanted: int) -> Sequence[UUID]:
    """Evenings full of visits of five minutes, as many as wanted."""
    ids: list[UUID] = []
    with app.app_context(), db.transaction(db.system("bench")):
        establishment = session.get_one(Establishment, where.establishment.id)
        first_on = date.today() + timedelta(days=1)
        while len(ids) * 55 * CELLS < wanted:
            doctor = hospitals.practitioner(where.unit, f"3{len(ids):010d}", "SOIR", "Bench").id
            evening = agendas.rule(
                len(ids) % 7, time(19), time(0), first_on=first_on, step_min=5, on_public_holidays=True
            )
            ids.append(_add(where, doctor, reason_id, evening))
        templates = session.scalars(select(SessionTemplate).where(SessionTemplate.id.in_(ids))).all()
        actions.open_ahead(establishment, templates)
        session.execute(_FILL, {"templates": ids, "wanted": wanted, "patient": patient_id, "reason": reason_id})
    return ids


_SHORTER = """
update consultation_session s set open = open & 281474976710655, free = open & 281474976710655 & ~coalesce(
  (select bit_or(((1::bigint << n_cells) - 1) << first_cell) from appointment a where a.session_id = s.id), 0)
where template_id = any(%s)
"""


def _bare_updates(place: Ground, ids: Sequence[UUID]) -> float:
    """The same sessions given their new masks by the database alone, and taken back."""
    with psycopg.connect(place.settings.database_url.get_secret_value()) as connection:
        connection.execute("select set_config('parvis.system', 'bench', true)")
        took = seconds(lambda: connection.execute(_SHORTER, [list(ids)]))
        connection.rollback()
    return took
