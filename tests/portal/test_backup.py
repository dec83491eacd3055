"""Backups: taken while people write, put back elsewhere to the second, refused when they were touched."""

import base64
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import text

from portal import audit, cli, db, files, files_orphans
from portal.backup import BackupError, facts, marks, owner, programs, restoring, stock, taking, vault, verifying, wal
from portal.backup.bound import MOST_WAITING, Bound
from portal.backup.place import FilePlace
from portal.backup.restoring import Restored
from portal.backup.server import Cluster
from portal.backup.taking import Backup
from portal.backup.vault import Vault
from portal.backup.wal import Shipper
from portal.config import Settings
from portal.embedded.postgres import dies_with_us
from portal.file_crypto import CHUNK_SIZE, FileKeys
from portal.gateways import storage
from portal.gateways.storage import Store
from tests.conftest import Database, with_database
from tests.emptying import Tables
from tests.ground import prepared
from tests.writers import all_sealed

ROOT = Path(__file__).parents[2]
Operate = Callable[..., Result]
OPEN = restoring.OPEN


_ROOM_BYTES = 2_000_000_000


@dataclass
class Ground:
    settings: Settings
    vault: Vault
    store: Store
    folder: Path
    said: list[str] = field(default_factory=list)

    def shipper(self) -> Shipper:
        return Shipper(self.settings, self.vault, self.store, every_s=0.3, say=self.said.append)

    @contextmanager
    def shipping(self) -> Iterator[None]:
        """The log goes away meanwhile, and everything that was committed has gone when the block ends."""
        stop, failed = threading.Event(), list[BaseException]()

        def run() -> None:
            try:
                self.shipper().run(stop.is_set)
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
            end = self.now()
            while self.marked("wal") < end and thread.is_alive():
                time.sleep(0.05)
        finally:
            stop.set()
            thread.join()
        assert failed == []

    def now(self) -> datetime:
        return self._asked("select clock_timestamp()")

    def marked(self, kind: str) -> datetime:
        return self._asked(f"select coalesce(max(at), '2000-01-01Z') from parvis_backup.mark where kind = '{kind}'")

    def _asked(self, query: str) -> datetime:
        with psycopg.connect(self.settings.backup_database_url.get_secret_value()) as connection:
            row = connection.execute(query).fetchone()  # type: ignore[call-overload]  # text of ours
            assert row is not None
            moment: datetime = row[0]
            return moment


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Path]:
    """A folder that the server's user may enter, whoever runs the tests."""
    memory = Path("/dev/shm")  # a busy disk makes these slow, and nothing here is to be kept
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > _ROOM_BYTES
    made = Path(tempfile.mkdtemp(prefix="parvis-tests-backup-", dir=memory if roomy else "/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def role(database: Database) -> str:
    """The address of the backups' role, made by the file that operators run; twice, as they may."""
    with psycopg.connect(database.superuser_url) as connection:
        major = connection.info.server_version // 10_000
    application = psycopg.conninfo.conninfo_to_dict(database.application_url)["user"]
    psql = programs.folder(major, os.environ.get("TEST_POSTGRES_BINARIES", "")) / "psql"
    for _time in range(2):
        programs.run(
            psql,
            ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", "backup=well kept", "-v", f"app={application}",
             "-f", ROOT / "deploy" / "backup.sql"],
            programs.environment(database.superuser_url, "tests"),
        )  # fmt: skip
    name = urlsplit(database.superuser_url).path.removeprefix("/")
    return with_database(database.superuser_url, name, "parvis_backup", "well%20kept")


@pytest.fixture(scope="module")
def ground(app: Flask, settings: Settings, database: Database, role: str, elsewhere: Path) -> Iterator[Ground]:
    own = settings.model_copy(
        update={
            "backup_url": f"file:{elsewhere / 'kept'}",
            "backup_keys": SecretStr("b:" + base64.b64encode(b"k" * 32).decode()),
            "backup_database_url": SecretStr(role),
            "backup_programs": os.environ.get("TEST_POSTGRES_BINARIES", ""),
        }
    )
    yield Ground(own, vault.of(own), storage.connect(settings.storage_url), elsewhere)
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:  # or the server keeps its log for ever
        connection.execute(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = 'parvis_backup'"
        )
        connection.execute("drop schema parvis_backup cascade")


@dataclass
class Story:
    """What happened: a backup under load, more writing, a moment, and things that came after it."""

    ground: Ground
    backup: Backup
    moment: datetime
    before: set[str]
    after: set[str]
    kept_file: str
    late_file: str
    erased_file: str


def happened(name: str) -> None:
    with prepared():
        audit.record("sign_in.refused", name=name)


def received(content: bytes) -> str:
    with prepared():
        arriving = files.from_bytes([content])
        arriving.finish()
        db.session.add(
            files.StoredFile(
                storage_key=arriving.key, name="x.pdf", media_type="application/pdf", size=arriving.size,
                sha256=arriving.sha256, state="clean",
            )
        )  # fmt: skip
    return arriving.key


@contextmanager
def writing(app: Flask, names: set[str]) -> Iterator[None]:
    """Somebody writes all the time; `names` are what was acknowledged."""
    stop = threading.Event()

    def run() -> None:
        with app.app_context():
            number = 0
            while not stop.is_set():
                number += 1
                happened(f"load-{number}")
                names.add(f"load-{number}")

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture(scope="module")
def story(app: Flask, ground: Ground, tables: Tables) -> Story:
    tables.empty()  # of files that others left, whose bytes are elsewhere
    before: set[str] = set()
    with app.app_context():
        happened("first")
        before.add("first")
        all_sealed()
        kept, erased = received(b"a letter " * 90_000), received(b"another")
        with ground.shipping():
            with writing(app, before):
                backup = taking.take(ground.settings, ground.vault, ground.store, ground.said.append)
            late = received(b"after the copy")
            time.sleep(0.01)
            moment = ground.now()
            time.sleep(0.01)
            happened("too late")
            with prepared():
                db.session.execute(text("delete from stored_file where storage_key = :key"), {"key": erased})
            files.discard(erased)
        return Story(ground, backup, moment, before, {"too late"}, kept, late, erased)


def names_in(address: str) -> set[str]:
    with psycopg.connect(address) as connection:
        return {str(name) for (name,) in connection.execute("select details->>'name' from audit_event")}


@pytest.fixture(scope="module")
def restored(story: Story, elsewhere: Path) -> Restored:
    ground = story.ground
    return restoring.restore(
        ground.settings, ground.vault, elsewhere / "there", story.moment, say=ground.said.append
    )  # fmt: skip


class TestRestoredToAMoment:
    def test_nothing_acknowledged_before_is_lost_and_nothing_later_is_there(
        self, story: Story, restored: Restored
    ) -> None:
        with opened(story, restored) as address:
            found = names_in(address)
        assert story.before <= found
        assert len(story.before) > 5
        assert not story.after & found

    def test_files_are_in_step(self, story: Story, restored: Restored) -> None:
        there = storage.connect(f"file:{restored.data.parent / 'files'}")
        assert set(there.keys()) == {story.kept_file, story.late_file}
        with closing(there.open(story.kept_file)) as copy, closing(story.ground.store.open(story.kept_file)) as own:
            assert copy.read() == own.read()
        assert (restored.files, list(restored.missing)) == (2, [])

    def test_what_was_erased_since_does_not_come_back(self, story: Story, restored: Restored) -> None:
        assert list(restored.erased) == [story.erased_file]
        assert (restored.data.parent / "erased-since.txt").read_text() == f"{story.erased_file}\n"

    def test_it_says_until_when_it_knows(self, story: Story, restored: Restored) -> None:
        assert restored.until is not None
        assert timedelta() <= story.moment - restored.until < timedelta(seconds=10)

    def test_nothing_is_put_over_something(self, story: Story, restored: Restored) -> None:
        with pytest.raises(BackupError, match="not empty"):
            restoring.restore(story.ground.settings, story.ground.vault, restored.data.parent)

    def test_a_backup_that_was_touched_does_not_keep_the_others(self, story: Story, tmp_path: Path) -> None:
        heavy = shutil.ignore_patterns("base", "0*")
        shutil.copytree(story.ground.folder / "kept" / "backups", tmp_path / "kept" / "backups", ignore=heavy)
        own, said = Vault(FilePlace(tmp_path / "kept"), story.ground.vault.keys), list[str]()
        later = tmp_path / "kept" / "backups" / "99990101T000000Z"
        later.mkdir()
        (later / "manifest").write_bytes(b"something else")
        assert restoring.chosen(own, unreadable=said.append).id == story.backup.id
        assert len(said) == 1
        with pytest.raises(BackupError, match="99990101T000000Z/manifest: altered"):
            restoring.chosen(own)  # a proof does not look away

    def test_a_beginning_that_became_whole_meanwhile_is_read_whole(self, kept: Vault) -> None:
        kept.put("wal/1/000000010000000000000001", vault.smaller([b"whole"]))
        assert restoring._longest(kept, ["wal/1/000000010000000000000001.partial"]) == b"whole"

    def test_a_moment_before_every_backup_is_refused(self, story: Story) -> None:
        with pytest.raises(BackupError, match="no backup leads to that moment"):
            restoring.chosen(story.ground.vault, story.backup.began_at - timedelta(days=1))


class TestVerified:
    def test_the_last_backup_holds_and_it_is_written_down(
        self, story: Story, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
        began = story.ground.now()
        proof = verifying.verify(story.ground.settings, story.ground.vault, say=story.ground.said.append)
        assert proof.backup.id == story.backup.id
        assert proof.tables > 100
        assert proof.events >= 1
        assert proof.files == 2
        assert story.ground.marked("verified") >= began
        assert story.ground.vault.place.names("proven") == [story.backup.id]
        with db.transaction(db.system("tests")):
            assert set(marks.read()) >= set(marks.KINDS)
            assert marks.log_is_unbounded(), "a server as it comes: `parvis check` warns"

    def test_what_the_marks_promised_and_is_not_there_is_found(self, story: Story) -> None:
        """A place that was put back as it was last week, a hole in the log: the rest of it may well restore."""
        ended = story.backup.ended_at
        proof = verifying.Proof(story.backup, 1, ended, 1, 0, 0)
        verifying.check_promises(proof, {})
        verifying.check_promises(proof, {"taken": ended, "wal": ended})
        with pytest.raises(BackupError, match="it is gone"):
            verifying.check_promises(proof, {"taken": ended + timedelta(hours=1)})
        for until in (ended, None):
            with pytest.raises(BackupError, match="a piece of it is missing"):
                verifying.check_promises(replace(proof, until=until), {"wal": ended + timedelta(hours=1)})

    def test_a_missing_or_altered_file_is_found(self, story: Story, restored: Restored, elsewhere: Path) -> None:
        ground, path = story.ground, elsewhere / "kept" / stock.name_of(story.kept_file)
        content = path.read_bytes()
        with opened(story, restored) as address, psycopg.connect(address) as connection:
            path.unlink()
            with pytest.raises(BackupError, match="1 files have no copy"):
                verifying.look_at_files(ground.settings, ground.vault, connection)
            path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
            with pytest.raises(BackupError, match="does not open"):
                verifying.look_at_files(ground.settings, ground.vault, connection)
            path.write_bytes(content)
            assert verifying.look_at_files(ground.settings, ground.vault, connection) == (3, 2)

    def test_a_table_that_differs_is_found(self, story: Story, restored: Restored) -> None:
        with opened(story, restored) as address, psycopg.connect(address.replace("parvis_backup@", "postgres@")) as own:
            told = facts.gather(own)
            assert list(facts.differences(own, told)) == []
            own.execute("set session_replication_role = replica")  # no trigger keeps this one
            own.execute("delete from audit_batch")
            own.execute("update stored_file set name = 'y.pdf'")
            said = list(facts.differences(own, told))
            own.rollback()
        assert [each.partition(":")[0] for each in said] == ["table audit_batch", "table stored_file"]
        assert said[1].endswith("the same number with another content")


@contextmanager
def opened(story: Story, restored: Restored) -> Iterator[str]:
    """The restored database, running."""
    tools = programs.folder(story.backup.major, story.ground.settings.backup_programs)
    with Cluster(restored.data, story.backup, tools).running(OPEN) as address:
        yield address


@pytest.fixture
def kept(tmp_path: Path) -> Vault:
    return Vault(FilePlace(tmp_path / "kept"), FileKeys.of({"b": b"k" * 32}))


class TestTheLog:
    def test_goes_on_after_the_end_of_a_segment(self, role: str, tmp_path: Path) -> None:
        """The slot stands between two segments, and the server keeps the second alone."""
        with psycopg.connect(role) as connection:
            for lsn, segment in (("0/3000000", "03"), ("0/3000028", "03"), ("0/2FFFFF8", "02")):
                spool = tmp_path / lsn.replace("/", "-")
                spool.mkdir()
                wal.begin_at(connection, spool, lsn)
                (made,) = spool.iterdir()
                assert made.name.endswith(f"{segment}.partial")

    def test_that_jumps_is_not_let_go(self, ground: Ground) -> None:
        """Nothing moves the slot over what was never sent away."""
        shipper = ground.shipper()
        shipper._size, shipper._next = 1 << 24, 3
        shipper._follows("000000010000000000000003")
        shipper._follows("000000010000000000000003")
        shipper._follows("000000010000000000000004")
        with pytest.raises(BackupError, match="jumps to 000000010000000000000006"):
            shipper._follows("000000010000000000000006")

    def test_does_not_wait_for_many_files(self, kept: Vault, ground: Ground, role: str, app: Flask) -> None:
        with app.app_context():
            key = received(b"one more")
        with ground.store.sink(files_orphans.MARK) as sink:  # whose store it is, and no file
            sink.write(b"ours")
            sink.commit()
        rounds: list[None] = []
        with psycopg.connect(role, autocommit=True) as connection:
            copies = stock.Stock.open(kept)
            copies.follow(ground.store, connection, ground.now(), lambda: rounds.append(None))
        ground.store.delete(files_orphans.MARK)
        assert key in copies.known
        assert files_orphans.MARK not in copies.known
        assert len(rounds) == len(copies.known)


class TestWhatIsKept:
    CONTENT = bytes(range(256)) * 4096  # four chunks

    def test_comes_back(self, kept: Vault) -> None:
        kept.put("wal/1", vault.smaller(iter([self.CONTENT, b"end"])))
        assert b"".join(vault.unpacked(kept.get("wal/1"))) == self.CONTENT + b"end"

    @pytest.mark.parametrize("touched", ["altered", "cut", "reordered", "empty", "renamed"])
    def test_is_refused_once_touched(self, kept: Vault, tmp_path: Path, touched: str) -> None:
        kept.put("one", [self.CONTENT])
        path, chunk = tmp_path / "kept" / "one", CHUNK_SIZE + 16
        bare = path.read_bytes()
        head, first, second = bare[:64], bare[64 : 64 + chunk], bare[64 + chunk : 64 + 2 * chunk]
        changed = {
            "altered": bare[:-1] + bytes([bare[-1] ^ 1]), "cut": bare[: 64 + 2 * chunk],
            "reordered": head + second + first + bare[64 + 2 * chunk :], "empty": b"", "renamed": bare,
        }[touched]  # fmt: skip
        name = "two" if touched == "renamed" else "one"
        (tmp_path / "kept" / name).write_bytes(changed)
        with pytest.raises(BackupError, match=f"{name}: altered, cut, or not what its name says"):
            b"".join(kept.get(name))

    def test_is_closed_without_its_key_which_is_named(self, kept: Vault) -> None:
        kept.put("one", [b"x"])
        other = Vault(kept.place, FileKeys.of({"c": b"z" * 32}))
        with pytest.raises(BackupError, match="sealed with the key 'b', which PORTAL_BACKUP_KEYS lacks"):
            b"".join(other.get("one"))

    def test_says_nothing_in_clear(self, kept: Vault, tmp_path: Path) -> None:
        kept.put("one", [b"a patient's name"])
        assert b"patient" not in (tmp_path / "kept" / "one").read_bytes()

    def test_is_there_whole_or_not_at_all(self, kept: Vault, tmp_path: Path) -> None:
        def broken() -> Iterator[bytes]:
            yield self.CONTENT
            raise BackupError("the tool ended badly")

        with pytest.raises(BackupError, match="ended badly"):
            kept.put("backups/x/base", broken())
        assert [path for path in (tmp_path / "kept").rglob("*") if path.is_file()] == []

    def test_on_a_full_place_says_so_and_leaves_nothing(self, tmp_path: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-c", _FULL, tmp_path], capture_output=True, text=True, cwd=ROOT, check=False
        )  # fmt: skip
        assert done.stdout == "the place of the backups is full: nothing was kept of this one\n", done.stderr
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

    def test_what_a_killed_program_left_goes(self, kept: Vault, tmp_path: Path) -> None:
        place, incoming = tmp_path / "kept", tmp_path / "kept" / ".incoming"
        kept.put("unfinished/base", [b"half"])
        kept.put("unfinished-1/base", [b"half removed"])
        kept.put("backups/1/base", [b"whole"])
        for name in ("old", "new"):
            (incoming / name).write_bytes(b"half")
        os.utime(incoming / "old", (0, 0))
        kept.place.sweep("unfinished")
        assert sorted(path.name for path in place.iterdir()) == [".incoming", "backups"]
        assert [path.name for path in incoming.iterdir()] == ["new"]

    def test_is_written_by_one_at_a_time(self, kept: Vault) -> None:
        with (
            kept.place.alone("take"),
            pytest.raises(BackupError, match="runs on this place"),
            kept.place.alone("take"),
        ):
            pass
        with kept.place.alone("take"):
            pass


_FULL = """
import resource, signal, sys
from pathlib import Path
from portal.backup import BackupError
from portal.backup.place import FilePlace
from portal.backup.vault import Vault
from portal.file_crypto import FileKeys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    Vault(FilePlace(Path(sys.argv[1])), FileKeys.of({"b": b"k" * 32})).put("base", [bytes(1 << 20)])
except BackupError as error:
    print(error)
"""


class TestTheCommands:
    def test_list_what_is_whole(self, story: Story, operate: Operate, elsewhere: Path) -> None:
        unfinished = elsewhere / "kept" / "unfinished"
        unfinished.mkdir(exist_ok=True)
        (unfinished / "base").write_bytes(b"half")
        said = operate("backup", "list")
        assert (said.exit_code, said.output.count("\n")) == (0, 1)
        assert said.output.startswith(story.backup.id)

    @pytest.mark.parametrize(
        ("moment", "words"),
        [("yesterday", "looks like"), ("2026-11-23T10:00:00", "say the offset"), ("2001-01-01T00:00Z", "no backup")],
    )
    def test_say_what_is_wrong_with_a_moment(
        self, story: Story, operate: Operate, elsewhere: Path, moment: str, words: str
    ) -> None:
        said = operate("restore", "--to", moment, "--into", str(elsewhere / "nowhere"))
        assert (said.exit_code, words in said.output) == (1, True), said.output

    def test_say_what_is_missing(self, operate: Operate, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("PORTAL_BACKUP_URL")
        said = operate("backup", "take")
        assert (said.exit_code, said.output) == (
            1, "Error: PORTAL_BACKUP_URL and PORTAL_BACKUP_KEYS are needed (docs/backup.md)\n"
        )  # fmt: skip

    def test_make_keys_that_are_accepted(self, operate: Operate, settings: Settings) -> None:
        name, _equals, value = operate("backup", "keygen").output.strip().partition("=")
        assert name == "PORTAL_BACKUP_KEYS"
        ring = settings.model_copy(update={"backup_keys": SecretStr(value)}).backup_key_ring()
        assert [len(key) for key in ring.values()] == [32]

    def test_of_a_server_that_is_away_say_so_and_keep_nothing(
        self, story: Story, operate: Operate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PORTAL_BACKUP_DATABASE_URL", "postgresql://x@127.0.0.1:9/x")
        said = operate("backup", "take")
        assert said.exit_code == 1
        assert "database" in said.output
        assert len(taking.listed(story.ground.vault)) == 1


@pytest.fixture
def operate(ground: Ground, database: Database, monkeypatch: pytest.MonkeyPatch) -> Operate:
    own = ground.settings
    for name in [name for name in os.environ if name.startswith("PORTAL_")]:
        monkeypatch.delenv(name)
    for name in (
        "env", "secret_key", "file_keys", "database_url", "storage_url", "backup_url", "backup_keys",
        "backup_database_url", "backup_programs",
    ):  # fmt: skip
        value = getattr(own, name)
        monkeypatch.setenv(
            f"PORTAL_{name.upper()}", value.get_secret_value() if isinstance(value, SecretStr) else value
        )
    return lambda *words: CliRunner().invoke(cli.parvis, words)


class TestWhatIsTooOld:
    def test_goes_with_its_log_and_its_erased_files(self, tmp_path: Path, story: Story) -> None:
        shutil.copytree(story.ground.folder / "kept", tmp_path / "kept")
        place = FilePlace(tmp_path / "kept")
        own = Vault(place, story.ground.vault.keys)
        system = f"wal/{story.backup.system}"
        own.put(f"{system}/000000010000000000000000", [b""])
        own.put("wal/1/000000010000000000000000", [b""])
        had = place.names(system)
        for days in (*range(1, taking.AT_LEAST), 20, 40):
            aged(own, story.backup, days=days)
        taking.prune(own, stock.Stock.open(own), keep_days=14, say=lambda _line: None)
        # The one before the limit leads to the limit.
        assert len(taking.listed(own)) == taking.AT_LEAST + 1
        assert place.names(system) == had[1:]
        assert place.names("wal/1") == []
        assert place.size(stock.name_of(story.erased_file)) is not None
        taking.prune(own, stock.Stock(own, set(stock.kept(own)), {story.erased_file: OLD}), 14, lambda _line: None)
        assert place.size(stock.name_of(story.erased_file)) is None
        assert place.size(stock.name_of(story.kept_file)) is not None

    def test_is_never_the_last_that_was_proven(self, tmp_path: Path, story: Story) -> None:
        own = Vault(FilePlace(tmp_path), story.ground.vault.keys)
        every = nights(story.backup, 90, *range(60, 0, -1))
        for each in every[:2]:
            taking.prove(own, each)
        gone = taking.too_old(own, every, 14, story.backup.ended_at)
        assert (every[0] in gone, every[1] in gone, every[2] in gone) == (True, False, True)
        assert len(gone) == len(every) - 14 - 2  # and the one before the limit

    def test_is_told_by_no_wrong_clock(self, tmp_path: Path, story: Story) -> None:
        """For a night the machine is a year ahead: at that moment, and once it is right again."""
        own = Vault(FilePlace(tmp_path), story.ground.vault.keys)
        every = [*nights(story.backup, *range(13, 0, -1)), *nights(story.backup, -365)]
        meanwhile = taking.too_old(own, every, 14, every[-1].ended_at)
        assert [each for each in every if each not in meanwhile] == every[-taking.AT_LEAST :]
        afterwards = taking.too_old(own, every, 14, story.backup.ended_at)
        assert afterwards == []

    def test_that_was_touched_is_not_proven(self, tmp_path: Path, story: Story) -> None:
        own = Vault(FilePlace(tmp_path), story.ground.vault.keys)
        taking.prove(own, story.backup)
        (path,) = (tmp_path / "proven").iterdir()
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        with pytest.raises(BackupError, match="altered"):
            taking.too_old(own, [story.backup], 14, story.backup.ended_at)


class TestThePlace:
    """Of one cluster and one machine."""

    @pytest.fixture
    def mine(self, role: str) -> owner.Owner:
        with psycopg.connect(role) as connection:
            return owner.here(connection)

    @pytest.fixture
    def anothers(self, story: Story, mine: owner.Owner) -> Iterator[owner.Owner]:
        """Production's, for whoever runs a copy of it with its address, its keys and its cluster's identifier."""
        production = replace(mine, machine="another", host="production")
        owner.claim(story.ground.vault, production)
        yield production
        owner.claim(story.ground.vault, mine)

    def test_is_whoever_s_came_first(self, story: Story, mine: owner.Owner) -> None:
        assert owner.kept(story.ground.vault) == mine
        owner.hold(story.ground.vault, mine)

    def test_takes_nothing_from_a_copy_of_its_machine(self, story: Story, anothers: owner.Owner) -> None:
        ground, before = story.ground, content_of(story.ground.folder / "kept")
        with pytest.raises(BackupError, match=r"from production, and this is .*parvis backup claim"):
            taking.take(ground.settings, ground.vault, ground.store, ground.said.append)
        with pytest.raises(BackupError, match="nothing was written or removed there"):
            ground.shipper().run(lambda: True)
        assert content_of(story.ground.folder / "kept") == before
        assert restoring.chosen(ground.vault).id == story.backup.id  # who has the keys restores

    def test_is_given_over_by_whoever_takes_over_for_good(
        self, story: Story, anothers: owner.Owner, mine: owner.Owner, operate: Operate
    ) -> None:
        said = operate("backup", "claim")
        assert (said.exit_code, "it was of" in said.output) == (0, True), said.output
        assert owner.kept(story.ground.vault) == mine
        with pytest.raises(BackupError, match="parvis backup claim"):
            owner.hold(story.ground.vault, anothers)

    def test_of_another_cluster_without_a_mark_is_not_taken(self, kept: Vault, mine: owner.Owner) -> None:
        kept.put("wal/7123/000000010000000000000001", [b""])
        with pytest.raises(BackupError, match="the clusters 7123"):
            owner.hold(kept, mine)
        kept.put(f"wal/{mine.system}/000000010000000000000001", [b""])
        owner.hold(kept, mine)  # one that former releases wrote
        assert owner.kept(kept) == mine

    def test_is_not_that_of_whoever_writes_the_mark_without_the_keys(self, kept: Vault, mine: owner.Owner) -> None:
        Vault(kept.place, FileKeys.of({"b": b"x" * 32})).put("owner", [b"{}"])
        with pytest.raises(BackupError, match="altered"):
            owner.hold(kept, mine)

    def test_goes_on_with_the_next_key_when_the_former_leaves_the_list(
        self, story: Story, mine: owner.Owner, tmp_path: Path
    ) -> None:
        place, former, current = FilePlace(tmp_path), {"b1": b"1" * 32}, {"b2": b"2" * 32}
        owner.claim(Vault(place, FileKeys.of(former)), mine)
        ground, both = story.ground, Vault(place, FileKeys.of(current | former))
        taking.take(ground.settings, both, ground.store, ground.said.append)
        assert both.is_sealed_anew("owner")
        owner.hold(Vault(place, FileKeys.of(current)), mine)

    def test_of_which_a_copy_knows_the_former_key_stays_its_owners(self, kept: Vault, mine: owner.Owner) -> None:
        production = replace(mine, machine="another", host="production")
        owner.claim(kept, production)
        both = Vault(kept.place, FileKeys.of({"new": b"2" * 32, **kept.keys.by_id}))
        with pytest.raises(BackupError, match="parvis backup claim"):
            owner.hold(both, mine)
        assert owner.kept(kept) == production

    @pytest.mark.parametrize("mark", ["of a lost key", "damaged"])
    def test_is_claimed_whatever_its_mark(self, story: Story, mine: owner.Owner, operate: Operate, mark: str) -> None:
        path, vault = story.ground.folder / "kept" / "owner", story.ground.vault
        if mark == "damaged":
            path.write_bytes(path.read_bytes()[:70])
        else:
            owner.claim(Vault(vault.place, FileKeys.of({"lost": b"x" * 32})), mine)
        with pytest.raises(BackupError):
            owner.hold(vault, mine)
        said = operate("backup", "claim")
        assert (said.exit_code, "somebody unknown (owner: " in said.output) == (0, True), said.output
        assert owner.kept(vault) == mine

    def test_is_known_by_the_cluster_alone_where_machines_have_no_identifier(self, mine: owner.Owner) -> None:
        bare = replace(mine, machine="")
        assert bare.is_same(mine)
        assert mine.is_same(bare)
        assert not bare.is_same(replace(mine, system="7"))


def content_of(folder: Path) -> set[tuple[str, int]]:
    return {(str(path), path.stat().st_size) for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"}


class TestWhatWaits:
    """In memory, to be sent away: never more than a bound."""

    def test_stops_whoever_fills_it_until_it_is_emptied(self, tmp_path: Path) -> None:
        said: list[str] = []
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], text=True)
        with Bound(child, tmp_path, said.append):
            for number in range(MOST_WAITING + 1):
                (tmp_path / f"0000000100000000{number:08X}").touch()
            until(lambda: state_of(child) == "T")
            for path in list(tmp_path.iterdir())[: MOST_WAITING // 2 + 1]:
                path.unlink()
            until(lambda: state_of(child) != "T")
            for number in range(MOST_WAITING + 1):
                (tmp_path / f"0000000100000001{number:08X}").touch()
            until(lambda: state_of(child) == "T")
        child.terminate()  # a stopped process would not hear it
        assert child.wait(10) == -15
        assert said[0] == "17 segments wait to be sent away: the server keeps the rest meanwhile"

    @pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv (util-linux) is not here")
    def test_ends_with_whoever_empties_it_even_while_it_is_stopped(self) -> None:
        receiver = [*dies_with_us("KILL"), sys.executable, "-c", "print(1, flush=True); import time; time.sleep(60)"]
        shipper = (
            "import signal, subprocess, time\n"
            f"child = subprocess.Popen({receiver!r}, stdout=subprocess.PIPE)\n"
            "child.stdout.readline(); child.send_signal(signal.SIGSTOP)\n"
            "print(child.pid, flush=True); time.sleep(60)"
        )
        with subprocess.Popen([sys.executable, "-c", shipper], stdout=subprocess.PIPE, text=True) as parent:
            assert parent.stdout is not None
            child = Path(f"/proc/{int(parent.stdout.readline())}/stat")
            parent.kill()
        until(lambda: not child.exists() or ") Z " in child.read_text())

    def test_is_not_begun_where_there_is_no_room_for_it(self, ground: Ground, role: str, tmp_path: Path) -> None:
        with psycopg.connect(role) as connection:
            begun = taking._Taking(ground.vault, connection, tmp_path, role, end="FFFF/0")
            with pytest.raises(BackupError, match="at a quieter hour"):
                begun._must_fit(tmp_path, "0/0")
            begun._must_fit(tmp_path, "FFFF/0")


def state_of(child: subprocess.Popen[str]) -> str:
    return Path(f"/proc/{child.pid}/stat").read_text().rpartition(") ")[2][0]


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


OLD = datetime(2001, 1, 1, tzinfo=UTC)


def nights(backup: Backup, *days: int) -> list[Backup]:
    """The same, so many days before."""
    moments = [backup.ended_at - timedelta(days=each) for each in days]
    return [replace(backup, id=f"{moment:%Y%m%dT%H%M%SZ}", ended_at=moment) for moment in moments]


def aged(own: Vault, backup: Backup, *, days: int) -> None:
    """The manifest of an older one."""
    moment = backup.ended_at - timedelta(days=days)
    older = replace(backup, id=f"{moment:%Y%m%dT%H%M%SZ}", ended_at=moment)
    own.put(f"{older.folder}/manifest", [taking.manifest(older)])
