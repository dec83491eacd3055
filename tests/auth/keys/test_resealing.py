"""Old rows and files are sealed anew with the current key while people work; then the former one is not needed."""

import base64
import secrets
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import func, select, text

from auth.factors import actions as factor_actions
from auth.factors import sealing as factors
from auth.factors.models import Factor
from auth.identity import nir, sealing
from auth.keys import columns, stored_files
from auth.keys.commands import keys as group
from auth.models import Patient
from portal import db, establishments, files
from portal.config import Settings
from portal.db import session
from portal.establishments import Establishment
from portal.file_crypto import FileKeyMissing
from portal.files import StoredFile
from portal.gateways import Unavailable
from services.preadmission.models import StepAnswers
from tests.factories import people, preadmission
from tests.factories.factors import SECRET, application
from tests.factories.hospitals import hospital
from tests.ground import audited, prepared

NUMBER = f"1850578006084{nir.key_of('1850578006084'):02d}"


@pytest.fixture
def use(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """These keys of files from now on, the current one first; what was configured comes back afterwards."""
    made = {name: base64.b64encode(secrets.token_bytes(32)).decode() for name in ("former", "new")}

    def change(*names: str, **more: SecretStr) -> None:
        ring = SecretStr(",".join(f"{name}:{made[name]}" for name in names))
        configure(settings.model_copy(update={"file_keys": ring, **more}))

    def configure(changed: Settings) -> None:
        monkeypatch.setitem(app.config, "SETTINGS", changed)
        monkeypatch.setenv("PORTAL_ENV", "test")
        for each in (sealing, factors, files):
            each.configure(changed)

    yield change
    configure(settings)


@pytest.fixture
def parvis(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr("auth.keys.commands.config.load", lambda: app.config["SETTINGS"])
    return lambda *words: CliRunner().invoke(group, words, obj=lambda _settings: app)


@pytest.fixture
def filled(use: Callable[..., None]) -> StoredFile:
    """A row of each kind and a file, all sealed with the former key."""
    use("former")
    with prepared():
        place = hospital()
        establishments.change_setting(place.establishment.id, "his_url", "mllp://his.example:2575", secret=True)
        account, patient = people.patient_with_account()
        nir.write(patient, NUMBER)
        application(account)
        preadmission.preadmission(patient, place.unit, complete=True)
    return kept(b"a letter " * 40_000)


def kept(whole: bytes) -> StoredFile:
    with prepared():
        account = people.account()
    arriving = files.from_bytes([whole])
    arriving.finish()
    with prepared():
        made = files.keep(arriving, "letter.txt", "text/plain", account_id=account.id)
        session.flush()
        session.expunge(made)
    return made


def stored_again(stored: StoredFile) -> StoredFile:
    with db.transaction(db.system("tests")) as current:
        found = current.get_one(StoredFile, stored.id)
        current.expunge(found)
    return found


class TestResealing:
    def test_the_former_key_is_not_needed_any_more(
        self, filled: StoredFile, use: Callable[..., None], parvis: Callable[..., Result]
    ) -> None:
        use("new", "former")
        before = parvis("status")
        assert before.exit_code == 1
        for name in ("patient.nir_sealed", "factor.sealed", "establishment_setting.value", "files were not looked at"):
            assert name in before.output
        done = parvis("reseal")
        assert done.exit_code == 0, done.output
        with prepared():
            answers = session.scalar(select(func.count()).select_from(StepAnswers)) or 0
        assert answers > 0
        assert f"{3 + answers} rows and 1 files sealed anew" in done.output
        assert parvis("status").exit_code == 0
        assert audited()[-1] == "keys.resealed"
        use("new")
        with prepared():
            assert nir.number_of(session.scalars(select(Patient)).one()) == NUMBER
            place = session.scalars(select(Establishment)).one()
            assert establishments.setting(place.id, "his_url") == "mllp://his.example:2575"
            assert factors.unseal("factor", session.scalars(select(Factor)).one().sealed) == {"secret": SECRET}
        assert b"".join(files.open_(stored_again(filled))) == b"a letter " * 40_000

    def test_a_recovery_sheet_serves_on(self, use: Callable[..., None], parvis: Callable[..., Result]) -> None:
        use("former")
        with prepared():
            account = people.account()
            sheet = factor_actions.renew_sheet(account)
        use("new", "former")
        assert "10 rows and 0 files sealed anew" in parvis("reseal").output
        use("new")
        with prepared():
            factor_actions.prove_by_sheet(session.merge(account), sheet[0])

    def test_nothing_is_done_twice(
        self, filled: StoredFile, use: Callable[..., None], parvis: Callable[..., Result]
    ) -> None:
        use("new", "former")
        parvis("reseal")
        key = stored_again(filled).storage_key
        assert "0 rows and 0 files sealed anew" in parvis("reseal").output
        assert "0 rows and 0 files sealed anew" in parvis("reseal", "--again").output
        assert stored_again(filled).storage_key == key

    def test_whoever_reads_meanwhile_ends(
        self, filled: StoredFile, use: Callable[..., None], parvis: Callable[..., Result],
        work_jobs: Callable[[], None],
    ) -> None:  # fmt: skip
        use("new", "former")
        reading = files.open_(filled)
        first = next(reading)
        parvis("reseal")
        work_jobs()
        assert first + b"".join(reading) == b"a letter " * 40_000
        assert b"".join(files.open_(filled)), "a page that was read before says the former name"
        assert stored_again(filled).storage_key != filled.storage_key

    def test_the_former_bytes_leave_a_day_later(
        self, filled: StoredFile, use: Callable[..., None], parvis: Callable[..., Result],
        work_jobs: Callable[[], None],
    ) -> None:  # fmt: skip
        use("new", "former")
        parvis("reseal")
        with prepared():
            session.execute(text("update procrastinate_jobs set scheduled_at = now() where scheduled_at is not null"))
        work_jobs()
        assert not files.is_stored(filled.storage_key)
        assert files.is_stored(stored_again(filled).storage_key)

    def test_stopped_half_way_it_goes_on_where_it_was(
        self, filled: StoredFile, use: Callable[..., None], parvis: Callable[..., Result],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        others = [kept(f"letter {nth}".encode()) for nth in range(4)]
        monkeypatch.setattr(stored_files, "BATCH", 2)
        use("new", "former")
        copy, tries = stored_files._copy, list[str]()

        def fail(key: str) -> files.Arriving:
            tries.append(key)
            if len(tries) == 4:
                raise Unavailable("away")
            return copy(key)

        monkeypatch.setattr(stored_files, "_copy", fail)
        stopped = parvis("reseal")
        assert stopped.exit_code == 1
        assert "run it again" in stopped.output
        monkeypatch.setattr(stored_files, "_copy", copy)
        assert parvis("reseal").exit_code == 0
        use("new")
        for stored in (filled, *others):
            assert b"".join(files.open_(stored_again(stored)))

    def test_what_somebody_wrote_meanwhile_stays(self, filled: StoredFile, use: Callable[..., None]) -> None:
        use("new", "former")
        (place,) = [each for each in columns.places() if each.name == "patient.nir_sealed"]
        with prepared():
            found, _after = columns._batch(place, None)
        with prepared():
            nir.write(session.scalars(select(Patient)).one(), "")
        with prepared():
            assert [columns._written(place, row, new) for row, new in found] == [0]
            assert session.scalars(select(Patient)).one().nir_sealed is None

    def test_a_key_that_was_taken_out_too_early_is_told(
        self, filled: StoredFile, use: Callable[..., None], parvis: Callable[..., Result]
    ) -> None:
        use("new")
        answer = parvis("reseal")
        assert answer.exit_code == 1
        assert "PORTAL_FILE_KEYS" in answer.output
        with pytest.raises(FileKeyMissing):
            b"".join(files.open_(filled))
        use("new", "former")
        assert parvis("reseal").exit_code == 0

    def test_numbers_are_found_with_the_new_secret(
        self, filled: StoredFile, use: Callable[..., None], parvis: Callable[..., Result], settings: Settings
    ) -> None:
        use("new", "former", secret_key=SecretStr("another secret of the portal, changed by the operator"))
        with prepared():
            assert session.scalars(select(Patient).where(Patient.nir_index == nir.index(NUMBER))).first() is None
        assert parvis("reseal").exit_code == 0
        with prepared():
            assert session.scalars(select(Patient).where(Patient.nir_index == nir.index(NUMBER))).one()


def test_the_system_may_write_every_sealed_column(app: Flask) -> None:
    """Row-level security would leave rows out in silence."""
    rules = text(
        "select cmd || coalesce(qual, 'true') from pg_policies where tablename = :table and permissive = 'PERMISSIVE'"
        " and cmd in ('ALL', 'UPDATE', 'SELECT')"
    )
    may = text("select has_column_privilege(current_user, :table, :column, 'update')")
    refused = []
    with prepared():
        for place in columns.places():
            given = {"table": place.table.name, "column": place.column}
            known = [rule for rule in session.scalars(rules, given) if "parvis.system" in rule or rule.endswith("true")]
            reads, writes = (any(rule.startswith((each, "ALL")) for rule in known) for each in ("SELECT", "UPDATE"))
            if not (reads and writes and session.scalar(may, given)):
                refused.append(place.name)
    # The first asks its file, which the system may see; the other one has a function of the owner.
    assert sorted(refused) == ["preadmission_answers.answers", "record_request_message.text"]
