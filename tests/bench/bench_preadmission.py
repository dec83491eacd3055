"""preadmission.submit: files sent a second by `actions.submit`; preadmission.tray: the agents' tray, p95 in ms.

Both against their own statements sent straight through psycopg.
"""

from collections.abc import Iterator
from uuid import UUID

from flask import Flask

from portal import db
from portal.db import Actor
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

NAMES = ("preadmission.submit", "preadmission.tray")
FILES = 400
A_ROUND = 60
ROUNDS = 4
LOOKS = 40
_STATES = ("submitted", "in_review", "to_complete", "validated", "refused")


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
        for number in range(count):
            person = people.patient(f"PATIENT {number}")
            factory.preadmission(person, where.unit, _STATES[number % len(_STATES)])
        clerk = people.agent(where.establishment.id, "preadmission")
        browser = signed_in(app, clerk.id)
    _look(browser)
    with recorded(app) as statements:
        _look(browser)
    with player(place, statements, writes=False) as play:
        ours, limit = quickest(lambda: p95_ms(lambda: _look(browser), LOOKS), lambda: p95_ms(play, LOOKS))
    note = f"{count} files, {len(statements)} statements a page"
    report("preadmission.tray", ours, "ms", limit, lower_is_better=True, note=note)


def _look(browser: object) -> None:
    answer = browser.get("/admin/pre-admissions")  # type: ignore[attr-defined]
    if answer.status_code != 200:
        raise RuntimeError(f"the tray answered {answer.status_code}")
