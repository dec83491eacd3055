"""A received file: nothing of it in clear on a disk, nothing kept of a refused one, nothing lost of a good one."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from os import PathLike, fsdecode
from pathlib import Path
from typing import Any
from uuid import UUID

import pikepdf
import pytest
import requests
from flask import Blueprint, Flask, Response, request
from flask.testing import FlaskClient
from PIL import Image
from pydantic import SecretStr
from sqlalchemy import select, update
from werkzeug.datastructures import FileStorage
from werkzeug.serving import make_server
from werkzeug.test import encode_multipart

from auth import guards
from auth.models import Account, Patient
from portal import db, files, jobs, turns
from portal.audit import AuditEvent
from portal.config import Settings
from portal.file_crypto import FileTampered
from portal.file_sniffing import FileRefused, Kind
from portal.files import StoredFile
from portal.gateways.antivirus.twin import EICAR
from portal.web import uploads
from portal.web.downloads import file_response
from portal.web.security import csrf
from portal.web.uploads import arriving
from tests.factories import people
from tests.factories.hospitals import hospital
from tests.gateways.s3_twin import ACCESS_KEY, SECRET_KEY, S3Twin
from tests.ground import count, prepared, rows

MARK = b"a sentence that must never be on a disk in clear"
desk = guards.public(Blueprint("desk", __name__, url_prefix="/desk"))


def pdf(*after: bytes) -> bytes:
    """A real one-page PDF, with these bytes after its end mark."""
    made = BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        document.save(made)
    return made.getvalue() + b"".join(b"%" + each + b"\n" for each in after)


def large(size: int) -> bytes:
    """A PDF of about so many bytes."""
    return pdf(MARK) + b"%" + MARK * (size // len(MARK)) + b"\n%%EOF\n"


def image(kind: str) -> bytes:
    made = BytesIO()
    Image.new("RGB", (8, 8), "teal").save(made, kind)
    return made.getvalue()


@desk.post("/deposit")
def deposit() -> tuple[str, int]:
    """What a room's route does: the upload, then its own form, which may be wrong."""
    upload = request.files.get("file")
    received = arriving(upload)
    if upload is None or received is None:
        return "no file", 422
    try:
        stored = files.receive(received, upload.filename or "")
    except FileRefused as refusal:
        return type(refusal).__name__, 422
    return str(stored.id), 422 if request.form.get("wrong") else 200


@desk.get("/<uuid:file_id>")
def opened(file_id: UUID) -> Response:
    """The file, whoever asks: what is tested here is what the storage gives back."""
    return file_response(next(each for each in rows(StoredFile) if each.id == file_id))


@desk.post("/unrelated")
def unrelated() -> str:
    return "a form that expects no file"


@pytest.fixture
def patient(app: Flask) -> tuple[Account, Patient]:
    with prepared():
        return people.patient_with_account()


@dataclass
class Folder:
    """Where the bytes of a test go, seen from behind the portal."""

    folder: Path

    def settings(self) -> dict[str, object]:
        return {"storage_url": f"file:{self.folder}"}

    def objects(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}

    def damage(self, name: str, content: bytes) -> None:
        Path(name).write_bytes(content)

    def lose(self, name: str) -> None:
        Path(name).unlink()

    def go_away(self) -> None:
        self.folder.write_text("a file where the folder should be")


@dataclass
class Bucket(Folder):
    """The same in an S3 store: nothing at all is in the folder."""

    twin: S3Twin

    def settings(self) -> dict[str, object]:
        keys = {"storage_access_key": SecretStr(ACCESS_KEY), "storage_secret_key": SecretStr(SECRET_KEY)}
        return {"storage_url": self.twin.url(), **keys}

    def objects(self) -> dict[str, bytes]:
        assert self.twin.uploads == {}, "parts were left behind"
        return dict(self.twin.objects)

    def damage(self, name: str, content: bytes) -> None:
        self.twin.objects[name] = content

    def lose(self, name: str) -> None:
        del self.twin.objects[name]

    def go_away(self) -> None:
        self.twin.faults.hang_up = 10**6


