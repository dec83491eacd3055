"""documents.file: packages (IHE_XDM of one letter) filed a second, from the bytes to the patient's shelf, against the
same statements sent straight through psycopg and the same files hashed, encrypted and written."""

from datetime import date

import psycopg
from flask import Flask

from portal import db, files
from portal.db import session
from services.documents.jobs import take_in_file
from tests.bench.harness import Ground, application, ground, interleaved, report, seconds, size
from tests.bench.replay import player, recorded
from tests.factories import documents, hospitals, people
from tests.factories.hospitals import Hospital

NAMES = ("documents.file",)
PACKAGES = 60
ROUNDS = 3


def run() -> None:
    with ground() as place:
        app = application(place.settings)
        with app.app_context():
            _compare(app, place, size(PACKAGES))


def _compare(app: Flask, place: Ground, count: int) -> None:
    a_round = count // ROUNDS
    with db.transaction(db.system("bench")):
        where = hospitals.hospital()
        _account, person = people.patient_with_account(
            birth_name="PAT-TROIS", first_names=("DOMINIQUE", "MARIE-LOUISE"), birth_on=date(1979, 3, 28),
            birthplace_insee="51215",
        )  # fmt: skip
        documents.qualified(person)
        people.known_at(person, where.establishment.id, "0012345")
        traits = documents.traits(person)
    packages = [documents.package(documents.letter(traits)) for _ in range(count + 1)]
    waiting = iter(packages)
    with recorded(app) as statements:
        _file(where, next(waiting), keep=False)
    _forget_files(place)
    carried = (packages[0], documents.letter(traits), documents.pdf("Lettre de sortie", "Tout va bien."))

    def store() -> None:
        for data in carried:
            files.from_bytes([data]).finish()

    with player(place, statements, writes=True) as play:
        ours, limit = interleaved(
            lambda: a_round / seconds(lambda: [_file(where, next(waiting)) for _ in range(a_round)]),
            lambda: a_round / seconds(lambda: [(store(), play()) for _ in range(a_round)]),
            ROUNDS,
        )
    note = f"1 client, {len(packages[0])} bytes and {len(statements)} statements each"
    report("documents.file", ours, "packages/s", limit, note=note)


def _forget_files(place: Ground) -> None:
    """Files are registered in transactions of their own, which no rollback takes back."""
    with psycopg.connect(place.server.url(database="bench"), autocommit=True) as above:
        above.execute("delete from stored_file")


def _file(where: Hospital, data: bytes, *, keep: bool = True) -> None:
    with db.transaction(db.system("documents.receive")):
        (outcome,) = take_in_file(where.establishment.id, "command", "lettre.zip", data, production=False)
        if outcome.outcome != "filed":
            raise RuntimeError(f"a package was not filed: {outcome}")
        session.flush()
        if not keep:
            session.rollback()
