"""referrals.tray: a unit's tray of referrals at a hospital that received 100,000 of them, p95 in ms, against its own
statements sent straight through psycopg.
"""

import psycopg
from flask import Flask
from sqlalchemy import text

from portal import db
from portal.db import session
from services.referrals.models import RIGHT, ReferralOffer
from tests.bench.harness import Ground, application, ground, p95_ms, quickest, report, signed_in, size
from tests.bench.replay import player, recorded
from tests.factories import hospitals, people
from tests.factories import referrals as factory
from tests.factories.hospitals import Hospital

NAMES = ("referrals.tray",)
REFERRALS = 100_000
LOOKS = 40
PAGES = {"to answer": "/admin/orientations", "ended": "/admin/orientations?bac=ended"}


def run() -> None:
    with ground() as place:
        _trays(application(place.settings), place)


def _trays(app: Flask, place: Ground) -> None:
    count = size(REFERRALS)
    with app.app_context(), db.transaction(db.system("bench")):
        where = hospitals.hospital()
        fill(where, factory.offer(where.unit), count)
        browser = signed_in(app, people.agent(where.establishment.id, RIGHT).id)
    with psycopg.connect(place.server.url(database="bench"), autocommit=True) as connection:
        connection.execute("analyze")
    for name, path in PAGES.items():
        _tray(app, place, browser, path, f"{count} referrals, {name}")


def _tray(app: Flask, place: Ground, browser: object, path: str, note: str) -> None:
    _look(browser, path)
    with recorded(app) as statements:
        _look(browser, path)
    with player(place, statements, writes=False) as play:
        ours, limit = quickest(lambda: p95_ms(lambda: _look(browser, path), LOOKS), lambda: p95_ms(play, LOOKS))
    note = f"{note}, {len(statements)} statements a page"
    report("referrals.tray", ours, "ms", limit, lower_is_better=True, note=note)


def fill(where: Hospital, offer: ReferralOffer, count: int) -> None:
    """A hospital after some years: one request in fifty to answer, one in a hundred asked for more, one in twenty
    accepted, the others ended. Written by the database itself: what is measured is the tray."""
    doctor = people.professional()
    facts = {
        "here": where.establishment.id,
        "unit": where.unit.id,
        "offer": offer.id,
        "doctor": doctor.id,
        "count": count,
    }
    for statement in _FILL:
        session.execute(text(statement), facts)


_FILL = (
    "insert into patient (id, birth_name, used_name, first_names, sex, birth_on, birthplace_insee, birthcountry_insee,"
    " ins, ins_oid, identity_status, email, mobile, created_at, name_key, first_key)"
    " select gen_random_uuid(), 'NOM' || n, '', array['CLAUDE'], 'F', date '1940-01-01' + n % 25000, '', '', '', '',"
    " 'PROV', '', '', now(), 'NOM' || n, 'CLAUDE' from generate_series(1, :count) n",
    "insert into patient_record (patient_id, establishment_id, created_at)"
    " select id, :here, now() from patient where name_key like 'NOM%'",
    "insert into referral (id, reference, professional_id, author_name, kind, question, urgency, urgency_label,"
    " birth_name, first_name, birth_on, sent_at)"
    " select id, translate(upper(left(md5(id::text), 12)), '0', 'Z'), :doctor, 'Paul LEROY', 'consultation',"
    " repeat('Dyspnée d’effort. ', 20), 'week', 'Dans la semaine', birth_name, 'Claude', birth_on, now()"
    " from patient where name_key like 'NOM%'",
    "insert into referral_target (id, referral_id, professional_id, establishment_id, unit_id, offer_id, position,"
    " state, patient_id, answer_hours, received_at, answer_by, answered_at, changed_at)"
    " select gen_random_uuid(), id, :doctor, :here, :unit, :offer, 0,"
    " case when n % 100 < 2 then 'received' when n % 100 = 2 then 'asked' when n % 100 < 8 then 'accepted'"
    " when n % 2 = 0 then 'completed' else 'refused' end, id, 120, now() - make_interval(mins => n),"
    " case when n % 100 < 2 then now() + make_interval(mins => n - 2000) end,"
    " case when n % 100 > 2 then now() - make_interval(mins => n) end, now() - make_interval(mins => n)"
    " from (select id, row_number() over () ::int as n from patient where name_key like 'NOM%') numbered",
)


def _look(browser: object, path: str) -> None:
    answer = browser.get(path)  # type: ignore[attr-defined]  # a test client, whatever its class
    if answer.status_code != 200:
        raise RuntimeError(f"the tray answered {answer.status_code}")
