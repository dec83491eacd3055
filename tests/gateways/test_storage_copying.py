"""A hospital moves from a folder to an S3 store while it works: nothing lost, nothing kept that was erased."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import text

from portal import cli, db, logs
from portal.config import Settings
from portal.gateways import Unavailable
from portal.gateways.storage import Store, connect, where
from portal.gateways.storage.copying import copy
from portal.gateways.storage.twin import StorageTwin
from tests.gateways.s3_twin import ACCESS_KEY, SECRET_KEY, S3Twin
from tests.gateways.test_storage_contract import content, put
from tests.ground import prepared

OBJECTS = {"one": b"1" * 10, "2026/11/two": b"2" * 6_000_000, "three": b""}


@pytest.fixture
def twin() -> Iterator[S3Twin]:
    with S3Twin() as started:
        yield started


@pytest.fixture
def old(tmp_path: Path) -> Store:
    store = connect(f"file:{tmp_path}/old")
    for key, whole in OBJECTS.items():
        put(store, key, whole)
    return store


@pytest.fixture
def new(twin: S3Twin) -> Store:
    return connect(twin.url(), ACCESS_KEY, SECRET_KEY)


def outcomes(source: Store, target: Store, *, compare: bool = False, remove: bool = False) -> dict[str, str]:
    return {step.key: step.outcome for step in copy(source, target, compare=compare, remove=remove)}


def test_everything_is_copied_once(old: Store, new: Store, twin: S3Twin) -> None:
    assert outcomes(old, new) == dict.fromkeys(OBJECTS, "copied")
    assert {key: content(new, key) for key in list(new.keys())} == OBJECTS
    twin.calls.clear()
    assert outcomes(old, new, compare=True) == dict.fromkeys(OBJECTS, "there")
    assert not any(call.startswith(("PUT", "POST")) for call in twin.calls)


def test_a_run_that_was_stopped_goes_on(old: Store, new: Store, twin: S3Twin) -> None:
    steps = copy(old, new)
    next(steps)
    twin.faults.code = "AccessDenied"
    with pytest.raises(Unavailable):
        list(steps)
    twin.faults.code = ""
    assert sorted(outcomes(old, new).values()) == ["copied", "copied", "there"]


def test_what_is_written_while_it_runs_comes_with_the_next_run(old: Store, new: Store) -> None:
    outcomes(old, new)
    put(old, "late", b"late")
    assert outcomes(old, new)["late"] == "copied"


def test_what_was_erased_meanwhile_is_not_kept_in_the_copy(old: Store, new: Store) -> None:
    class Erasing:
        """A store in which somebody erases each object just after it was read."""

        def __getattr__(self, name: str) -> object:
            return getattr(old, name)

        def exists(self, key: str) -> bool:
            old.delete(key)
            return old.exists(key)

    assert set(outcomes(Erasing(), new).values()) == {"gone"}  # type: ignore[arg-type]  # the rest is the folder's own
    assert list(new.keys()) == []


def test_what_was_erased_since_a_former_run_is_removed_when_that_is_asked(old: Store, new: Store) -> None:
    outcomes(old, new)
    old.delete("one")
    assert "one" not in outcomes(old, new)
    assert new.exists("one")
    assert outcomes(old, new, remove=True)["one"] == "removed"
    assert set(new.keys()) == set(OBJECTS) - {"one"}


def test_nothing_is_removed_because_a_folder_is_not_mounted(old: Store, new: Store, tmp_path: Path) -> None:
    outcomes(old, new)
    with pytest.raises(Unavailable, match="is empty"):
        outcomes(connect(f"file:{tmp_path}/not-mounted"), new, remove=True)
    assert set(new.keys()) == set(OBJECTS)


def test_a_copy_that_is_not_the_same_is_told_and_left(old: Store, new: Store, twin: S3Twin) -> None:
    outcomes(old, new)
    twin.faults.altered = {"hospital/one"}
    assert outcomes(old, new)["one"] == "there"
    assert outcomes(old, new, compare=True)["one"] == "differs"


@pytest.mark.parametrize("fault", ["altered", "lost"])
def test_a_storage_that_does_not_give_back_what_it_took_is_found_out(old: Store, fault: str) -> None:
    liar = StorageTwin()
    setattr(liar.faults, fault, set(OBJECTS))
    with pytest.raises(Unavailable, match="the storage copied to"):
        outcomes(old, liar)


Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    (tmp_path / "secret").write_text(SECRET_KEY + "\n")
    for name, value in {
        "PORTAL_ENV": "test",
        "PORTAL_SECRET_KEY": settings.secret_key.get_secret_value(),
        "PORTAL_FILE_KEYS": settings.file_keys.get_secret_value(),
        "PORTAL_DATABASE_URL": settings.database_url.get_secret_value(),
        "PORTAL_STORAGE_URL": f"file:{tmp_path}/old",
        "PORTAL_STORAGE_ACCESS_KEY": ACCESS_KEY,
        "PORTAL_STORAGE_SECRET_KEY_FILE": str(tmp_path / "secret"),
    }.items():
        monkeypatch.setenv(name, value)
    yield lambda *words: CliRunner().invoke(cli.parvis, ["storage", "copy", *words], obj=lambda _settings: app)
    logs.configure(settings)


def test_the_command_says_what_it_did(
    old: Store, new: Store, twin: S3Twin, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, bucket = f"file:{tmp_path}/old", twin.url()
    first = run(folder, bucket)
    assert (first.exit_code, first.output) == (
        0,
        "3 copied (6.0 MB), 0 there already, 0 erased meanwhile, 0 removed, 0 different\n",
    )
    old.delete("one")
    monkeypatch.setenv("PORTAL_READ_ONLY", "true")
    assert "2 there already, 0 erased meanwhile, 1 removed" in run(folder, bucket, "--remove").output
    twin.faults.altered = {"hospital/2026/11/two"}
    differing = run(folder, bucket, "--compare")
    assert differing.exit_code == 1
    assert "2026/11/two is not the same in both" in differing.output


def test_the_command_removes_nothing_where_people_write(new: Store, old: Store, tmp_path: Path, run: Run) -> None:
    put(new, "sent-by-somebody", b"x")
    for target in (f"file:{tmp_path}/old", f"file://{tmp_path}/old", f"file:{tmp_path}/other/../old/"):
        refused = run("twin:", target, "--remove")
        assert refused.exit_code == 1
        assert "Nothing done" in refused.output
    assert set(old.keys()) == set(OBJECTS)


def test_the_command_removes_nothing_while_files_may_come_or_go(
    new: Store, twin: S3Twin, old: Store, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(new, "sent-by-somebody", b"x")
    writing = run(f"file:{tmp_path}/old", twin.url(), "--remove")
    monkeypatch.setenv("PORTAL_READ_ONLY", "true")
    with prepared():
        db.session.execute(text("insert into procrastinate_workers default values"))
    working = run(f"file:{tmp_path}/old", twin.url(), "--remove")
    for refused, words in ((writing, "PORTAL_READ_ONLY"), (working, "1 workers gave a sign of life")):
        assert refused.exit_code == 1
        assert words in refused.output
        assert "Nothing done" in refused.output
    assert list(new.keys()) == ["sent-by-somebody"]


@pytest.mark.parametrize(
    "other", ["s3://H.test/files/a/", "s3://h.test/files/a?region=fr-par", "s3+http://h.test/files/a"]
)
def test_a_place_is_known_however_it_is_written(other: str) -> None:
    assert where(other) == where("s3://h.test/files/a")
    assert where("s3://h.test/files/b") != where("s3://h.test/files/a")


def test_the_command_says_what_is_wrong_without_a_traceback(twin: S3Twin, old: Store, tmp_path: Path, run: Run) -> None:
    twin.faults.code = "AccessDenied"
    for target, words in ((twin.url(), "may not do that"), ("ftp://x", "not supported")):
        failed = run(f"file:{tmp_path}/old", target)
        assert failed.exit_code == 1
        assert words in failed.output
        assert "Traceback" not in failed.output
