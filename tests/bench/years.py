"""A large group's agendas: practitioners who receive every day, nearly full this month, half full the third one.

500 practitioners, 90 days and 34 quarter hours a day make 1.2 million appointments: the size that the issue of
appointments names. The rows are those that booking writes (appointment, claims of both, free cells), made in bulk.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import psycopg
from flask import Flask

from portal import db
from services.appointments.models import Reason
from tests.bench.harness import Ground
from tests.factories import appointments, hospitals
from tests.factories.hospitals import Hospital

DAYS = 90
A_UNIT = 25
_PATIENTS_EACH = 40
"""Patients for one practitioner: at one moment all practitioners see different ones."""

_PRACTITIONERS = """
insert into practitioner (id, establishment_id, unit_id, rpps, title, family_name, given_name, speciality)
select gen_random_uuid(), %(establishment)s, (cast(%(units)s as uuid[]))[1 + (n - 1) / %(each)s],
       to_char(30000000000 + n, 'FM00000000000'), 'Dr', 'MÉDECIN ' || n, 'Bench', 'Cardiologie'
from generate_series(1, %(count)s) n
"""
_PATIENTS = """
insert into patient (id, birth_name, used_name, first_names, birth_on, sex, birthplace_insee, birthcountry_insee, ins,
  ins_oid, identity_status, email, mobile, created_at)
select gen_random_uuid(), 'FOULE ' || n, '', array['Bench'], date '1950-01-01' + n %% 20000, 'F', '', '', '', '',
       'PROV', '', '', now()
from generate_series(1, %(crowd)s) n
"""
# Two sessions a day, 09:00-13:00 and 13:30-18:00, in quarters of an hour: 16 and 18 cells.
_SESSIONS = """
insert into consultation_session (id, establishment_id, site_id, unit_id, practitioner_id, start_at, local_date,
  step_min, n_cells, open, free)
select gen_random_uuid(), p.establishment_id, u.site_id, p.unit_id, p.id,
       (cast(%(first)s as date) + day + half.begins) at time zone 'Europe/Paris', cast(%(first)s as date) + day, 15,
       half.cells, (1::bigint << half.cells) - 1, (1::bigint << half.cells) - 1
from practitioner p join unit u on u.id = p.unit_id, generate_series(0, %(days)s - 1) day,
     (values (time '09:00', 16), (time '13:30', 18)) half (begins, cells)
where p.rpps like '3%%'
"""
_REASONS = """
insert into session_reason (reason_id, session_id, establishment_id)
select r.id, s.id, s.establishment_id from consultation_session s join reason r on r.unit_id = s.unit_id
on conflict do nothing
"""
_BOOKED = """
create temporary table booked on commit drop as
with ranked as (select id, rank() over (order by id) n from practitioner where rpps like '3%%'),
     crowd as (select id, rank() over (order by id) - 1 n from patient where birth_name like 'FOULE %%')
select gen_random_uuid() id, s.id session_id, s.establishment_id, s.site_id, s.unit_id, s.practitioner_id,
       c.id patient_id, r.id reason_id, cell, s.start_at + cell * interval '15 minutes' start_at
from consultation_session s
join ranked p on p.id = s.practitioner_id
join reason r on r.unit_id = s.unit_id
cross join lateral generate_series(0, s.n_cells - 1) cell
cross join lateral (select random() chance, extract(epoch from s.start_at)::bigint / 900 + cell quarter) d
join crowd c on c.n = (d.quarter * %(count)s + p.n) %% %(crowd)s
where d.chance < case (s.local_date - cast(%(first)s as date)) / 30 when 0 then 0.98 when 1 then 0.9 else 0.5 end
"""
_APPOINTMENTS = """
insert into appointment (id, establishment_id, patient_id, site_id, unit_id, practitioner_id, reason_id, session_id,
  first_cell, n_cells, start_at, end_at, state, channel, reference, cancel_reason, booked_at)
select id, establishment_id, patient_id, site_id, unit_id, practitioner_id, reason_id, session_id, cell, 1, start_at,
       start_at + interval '15 minutes', 'booked', 'phone', 'B' || upper(substr(md5(id::text), 1, 12)), '', now()
from booked
"""
_CLAIMS = """
insert into claim (resource_id, cell, seat, owner_id, patient_id, establishment_id)
select whose, (extract(epoch from start_at - timestamptz '2020-01-01T00:00:00Z') / 300)::integer + five, 0, id,
       patient_id, establishment_id
from booked, unnest(array[practitioner_id, patient_id]) whose, generate_series(0, 2) five
order by 1, 2
"""
_TAKEN = """
update consultation_session s set free = open & ~taken.cells
from (select session_id, bit_or(1::bigint << cell) cells from booked group by session_id) taken
where taken.session_id = s.id
"""


@dataclass(frozen=True)
class Group:
    """What was made. reasons: one a unit of 25 practitioners."""

    hospital: Hospital
    reasons: list[Reason]
    appointments: int


def fill(app: Flask, place: Ground, practitioners: int, days: int = DAYS) -> Group:
    """Make it, and what an idle night would do after it (statistics, visibility)."""
    with app.app_context(), db.transaction(db.system("bench")):
        where = hospitals.hospital()
        units = [
            hospitals.unit(where.establishment, where.site, f"5{n:03d}", f"Unité {n}")
            for n in range(-(-practitioners // A_UNIT))
        ]
        reasons = [appointments.reason(unit, duration_min=15) for unit in units]
        values = {
            "establishment": where.establishment.id,
            "units": [unit.id for unit in units],
            "count": practitioners,
            "each": A_UNIT,
            "crowd": practitioners * _PATIENTS_EACH,
            "first": date.today() + timedelta(days=1),
            "days": days,
        }
    # As the server's own administrator: no policy to ask for each of ten million rows.
    with psycopg.connect(place.server.url(database="bench")) as connection:
        connection.execute(_PRACTITIONERS, values)
        connection.execute(_PATIENTS, values)
        connection.execute(_SESSIONS, values)
        connection.execute(_REASONS, values)
        connection.execute(_BOOKED, values)
        made = connection.execute(_APPOINTMENTS, values).rowcount
        connection.execute(_CLAIMS, values)
        connection.execute(_TAKEN, values)
    with psycopg.connect(place.server.url(database="bench"), autocommit=True) as connection:
        connection.execute("vacuum analyze")
    return Group(where, reasons, made)
