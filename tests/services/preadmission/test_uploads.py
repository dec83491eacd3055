"""Documents that lie, harm, weigh or break: refused in plain words, with nothing kept."""

import re
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from portal import db, files
from portal.config import Settings
from portal.files import StoredFile
from portal.kpi import KpiEvent
from portal.web.uploads import MAX_UPLOAD_BYTES
from services.pieces import jobs as piece_jobs
from services.pieces.models import Piece
from services.preadmission.models import Preadmission
from tests.factories import preadmission as factory
from tests.services.preadmission.conftest import Ground

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}" + rb"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""In two halves, or this file would be quarantined by the scanners of those who clone it."""


@pytest.fixture
def draft(ground: Ground) -> Preadmission:
    with db.transaction(db.system("tests")):
        return factory.preadmission(ground.patient, ground.hospital.unit)


@pytest.fixture
def identity_page(draft: Preadmission) -> str:
    with db.transaction(db.system("tests")):
        piece = factory.pieces_of(draft)["identity"]
    return f"/pre-admission/{draft.id}/pieces/{piece.id}"


def send(browser: FlaskClient, page: str, content: bytes, name: str, **fields: str) -> TestResponse:
    """Post the form; encoded here in memory, since the test client would leave a temporary file open."""
    upload = FileStorage(BytesIO(content), filename=name)
    data = {"csrf_token": browser.csrf_token(), "once": str(uuid4()), "file": upload, **fields}
    boundary, body = encode_multipart(data)
    return browser.post(page, data=body, content_type=f"multipart/form-data; boundary={boundary}")


def gestures(page: str) -> list[str]:
    """Where the buttons beside each page lead, in the order of the pages."""
    return re.findall(r'class="app-pages__gestures" method="post" action="([^"]+)"', page)


def stored_count() -> int:
    with db.transaction(db.system("tests")) as current:
        return current.scalar(select(func.count()).select_from(StoredFile)) or 0


def bytes_kept(settings: Settings) -> set[Path]:
    """The files of the encrypted store."""
    return {path for path in Path(settings.storage_url.removeprefix("file:")).rglob("*") if path.is_file()}


def infected_pdf() -> bytes:
    """A PDF that opens, with the test virus in a comment before its end mark."""
    whole = factory.pdf()
    at = whole.rindex(b"startxref")
    return whole[:at] + b"%" + EICAR + b"\n" + whole[at:]


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (infected_pdf(), "carte.pdf", "virus"),
        (b"MZ\x90\x00" + b"\0" * 200, "carte.pdf", "name of this file"),
        (b"<!doctype html><script>alert(1)</script>", "carte.pdf", "name of this file"),
        (b"MZ\x90\x00" + b"\0" * 200, "setup.exe", "only take photos"),
        (b"", "vide.pdf", "empty"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 100, "IMG_0001.HEIC", "does not open"),
        (factory.pdf()[:-40], "coupe.pdf", "does not open"),
        (factory.photo()[:-200], "coupe.png", "does not open"),
        (b"%PDF-1.7" + b"0" * (25 * 1024 * 1024), "lourd.pdf", "over 25 MB"),
    ],
    ids=["infected", "exe as pdf", "html as pdf", "exe", "empty", "heic", "cut pdf", "cut png", "too large"],
)
def test_a_bad_file_is_refused_in_plain_words_and_nothing_is_kept(
    ground: Ground, sign_in, settings: Settings, identity_page: str, content: bytes, name: str, words: str
) -> None:
    before = bytes_kept(settings)
    answer = send(sign_in(ground.account), f"{identity_page}?lang=en", content, name)
    assert answer.status_code == 422
    assert words in answer.text
    assert "Already received" not in answer.text
    assert stored_count() == 0
    assert bytes_kept(settings) == before


def test_a_locked_pdf_is_refused(ground: Ground, sign_in, identity_page: str) -> None:
    answer = send(sign_in(ground.account), f"{identity_page}?lang=en", factory.locked_pdf(), "secret.pdf")
    assert answer.status_code == 422
    assert "password" in answer.text


def test_more_than_a_request_may_weigh_gets_its_own_page(ground: Ground, sign_in, identity_page: str) -> None:
    answer = send(sign_in(ground.account), identity_page, b"%PDF-1.7" + b"0" * MAX_UPLOAD_BYTES, "enorme.pdf")
    assert answer.status_code == 413
    assert stored_count() == 0


def test_no_file_is_told(ground: Ground, sign_in, identity_page: str) -> None:
    browser = sign_in(ground.account)
    answer = browser.post(f"{identity_page}?lang=en", data={"once": str(uuid4())})
    assert answer.status_code == 422
    assert "Choose a file." in answer.text


def test_an_upload_survives_a_refused_form(ground: Ground, sign_in, identity_page: str) -> None:
    browser = sign_in(ground.account)
    wrong_day = {"expires_on-day": "31", "expires_on-month": "2", "expires_on-year": "2031"}
    refused = send(browser, f"{identity_page}?lang=en", factory.photo(), "ma carte.png", **wrong_day)
    assert refused.status_code == 422
    assert "Already received: ma carte.png" in refused.text
    with db.transaction(db.system("tests")) as current:
        kept = current.scalars(select(StoredFile)).one()
    right_day = {"expires_on-day": "28", "expires_on-month": "2", "expires_on-year": "2031"}
    taken = browser.post(identity_page, data={"once": str(uuid4()), "received": str(kept.id), **right_day})
    assert taken.status_code == 303
    with db.transaction(db.system("tests")) as current:
        piece = current.scalars(select(Piece).where(Piece.kind == "identity")).one()
        assert [page.file_id for page in piece.pages] == [kept.id]
        assert str(piece.expires_on) == "2031-02-28"
        assert current.get_one(StoredFile, kept.id).patient_id == ground.patient.id


def test_a_document_that_expires_before_the_stay_is_refused(ground: Ground, sign_in, identity_page: str) -> None:
    past = {"expires_on-day": "1", "expires_on-month": "1", "expires_on-year": "2020"}
    answer = send(sign_in(ground.account), f"{identity_page}?lang=en", factory.photo(), "carte.png", **past)
    assert answer.status_code == 422
    assert "will not be valid" in answer.text


def test_nobody_can_claim_the_upload_of_another_account(ground: Ground, sign_in, identity_page: str) -> None:
    with db.transaction(ground.as_other_patient):
        theirs = factory.stored()
    data = {"once": str(uuid4()), "received": str(theirs.id)}
    assert sign_in(ground.account).post(identity_page, data=data).status_code == 422


def test_a_deposit_posted_twice_counts_once(ground: Ground, sign_in, identity_page: str) -> None:
    browser, key = sign_in(ground.account), str(uuid4())
    first = send(browser, identity_page, factory.photo(), "carte.png", once=key)
    again = send(browser, identity_page, factory.photo(), "carte.png", once=key)
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.location == again.location
    with db.transaction(db.system("tests")) as current:
        attached = current.scalars(select(StoredFile).where(StoredFile.attached_at.is_not(None))).all()
    assert len(attached) == 1


def test_a_page_that_is_taken_away_is_erased(app, ground: Ground, sign_in, identity_page: str, work_jobs) -> None:
    browser = sign_in(ground.account)
    send(browser, identity_page, factory.photo("premier"), "un.png")
    browser.post(gestures(browser.get(identity_page).text)[0], data={"gesture": "remove"})
    send(browser, identity_page, factory.photo("second"), "deux.png")
    with app.app_context():
        work_jobs()
    with db.transaction(db.system("tests")) as current:
        kept = current.scalars(select(StoredFile.name).where(StoredFile.state == "clean")).all()
    assert kept == ["deux.png"]


def test_when_the_scanner_is_down_the_piece_waits_and_is_counted_later(
    app, ground: Ground, sign_in, identity_page: str, monkeypatch: pytest.MonkeyPatch, work_jobs
) -> None:
    scanner = files._place.scanner
    monkeypatch.setattr(scanner.faults, "down", True)
    browser = sign_in(ground.account)
    send(browser, identity_page, factory.photo(), "carte.png")
    assert piece_state() == "scanning"
    assert browser.get(f"{identity_page}/fichier").status_code == 404, "nobody reads a file before the antivirus"
    monkeypatch.setattr(scanner.faults, "down", False)
    monkeypatch.setattr(scanner, "door", type(scanner.door)("antivirus.tests"))
    with app.app_context():
        work_jobs()
        piece_jobs.follow_scans()
    assert piece_state() == "deposited"
    with db.transaction(db.system("tests")) as current:
        counted = current.scalars(select(KpiEvent.event).where(KpiEvent.event == "piece_deposited")).all()
    assert len(counted) == 1


def piece_state() -> str:
    with db.transaction(db.system("tests")) as current:
        return current.scalars(select(Piece.state).where(Piece.kind == "identity")).one()
