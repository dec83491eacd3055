"""My data: a copy of everything for oneself alone, and requests that are answered before a legal date."""

import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from io import BytesIO
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select, update

from auth.account import export
from auth.account.export import Part
from auth.account.jobs import forget_exports, prepare_export
from auth.account.models import DataExport, DataRequest, DataRequestChange
from auth.models import Account, Patient
from portal import db, files, jobs
from portal.files import StoredFile
from portal.notifications import Notification
from tests.factories import people
from tests.factories.hospitals import Hospital
from tests.factories.mandates import mandate
from tests.ground import audited, count, prepared, rows

SignIn = Callable[[Account], FlaskClient]
Work = Callable[[], None]
PAGE = "/mon-compte/donnees"


@pytest.fixture
def sign_in(sign_in: SignIn) -> SignIn:
    """Signed in, reading English."""

    def signed_in(account: Account) -> FlaskClient:
        browser = sign_in(account)
        browser.set_cookie("parvis_lang", "en")
        return browser

    return signed_in


@pytest.fixture
def me(app: Flask) -> tuple[Account, Patient]:
    with prepared():
        return people.patient_with_account(birth_name="LŒUVRE-ÉBÈNE", first_names=("ANAÏS",))


def a_photo(patient: Patient) -> StoredFile:
    image = BytesIO()
    Image.new("RGB", (2, 2)).save(image, "PNG")
    with db.transaction(db.system("tests")):
        stored = files.receive(files.from_bytes([image.getvalue()]), "carte d’identité.png")
        return files.attach(stored.id, patient_id=patient.id)


@pytest.fixture
def room(me: tuple[Account, Patient]) -> Iterator[StoredFile]:
    """A room of the tests, which holds one file of everybody's."""
    stored = a_photo(me[1])

    def part(_patient_id: UUID) -> Part:
        return Part("tests", "Tests", [], [stored, stored])

    export.contribute("tests", part)
    yield stored
    export._contributions.pop("tests")


def the_copy(browser: FlaskClient) -> zipfile.ZipFile:
    (made,) = rows(DataExport)
    answer = browser.get(f"{PAGE}/copie/{made.id}")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return zipfile.ZipFile(BytesIO(answer.data))


