"""documents.file: packages (IHE_XDM of one letter) filed a second, from the bytes to the patient's shelf, against the
same package unzipped and parsed and the same three files hashed, encrypted and written, alone."""

import base64
import io
import zipfile
from datetime import date

from lxml import etree

from auth.models import Patient
from portal import db, files
from portal.db import session
from services.documents.jobs import take_in_file
from tests.bench.harness import application, ground, interleaved, report, seconds, size
from tests.factories import documents, hospitals, people
from tests.factories.hospitals import Hospital

NAMES = ("documents.file",)
PACKAGES = 60
ROUNDS = 3
_BODY = ".//{urn:hl7-org:v3}nonXMLBody/{urn:hl7-org:v3}text"


def run() -> None:
    with ground() as place:
        app = application(place.settings)
        with app.app_context():
            _compare(size(PACKAGES))


def _compare(count: int) -> None:
    a_round = count // ROUNDS
    where, person = _people()
    packages = [documents.package(documents.letter(documents.traits(person))) for _ in range(count)]
    waiting = iter(packages)
    ours, limit = interleaved(
        lambda: a_round / seconds(lambda: [_file(where, next(waiting)) for _ in range(a_round)]),
        lambda: a_round / seconds(lambda: [_bare(packages[0]) for _ in range(a_round)]),
        ROUNDS,
    )
    report("documents.file", ours, "packages/s", limit, note=f"1 client, {len(packages[0])} bytes each")


def _people() -> tuple[Hospital, Patient]:
    with db.transaction(db.system("bench")):
        where = hospitals.hospital()
        _account, person = people.patient_with_account(
            birth_name="PAT-TROIS", first_names=("DOMINIQUE", "MARIE-LOUISE"), birth_on=date(1979, 3, 28),
            birthplace_insee="51215",
        )  # fmt: skip
        documents.qualified(person)
        people.known_at(person, where.establishment.id, "0012345")
        return where, person


def _bare(package: bytes) -> None:
    """What cannot be avoided: unzip, parse, encrypt, write; no check, no row."""
    with zipfile.ZipFile(io.BytesIO(package)) as unzipped:
        metadata, letter = (unzipped.read(f"IHE_XDM/SUBSET01/{name}.XML") for name in ("METADATA", "DOC0001"))
    etree.fromstring(metadata)
    body = etree.fromstring(letter).findtext(_BODY) or ""
    for data in (package, letter, base64.b64decode(body)):
        files.from_bytes([data]).finish()


def _file(where: Hospital, data: bytes) -> None:
    with db.transaction(db.system("documents.receive")):
        (outcome,) = take_in_file(where.establishment.id, "command", "lettre.zip", data, production=False)
        if outcome.outcome != "filed":
            raise RuntimeError(f"a package was not filed: {outcome}")
        session.flush()
