"""While the antivirus looks at an upload, no transaction that has written anything waits for it."""

import re
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask.testing import FlaskClient

from auth.models import Account
from portal import db, files
from portal.gateways.antivirus.contract import Verdict
from portal.gateways.antivirus.twin import ScannerTwin
from services.documents.exchanges.models import Exchange, ExchangeMessage
from services.documents.models import Document
from tests.conftest import Database
from tests.factories import documents
from tests.ground import count
from tests.services.documents.conftest import Ground

SignIn = Callable[[Account | UUID], FlaskClient]
_WRITING = (
    "select count(*) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid() and backend_xid is not null"
    " and backend_type = 'client backend'"  # the server tidies up when it likes
)


class Watchman(ScannerTwin):
    """The twin, which looks at the database each time it is asked: how many transactions have written something."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.door = type(self.door)("antivirus.watchman")
        self.url = url
        self.writing: list[int] = []

    def scan(self, chunks: Iterable[bytes]) -> Verdict:
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(_WRITING).fetchone()
        assert row is not None
        self.writing.append(int(row[0]))
        return super().scan(chunks)


@pytest.fixture
def thread(ground: Ground) -> Exchange:
    with db.transaction(db.system("tests")):
        return documents.exchange(ground.hospital.unit, ground.professional, ("unit", "Inès", "Bonjour"))


@pytest.fixture
def watchman(
    ground: Ground, thread: Exchange, database: Database, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Watchman]:
    made = Watchman(database.superuser_url)
    monkeypatch.setattr(files._place, "scanner", made)
    yield made
    assert made.writing, "the antivirus was never asked"
    assert set(made.writing) == {0}


def post(browser: FlaskClient, path: str, **fields: Any) -> None:
    data = {"once": str(uuid4()), "file": (BytesIO(documents.pdf("Courrier")), "courrier.pdf"), **fields}
    answer = browser.post(path, data=data)
    assert answer.status_code == 303, answer.text
    # A repeated post acts once, although its file is received again.
    again = browser.post(path, data=data | {"file": (BytesIO(documents.pdf("Courrier")), "courrier.pdf")})
    assert (again.status_code, again.headers["Location"]) == (303, answer.headers["Location"])


TRAITS = {
    "subject": "Avis", "birth_name": "Pat-Trois", "first_name": "Dominique", "birth_on-day": "28",
    "birth_on-month": "3", "birth_on-year": "1979", "text": "Bonjour",
}  # fmt: skip


def test_a_practitioner_sends_to_a_unit(ground: Ground, sign_in: SignIn, watchman: Watchman) -> None:
    post(sign_in(ground.professional.account_id), f"/pro/envoyer/{ground.hospital.unit.id}", **TRAITS)
    assert count(Exchange) == 2


def test_a_practitioner_answers(ground: Ground, sign_in: SignIn, watchman: Watchman, thread: Exchange) -> None:
    post(sign_in(ground.professional.account_id), f"/pro/echanges/{thread.id}", text="Merci")
    assert count(ExchangeMessage) == 2


def test_an_agent_answers(ground: Ground, sign_in: SignIn, watchman: Watchman, thread: Exchange) -> None:
    post(sign_in(ground.agent), f"/admin/documents/echanges/{thread.id}", text="Merci")
    assert count(ExchangeMessage) == 2


def test_an_agent_writes_to_a_practitioner(ground: Ground, sign_in: SignIn, watchman: Watchman) -> None:
    path = f"/admin/documents/echanges/nouveau/{ground.professional.id}"
    post(sign_in(ground.agent), path, unit_id=str(ground.hospital.unit.id), **TRAITS)
    assert count(Exchange) == 2


def test_an_agent_sends_to_a_patient(ground: Ground, sign_in: SignIn, watchman: Watchman) -> None:
    path = f"/admin/documents/envoyer-a-un-patient/{ground.here}/{ground.patient.id}"
    browser = sign_in(ground.agent)
    kind = documents_kind(browser, path)
    post(browser, path, title="Ordonnance", type_code=kind)
    assert count(Document) == 1


def test_an_agent_takes_a_letter_in(ground: Ground, sign_in: SignIn, watchman: Watchman) -> None:
    browser = sign_in(ground.agent)
    letter = documents.letter(ground.traits)
    for _ in range(2):
        data = {"once": str(uuid4()), "establishment_id": str(ground.here), "file": (BytesIO(letter), "lettre.xml")}
        assert browser.post("/admin/documents/recevoir", data=data).status_code == 303
    assert count(Document) == 1


def documents_kind(browser: FlaskClient, path: str) -> str:
    """The first kind of document that the form offers."""
    found: list[str] = re.findall(r'<option value="([^"]+)"', browser.get(path).text)
    return found[0]