class TestTheCopy:
    def test_holds_the_data_for_people_for_machines_and_the_files(
        self, sign_in: SignIn, me: tuple[Account, Patient], room: StoredFile, work_jobs: Work
    ) -> None:
        browser = sign_in(me[0])
        assert browser.post(f"{PAGE}/copie").status_code == 303
        work_jobs()
        archive = the_copy(browser)
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(names) == len(set(names))
        data = json.loads(archive.read(next(name for name in names if name.endswith(".json"))))
        assert data["identity"]["entries"][0]["birth_name"] == "LŒUVRE-ÉBÈNE"
        assert {"appointments", "preadmissions", "bills", "documents", "access_log", "consents"} <= set(data)
        assert archive.read(next(name for name in names if name.endswith(".pdf"))).startswith(b"%PDF-")
        photo = next(each for each in data["tests"]["files"])
        assert len(archive.read(photo["path"])) == photo["bytes"]

    def test_is_told_by_a_mail_that_says_nothing_of_it(
        self, sign_in: SignIn, me: tuple[Account, Patient], work_jobs: Work
    ) -> None:
        sign_in(me[0]).post(f"{PAGE}/copie")
        work_jobs()
        (mail,) = rows(Notification)
        assert mail.body.endswith("/mon-compte/donnees")
        assert str(rows(DataExport)[0].id) not in mail.body
        assert audited()[-2:] == ["data_export.asked", "data_export.prepared"]

    def test_lies_encrypted(self, sign_in: SignIn, me: tuple[Account, Patient], work_jobs: Work) -> None:
        sign_in(me[0]).post(f"{PAGE}/copie")
        work_jobs()
        (made,) = rows(DataExport)
        with db.transaction(db.system("tests")) as current:
            stored = current.get_one(StoredFile, made.file_id)
            with files._place.store.open(stored.storage_key) as raw:
                assert b"PK\x03\x04" not in raw.read()

    def test_asked_for_twice_is_prepared_once(self, sign_in: SignIn, me: tuple[Account, Patient]) -> None:
        browser = sign_in(me[0])
        browser.post(f"{PAGE}/copie")
        browser.post(f"{PAGE}/copie")
        assert count(DataExport) == 1

    def test_is_never_for_somebody_who_acts_for_me(
        self, sign_in: SignIn, me: tuple[Account, Patient], work_jobs: Work
    ) -> None:
        sign_in(me[0]).post(f"{PAGE}/copie")
        work_jobs()
        with prepared():
            mother = people.patient_with_account(birth_name="VALMORIN")[0]
            people.give_access(mother, me[1], "parent")
        browser = sign_in(mother)
        browser.post("/mon-compte/agir-pour", data={"patient_id": me[1].id})
        assert browser.get(PAGE).status_code == 200
        assert browser.post(f"{PAGE}/copie").status_code == 403
        (made,) = rows(DataExport)
        assert browser.get(f"{PAGE}/copie/{made.id}").status_code == 404

    def test_of_another_account_is_not_found(
        self, sign_in: SignIn, me: tuple[Account, Patient], work_jobs: Work
    ) -> None:
        sign_in(me[0]).post(f"{PAGE}/copie")
        work_jobs()
        with prepared():
            other = people.patient_with_account(birth_name="DURAND")[0]
        assert sign_in(other).get(f"{PAGE}/copie/{rows(DataExport)[0].id}").status_code == 404

    def test_is_gone_after_seven_days(
        self, sign_in: SignIn, me: tuple[Account, Patient], work_jobs: Work, app: Flask
    ) -> None:
        browser = sign_in(me[0])
        browser.post(f"{PAGE}/copie")
        work_jobs()
        (made,) = rows(DataExport)
        assert made.expires_at is not None
        assert made.expires_at - db.now() > timedelta(days=6, hours=23)
        with prepared():
            db.session.execute(update(DataExport).values(expires_at=db.now()))
        assert browser.get(f"{PAGE}/copie/{made.id}").status_code == 404
        as_job("account.forget_exports", forget_exports)
        assert count(StoredFile) == 0
        assert rows(DataExport)[0].state == "expired"

    def test_prepared_twice_leaves_one_file(
        self, sign_in: SignIn, me: tuple[Account, Patient], work_jobs: Work
    ) -> None:
        sign_in(me[0]).post(f"{PAGE}/copie")
        work_jobs()
        as_job("account.prepare_export", lambda: prepare_export(str(rows(DataExport)[0].id)))
        assert count(StoredFile) == 1


def as_job(name: str, function: Callable[[], object]) -> None:
    """Run a job's function as the worker would."""
    token = jobs._running.set(jobs._Running(10_000_000 + uuid4().int % 1_000_000, name))
    try:
        function()
    finally:
        jobs._running.reset(token)


ASKED = {"kind": "rectification", "establishment": "990000017", "what": "Mon adresse", "why": "J’ai déménagé"}


def asking(browser: FlaskClient, **changes: str) -> str:
    answer = browser.post(f"{PAGE}/demandes/nouvelle", data=ASKED | {"once": str(uuid4())} | changes)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