@pytest.fixture(params=["file", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Folder]:
    if request.param == "file":
        yield Folder(tmp_path / "store")
        return
    with S3Twin() as twin:
        yield Bucket(tmp_path / "store", twin)


@pytest.fixture
def portal(make_app: Callable[..., Flask], settings: Settings, store: Folder) -> Flask:
    app = make_app(desk)
    files.configure(settings.model_copy(update=store.settings()))
    return app


@pytest.fixture
def browser(portal: Flask, patient: tuple[Account, Patient], sign_in: Callable[[Account], FlaskClient]) -> FlaskClient:
    made, cookie = portal.test_client(), sign_in(patient[0]).get_cookie("parvis_session")
    assert cookie is not None
    made.set_cookie("parvis_session", cookie.value)
    return made


def send(browser: FlaskClient, content: bytes, name: str = "letter.pdf", to: str = "/desk/deposit", **form: str) -> Any:
    # Encoded here: the test client would spool a large form in a temporary file of its own.
    fields = {"csrf_token": browser.csrf_token(), "file": FileStorage(BytesIO(content), name), **form}  # type: ignore[attr-defined]  # facts of any field
    boundary, body = encode_multipart(fields)
    return browser.post(to, data=body, content_type=f"multipart/form-data; boundary={boundary}", check=False)


def objects(store: Folder) -> list[bytes]:
    return list(store.objects().values())


def read(stored: StoredFile) -> bytes:
    return b"".join(files.open_(stored))


@contextmanager
def files_opened_for_writing() -> Iterator[set[str]]:
    """Every path this process opens to write while the block runs, whatever is deleted afterwards."""
    seen: set[str] = set()
    _watched.append(seen)
    try:
        yield seen
    finally:
        _watched.remove(seen)


_watched: list[set[str]] = []


def _watch(name: str, arguments: tuple[Any, ...]) -> None:
    # A path, and not a descriptor already opened by one.
    if _watched and name == "open" and isinstance(arguments[0], str | bytes | PathLike) and arguments[2] & 0o3:
        for seen in _watched:
            seen.add(fsdecode(arguments[0]))


sys.addaudithook(_watch)


class TestAnUpload:
    @pytest.mark.parametrize("size", [10, 300_000, 5_000_000])
    def test_never_leaves_its_plaintext_on_a_disk(self, browser: FlaskClient, store: Folder, size: int) -> None:
        content = large(size)
        with files_opened_for_writing() as opened:
            assert send(browser, content).status_code == 200
        assert opened or isinstance(store, Bucket)
        assert {path for path in opened if not path.startswith(str(store.folder))} <= {"/dev/null"}
        assert not any(MARK in content for content in objects(store))
        assert read(rows(StoredFile)[0]) == content

    def test_to_a_page_that_expects_none_is_forgotten(self, browser: FlaskClient, store: Folder) -> None:
        with files_opened_for_writing() as opened:
            answer = send(browser, pdf(MARK), to="/desk/unrelated")
        assert answer.status_code == 200
        assert all(path.startswith(str(store.folder)) for path in opened)
        assert objects(store) == []

    def test_without_our_cross_site_token_is_forgotten(self, browser: FlaskClient, store: Folder) -> None:
        assert send(browser, pdf(), csrf_token="forged").status_code == 400
        assert objects(store) == []

    @pytest.mark.parametrize(("content", "name"), [
        (pdf(), "lettre.pdf"), (image("PNG"), "photo.PNG"), (image("JPEG"), "photo.jpeg"),
    ])  # fmt: skip
    def test_is_kept_to_the_byte_with_its_facts(self, browser: FlaskClient, content: bytes, name: str) -> None:
        send(browser, content, name)
        (stored,) = rows(StoredFile)
        assert (stored.name, stored.size, stored.state) == (name, len(content), "clean")
        assert read(stored) == content

    def test_is_not_lost_when_the_rest_of_the_form_is_wrong(self, browser: FlaskClient) -> None:
        assert send(browser, pdf(), wrong="1").status_code == 422
        assert count(StoredFile) == 1

    @pytest.mark.parametrize(("content", "name", "why"), [
        (b"", "x.pdf", "FileEmpty"),
        (b"MZ\x90\x00" * 50, "letter.pdf", "FileTypeLies"),
        (image("PNG"), "letter.pdf", "FileTypeLies"),
        (pdf(), "photo.png", "FileTypeLies"),
        (b"<html><script>alert(1)</script>", "photo.jpg", "FileTypeLies"),
        (b"<svg onload=alert(1)>", "photo.svg", "FileTypeRefused"),
        (b"#!/bin/sh\nrm -rf /", "run.sh", "FileTypeRefused"),
        (pdf()[:-30], "cut.pdf", "FileDamaged"),
        (image("JPEG")[:-200], "cut.jpg", "FileDamaged"),
        (pdf(EICAR), "infected.pdf", "FileInfected"),
        (image("PNG") + EICAR, "infected.png", "FileInfected"),
        (b"PK\x03\x04" + b"\x00" * 60, "archive.zip", "FileTypeRefused"),
    ], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
    def test_that_is_refused_leaves_nothing(
        self, browser: FlaskClient, store: Folder, content: bytes, name: str, why: str
    ) -> None:
        answer = send(browser, content, name)
        assert (answer.status_code, answer.text) == (422, why)
        assert objects(store) == []
        assert count(StoredFile) == 0

    def test_that_cannot_be_opened_for_now_leaves_nothing(
        self, browser: FlaskClient, store: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(_kind: Kind, _whole: bytes) -> int:
            raise OSError("the machine can start no process")

        monkeypatch.setattr(files, "sheets_of", broken)
        assert send(browser, pdf()).status_code == 500
        assert objects(store) == []

    def test_while_the_storage_is_away_says_to_come_back(self, browser: FlaskClient, store: Folder) -> None:
        store.go_away()
        answer = send(browser, pdf())
        assert answer.status_code == 503
        assert count(StoredFile) == 0


class TestATooLargeUpload:
    """Over a real connection: the browser is still sending when we have refused."""

    @pytest.fixture
    def address(self, portal: Flask) -> Iterator[str]:
        csrf.exempt(deposit)
        server = make_server("127.0.0.1", 0, portal, threaded=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.port}/desk/deposit"
        server.shutdown()
        thread.join()
        server.server_close()
        csrf._exempt_views.discard(f"{deposit.__module__}.{deposit.__name__}")

    def test_beyond_what_a_request_may_weigh_gets_a_page_that_says_so(self, address: str, store: Folder) -> None:
        content = pdf() + b"%" + b"a" * uploads.MAX_UPLOAD_BYTES
        answer = requests.post(
            address, files={"file": ("big.pdf", content)}, timeout=20, headers={"Accept-Language": "fr"}
        )
        assert answer.status_code == 413
        assert '<html lang="fr"' in answer.text
        assert "25" in answer.text
        assert objects(store) == []

    def test_of_a_byte_too_many_is_refused_too(self, browser: FlaskClient, store: Folder) -> None:
        answer = send(browser, pdf() + b"%" + b"a" * files.MAX_BYTES)
        assert (answer.status_code, answer.text) == (422, "FileTooLarge")
        assert objects(store) == []

    @pytest.mark.parametrize("content", ["text=" + "a" * 3_000_000, "a&" * 1_500_000])
    def test_without_a_file_gets_the_same_page(self, address: str, store: Folder, content: str) -> None:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = requests.post(address, data=content, headers=form, timeout=20)
        assert answer.status_code == 413

    def test_in_a_field_of_text_gets_the_same_page(self, address: str, store: Folder) -> None:
        answer = requests.post(address, files={"text": (None, "a" * 3_000_000)}, timeout=20)
        assert answer.status_code == 413

    def test_of_a_hundred_files_at_once_leaves_nothing(self, address: str, store: Folder) -> None:
        answer = requests.post(address, files=[("file", ("a.pdf", pdf()))] * 100, timeout=20)
        assert answer.status_code == 413
        assert objects(store) == []

    def test_that_stops_half_way_leaves_nothing(self, browser: FlaskClient, store: Folder) -> None:
        half = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-' + MARK * 100
        browser.post(
            "/desk/deposit", data=half, content_type="multipart/form-data; boundary=x", check=False,
            headers={"Content-Length": "9000"},
        )  # fmt: skip
        assert objects(store) == []


class TestWhileTheScannerIsDown:
    @pytest.fixture
    def scanner(self, portal: Flask) -> Iterator[Any]:
        scanner = files._place.scanner
        scanner.faults.down = True
        yield scanner
        scanner.faults.down = False

    def test_a_file_waits_unreadable_and_is_scanned_later(
        self, browser: FlaskClient, scanner: Any, work_jobs: Callable[[], None]
    ) -> None:
        assert send(browser, pdf()).status_code == 200
        (stored,) = rows(StoredFile)
        assert stored.state == "waiting"
        with pytest.raises(files.FileNotReadable):
            read(stored)
        scanner.faults.down = False
        work_jobs()
        (stored,) = rows(StoredFile)
        assert stored.state == "clean"
        assert read(stored).startswith(b"%PDF-")

    def test_one_that_is_slow_keeps_one_thread_and_the_others_files_wait(
        self, browser: FlaskClient, portal: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Half-open, it kept every thread of the portal for a minute."""
        monkeypatch.setattr(turns, "TURN_SECONDS", 0.1)
        with turns.of_scanner.one():
            began = time.monotonic()
            send(browser, pdf())
            assert time.monotonic() - began < 5
        (stored,) = rows(StoredFile)
        assert stored.state == "waiting"

    def test_an_infected_one_is_found_later(
        self, browser: FlaskClient, scanner: Any, work_jobs: Callable[[], None]
    ) -> None:
        send(browser, pdf(EICAR))
        scanner.faults.down = False
        work_jobs()
        (stored,) = rows(StoredFile)
        assert stored.state == "infected"
        with pytest.raises(files.FileNotReadable):
            read(stored)


class TestAnUnattachedFile:
    @pytest.fixture
    def stored(self, browser: FlaskClient) -> StoredFile:
        send(browser, pdf())
        return rows(StoredFile)[0]

    @pytest.mark.parametrize(("age", "left"), [(timedelta(hours=23), 1), (timedelta(hours=25), 0)])
    def test_is_deleted_after_a_day(
        self, stored: StoredFile, store: Folder, work_jobs: Callable[[], None], age: timedelta, left: int
    ) -> None:
        self._forget(age, work_jobs)
        assert (count(StoredFile), len(objects(store))) == (left, left)

    def test_is_kept_once_a_form_took_it(
        self, stored: StoredFile, store: Folder, patient: tuple[Account, Patient], work_jobs: Callable[[], None]
    ) -> None:
        with db.transaction(people.as_patient(*patient)):
            files.attach(stored.id, patient_id=patient[1].id)
        self._forget(timedelta(days=400), work_jobs)
        assert (count(StoredFile), len(objects(store))) == (1, 1)

    def test_is_taken_once(self, stored: StoredFile, patient: tuple[Account, Patient]) -> None:
        def take(_: int) -> bool:
            try:
                with db.transaction(people.as_patient(*patient)):
                    files.attach(stored.id, patient_id=patient[1].id)
            except files.FileNotReadable:
                return False
            return True

        with ThreadPoolExecutor(6) as pool:
            assert sorted(pool.map(take, range(6))) == [False] * 5 + [True]

    def test_is_its_sender_s_alone(self, stored: StoredFile) -> None:
        with prepared():
            other = people.patient_with_account()
        with db.transaction(people.as_patient(*other)):
            assert files.unattached(stored.id) is None
            with pytest.raises(files.FileNotReadable):
                files.attach(stored.id, patient_id=other[1].id)

    def test_that_nobody_has_is_not_taken(self, patient: tuple[Account, Patient]) -> None:
        with db.transaction(people.as_patient(*patient)), pytest.raises(files.FileNotReadable):
            files.attach(UUID(int=1), patient_id=patient[1].id)

    def _forget(self, age: timedelta, work_jobs: Callable[[], None]) -> None:
        with prepared():
            db.session.execute(update(StoredFile).values(created_at=StoredFile.created_at - age))
            jobs.enqueue("files.forget_unattached", timestamp=0)
        work_jobs()


class TestAnAttachedFile:
    def test_opens_for_those_it_is_for(self, browser: FlaskClient, patient: tuple[Account, Patient]) -> None:
        send(browser, pdf())
        with prepared():
            here, there = hospital(), hospital("990000025")
            agent = people.agent(here.establishment.id, "preadmission")
        with db.transaction(people.as_patient(*patient)):
            files.attach(rows(StoredFile)[0].id, patient_id=patient[1].id,
                         establishment_id=here.establishment.id, staff_right="preadmission")  # fmt: skip
        readers = {
            "patient": people.as_patient(*patient),
            "clerk": people.as_agent(agent, here.establishment.id, "preadmission"),
            "another desk": people.as_agent(agent, here.establishment.id, "billing"),
            "another hospital": people.as_agent(agent, there.establishment.id, "preadmission"),
            "nobody": db.ANONYMOUS,
        }
        assert {name for name, actor in readers.items() if self._sees(actor)} == {"patient", "clerk"}

    def _sees(self, actor: db.Actor) -> bool:
        with db.transaction(actor) as current:
            return current.scalar(select(StoredFile.id)) is not None


def test_bytes_changed_in_the_storage_are_never_handed_over_and_it_is_told(browser: FlaskClient, store: Folder) -> None:
    send(browser, large(1_000_000))
    ((name, content),) = store.objects().items()
    for at in (2, 40, 100, len(content) - 20):
        store.damage(name, content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        assert opened_by_a_page(browser).status_code == 500
    store.damage(name, content[: len(content) // 2])
    assert MARK not in opened_by_a_page(browser).data
    assert told() == ["file.altered"] * 5


def test_another_files_bytes_in_its_place_are_never_handed_over(browser: FlaskClient, store: Folder) -> None:
    send(browser, pdf(MARK))
    send(browser, pdf(MARK))
    (first, _), (_, content) = store.objects().items()
    store.damage(first, content)
    for stored in rows(StoredFile):
        if stored.storage_key in first:
            with pytest.raises(FileTampered):
                read(stored)
    assert told() == ["file.altered"]


def test_bytes_that_are_gone_give_an_error_page_and_it_is_told(browser: FlaskClient, store: Folder) -> None:
    send(browser, pdf(MARK))
    (name,) = store.objects()
    store.lose(name)
    assert opened_by_a_page(browser).status_code == 500
    assert told() == ["file.lost"]


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_storage_that_stops_half_way_gives_a_page_and_not_half_a_document(
    browser: FlaskClient, store: Bucket
) -> None:
    send(browser, large(9_000_000))
    store.twin.faults.cut = 10**6
    answer = opened_by_a_page(browser)
    assert (answer.status_code, MARK in answer.data) == (503, False)
    store.twin.faults.cut = 0
    assert MARK in opened_by_a_page(browser).data
    assert told() == []


@pytest.mark.parametrize("store", ["s3"], indirect=True)
@pytest.mark.parametrize("size", [100, 7_000_000])
def test_an_upload_while_the_storage_is_busy_for_long_keeps_nothing(
    browser: FlaskClient, store: Bucket, size: int
) -> None:
    store.twin.faults.busy = 10**6
    assert send(browser, large(size)).status_code == 503
    assert (objects(store), count(StoredFile)) == ([], 0)


def opened_by_a_page(browser: FlaskClient) -> Any:
    return browser.get(f"/desk/{rows(StoredFile)[0].id}", check=False)


def told() -> list[str]:
    return [event.action for event in rows(AuditEvent) if event.action.startswith("file.")]


def test_a_backup_of_the_store_alone_gives_nothing_away(
    browser: FlaskClient, store: Folder, settings: Settings
) -> None:
    """Neither names nor types nor the same bytes twice."""
    send(browser, pdf(), "douleur-thoracique.pdf")
    send(browser, pdf(), "douleur-thoracique.pdf")
    contents = objects(store)
    assert len(set(contents)) == 2
    assert not any(b"douleur" in content or b"PDF" in content[:200] for content in contents)
    assert not any("douleur" in name for name in store.objects())
