"""preadmission.submit: files sent a second by `actions.submit`; preadmission.tray: the agents' tray with 50,000 files,
p95 in ms. Both against their own statements sent straight through psycopg.
"""

from collections.abc import Iterator
from uuid import UUID

import psycopg
from flask import Flask
from sqlalchemy import text

from portal import db
from portal.db import Actor, session
from services.pieces.models import Piece
from services.preadmission import actions
from services.preadmission.models import Preadmission
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
from tests.factories import preadmission as factory
from tests.factories.hospitals import Hospital

NAMES = ("preadmission.submit", "preadmission.tray")
FILES = 50_000
A_ROUND = 60
ROUNDS = 4
LOOKS = 40


def run() -> None:
    with ground() as place:
        app = application(place.settings)
        with app.app_context():
            _submit(app, place)
        _tray(app, place)


def _submit(app: Flask, place: Ground) -> None:
    with db.transaction(db.system("bench")) as current:
        where = hospitals.hospital()
        own, person = people.patient_with_account()
        drafts = [
            factory.preadmission(person, where.unit, account_id=own.id, complete=True).id
            for _ in range(1 + ROUNDS * A_ROUND)
        ]
        current.query(Piece).update({Piece.needed: False})
    actor, waiting = people.as_patient(own, person), iter(drafts)
    with recorded(app) as statements:
        _send(actor, next(waiting), keep=False)
    with player(place, statements, writes=True) as play:
        ours, limit = interleaved(
            lambda: A_ROUND / seconds(lambda: _send_some(actor, waiting)),
            lambda: A_ROUND / seconds(lambda: [play() for _ in range(A_ROUND)]),
            ROUNDS,
        )
    report("preadmission.submit", ours, "files/s", limit, note=f"1 client, {len(statements)} statements each")


def _send_some(actor: Actor, waiting: Iterator[UUID]) -> None:
    for _ in range(A_ROUND):
        _send(actor, next(waiting))


def _send(actor: Actor, draft_id: UUID, *, keep: bool = True) -> None:
    with db.transaction(actor) as current:
        actions.submit(current.get_one(Preadmission, draft_id))
        current.flush()
        if not keep:
            current.rollback()


def _tray(app: Flask, place: Ground) -> None:
    count = size(FILES)
    with app.app_context(), db.transaction(db.system("bench")):
        where = hospitals.hospital("990000025", "Hôpital d’à côté")
        fill(where, count)
        clerk = people.agent(where.establishment.id, "preadmission")
        browser = signed_in(app, clerk.id)
    with psycopg.connect(place.server.url(database="bench"), autocommit=True) as connection:
        connection.execute("analyze")
    _look(browser)
    with recorded(app) as statements:
        _look(browser)
    with player(place, statements, writes=False) as play:
        ours, limit = quickest(lambda: p95_ms(lambda: _look(browser), LOOKS), lambda: p95_ms(play, LOOKS))
    note = f"{count} files, {len(statements)} statements a page"
    report("preadmission.tray", ours, "ms", limit, lower_is_better=True, note=note)


def fill(where: Hospital, count: int) -> None:
    """A hospital after some years: one file in ten to process, one in twenty waiting or ready, the others closed.

    Written by the database itself: what is measured is the tray, not how its files came.
    """
    for statement in _FILL:
        session.execute(text(statement), {"here": where.establishment.id, "unit": where.unit.id, "count": count})


_FILL = (
    "insert into patient (id, birth_name, used_name, first_names, sex, birth_on, birthplace_insee, birthcountry_insee,"
    " ins, ins_oid, identity_status, email, mobile, created_at, name_key, first_key)"
    " select gen_random_uuid(), 'NOM' || n, '', array['CLAUDE'], 'F', date '1940-01-01' + n % 25000, '', '', '', '',"
    " 'PROV', '', '', now(), 'NOM' || n, 'CLAUDE' from generate_series(1, :count) n",
    "insert into patient_record (patient_id, establishment_id, created_at)"
    " select id, :here, now() from patient where name_key like 'NOM%'",
    "insert into preadmission (id, establishment_id, unit_id, patient_id, reference, state, stay_kind, planned_on,"
    " created_at, submitted_at, changed_at, agent_name, decision_reason)"
    " select gen_random_uuid(), :here, :unit, id, translate(upper(left(md5(id::text), 8)), '0', 'Z'),"
    " case when n % 20 < 2 then 'submitted' when n % 20 = 2 then 'to_complete' when n % 20 = 3 then 'validated'"
    " else 'closed' end, 'inpatient', case when n % 20 < 4 then current_date + n % 60 else current_date - n % 900 end,"
    " now(), now() - make_interval(mins => n), now(), '', ''"
    " from (select id, row_number() over () ::int as n from patient where name_key like 'NOM%') numbered",
    "insert into piece (id, folder_id, establishment_id, patient_id, kind, needed, state, shared_at, changed_at,"
    " refusal_reason)"
    " select gen_random_uuid(), f.id, f.establishment_id, f.patient_id, k, true, 'awaited', now(), now(), ''"
    " from preadmission f cross join (values ('identity'), ('health_card'), ('top_up_card')) kinds (k)"
    " where f.establishment_id = :here",
)


def _look(browser: object) -> None:
    answer = browser.get("/admin/pre-admissions")  # type: ignore[attr-defined]  # a test client, whatever its class
    if answer.status_code != 200:
        raise RuntimeError(f"the tray answered {answer.status_code}")