class TestARequest:
    def test_is_acknowledged_with_a_number_and_a_date(
        self, sign_in: SignIn, me: tuple[Account, Patient], north: Hospital
    ) -> None:
        browser = sign_in(me[0])
        page = browser.get(asking(browser)).text
        (asked,) = rows(DataRequest)
        assert asked.number in page
        assert asked.due_on > date.today() + timedelta(days=26)
        assert "data_request.received" in audited()
        (mail,) = rows(Notification)
        assert asked.number in mail.subject
        assert "adresse" not in mail.body

    def test_posted_twice_is_one(self, sign_in: SignIn, me: tuple[Account, Patient], north: Hospital) -> None:
        browser, once = sign_in(me[0]), str(uuid4())
        assert asking(browser, once=once) == asking(browser, once=once)
        assert count(DataRequest) == 1

    @pytest.mark.parametrize(("scope", "status"), [("administrative", 303), ("payment", 403), ("medical", 403)])
    def test_for_somebody_else_takes_a_mandate_in_administrative_matters(
        self, sign_in: SignIn, me: tuple[Account, Patient], north: Hospital, scope: str, status: int
    ) -> None:
        with prepared():
            carer = people.patient_with_account(birth_name="LORMEVAL")[0]
            mandate(carer, me[1], "carer", scopes=(scope,))
        browser = sign_in(carer)
        browser.post("/mon-compte/agir-pour", data={"patient_id": str(me[1].id)})
        answer = browser.post(f"{PAGE}/demandes/nouvelle", data=ASKED | {"once": str(uuid4())})
        assert (answer.status_code, count(DataRequest)) == (status, 1 if status == 303 else 0)

    @pytest.mark.parametrize("missing", ["kind", "establishment", "what"])
    def test_that_lacks_something_is_refused_in_words(
        self, sign_in: SignIn, me: tuple[Account, Patient], north: Hospital, south: Hospital, missing: str
    ) -> None:
        answer = sign_in(me[0]).post(f"{PAGE}/demandes/nouvelle", data=ASKED | {"once": str(uuid4()), missing: ""})
        assert answer.status_code == 422
        assert count(DataRequest) == 0

    @pytest.mark.parametrize(
        "hostile", [{"kind": "everything"}, {"establishment": "' or 1=1"}, {"what": "x" * 3001}, {"once": "no uuid"}]
    )
    def test_that_is_forged_is_refused(
        self, sign_in: SignIn, me: tuple[Account, Patient], north: Hospital, hostile: dict[str, str]
    ) -> None:
        answer = sign_in(me[0]).post(f"{PAGE}/demandes/nouvelle", data=ASKED | {"once": str(uuid4())} | hostile)
        assert answer.status_code in (400, 422)
        assert count(DataRequest) == 0

    def test_may_be_withdrawn_until_it_is_answered(
        self, sign_in: SignIn, me: tuple[Account, Patient], north: Hospital
    ) -> None:
        browser = sign_in(me[0])
        asking(browser)
        (asked,) = rows(DataRequest)
        address = f"{PAGE}/demandes/{asked.id}/retirer"
        browser.post(address)
        browser.post(address)
        assert [change.to_state for change in rows(DataRequestChange)] == ["received", "withdrawn"]

    def test_of_somebody_else_is_not_found(self, sign_in: SignIn, me: tuple[Account, Patient], north: Hospital) -> None:
        asking(sign_in(me[0]))
        (asked,) = rows(DataRequest)
        with prepared():
            other = people.patient_with_account(birth_name="DURAND")[0]
        browser = sign_in(other)
        assert browser.get(f"{PAGE}/demandes/{asked.id}").status_code == 404
        assert browser.post(f"{PAGE}/demandes/{asked.id}/retirer").status_code == 404

    def test_says_what_the_law_keeps(self, sign_in: SignIn, me: tuple[Account, Patient], north: Hospital) -> None:
        assert "R. 1112-7" in sign_in(me[0]).get(f"{PAGE}/demandes/nouvelle").text

    def test_typed_too_late_is_kept(self, sign_in: SignIn, me: tuple[Account, Patient], north: Hospital) -> None:
        from auth.models import WebSession

        browser = sign_in(me[0])
        with prepared():
            db.session.execute(update(WebSession).values(last_seen_at=db.now() - timedelta(hours=1)))
        headers = {"Referer": f"http://localhost{PAGE}/demandes/nouvelle"}
        late = browser.post(f"{PAGE}/demandes/nouvelle", data=ASKED | {"once": str(uuid4())}, headers=headers)
        assert late.headers["Location"].startswith("/connexion")
        page = sign_in(me[0]).get(f"{PAGE}/demandes/nouvelle").text
        assert "Mon adresse" in page
        assert count(DataRequest) == 0


def test_the_demonstrations_copy_holds_every_room(app: Flask, work_jobs: Work) -> None:
    """With believable content in each room, for somebody with letters, bills, a stay and appointments."""
    from tests.factories import demonstration
    from tests.factories import rooms as rooms_of

    with prepared():
        rooms_of.demonstrate(demonstration.build())
    (asked,) = rows(DataExport)
    as_job("account.prepare_export", lambda: prepare_export(str(asked.id)))
    with db.transaction(db.system("tests")) as current:
        stored = current.scalar(select(StoredFile).join(DataExport, DataExport.file_id == StoredFile.id))
        assert stored is not None
        archive = zipfile.ZipFile(BytesIO(b"".join(files.open_(stored))))
    data = json.loads(archive.read(next(name for name in archive.namelist() if name.endswith(".json"))))
    for part in ("appointments", "bills", "documents", "hospitals"):
        assert data[part]["entries"], part
    assert data["documents"]["files"]
