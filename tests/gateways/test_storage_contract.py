"""What a storage promises, asked of every one there is; then what only files can do wrong."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from portal.gateways import Refused, Unavailable, UnsupportedUrl
from portal.gateways.storage import ObjectLost, StorageFull, Store, connect
from portal.gateways.storage.file import FileStore
from portal.gateways.storage.twin import StorageTwin
from tests.gateways.s3_twin import ACCESS_KEY, SECRET_KEY, S3Twin


@pytest.fixture(params=["file", "s3", "s3 without prefix", "twin"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param.startswith("s3"):
        with S3Twin() as s3:
            yield connect(s3.url("" if "without" in request.param else "a/prefix_1.0"), ACCESS_KEY, SECRET_KEY)
    else:
        yield connect(f"file:{tmp_path}/a folder with 100% odd name" if request.param == "file" else "twin:")


@pytest.fixture
def key() -> str:
    return str(uuid4())


def put(store: Store, key: str, *pieces: bytes) -> None:
    with store.sink(key) as sink:
        for piece in pieces:
            assert sink.write(piece) == len(piece)
        sink.commit()


def content(store: Store, key: str) -> bytes:
    with store.open(key) as reader:
        return reader.read()


def test_it_answers_to_a_check_and_leaves_nothing(store: Store) -> None:
    store.check()
    assert list(store.keys()) == []


def test_what_is_written_is_read_back_whole(store: Store, key: str) -> None:
    put(store, key, b"a" * 100_000, b"", b"end")
    assert content(store, key) == b"a" * 100_000 + b"end"
    assert store.exists(key)
    assert list(store.keys()) == [key]


def test_only_what_is_old_is_listed_when_that_is_asked(store: Store, key: str) -> None:
    put(store, key, b"written now")
    assert list(store.keys(older_than_seconds=3600)) == []
    time.sleep(1.1)  # a store tells whole seconds
    assert list(store.keys(older_than_seconds=0.05)) == [key]


def test_an_empty_object_is_an_object(store: Store, key: str) -> None:
    put(store, key)
    assert content(store, key) == b""


def test_a_reader_can_go_back_to_the_start(store: Store, key: str) -> None:
    put(store, key, b"abcdef")
    with store.open(key) as reader:
        assert reader.read(2) == b"ab"
        reader.seek(0)
        assert reader.read(3) == b"abc"


def test_nobody_sees_an_object_before_it_is_committed(store: Store, key: str) -> None:
    with store.sink(key) as sink:
        sink.write(b"half")
        assert not store.exists(key)
        assert list(store.keys()) == []
        with pytest.raises(ObjectLost):
            store.open(key)


def test_a_large_object_comes_back_in_any_order_of_reading(store: Store, key: str) -> None:
    pieces = [bytes([number]) * 1_000_000 for number in range(11)]
    put(store, key, *pieces)
    whole = b"".join(pieces)
    assert content(store, key) == whole
    with store.open(key) as reader:
        for at in (10_999_990, 0, 4_194_300, 9_000_000):
            reader.seek(at)
            assert reader.read(20) == whole[at : at + 20]
        assert reader.seek(0, os.SEEK_END) == len(whole)
        assert reader.read(10) == b""


def test_an_object_not_committed_is_forgotten(store: Store, key: str) -> None:
    with store.sink(key) as sink:
        sink.write(b"half")
    sink.abort()
    assert not store.exists(key)
    with pytest.raises(ValueError, match=r"committed or aborted|closed"):
        sink.write(b"more")


def test_an_error_while_writing_forgets_the_object(store: Store, key: str) -> None:
    with pytest.raises(TypeError):
        put(store, key, b"half", None)  # type: ignore[arg-type]  # the mistake that this test is about
    assert not store.exists(key)


def test_a_commit_is_once_and_an_abort_after_it_changes_nothing(store: Store, key: str) -> None:
    sink = store.sink(key)
    sink.write(b"whole")
    sink.commit()
    with pytest.raises(ValueError, match="already"):
        sink.commit()
    sink.abort()
    assert content(store, key) == b"whole"


def test_a_second_object_of_the_same_key_takes_the_place_of_the_first(store: Store, key: str) -> None:
    put(store, key, b"first")
    put(store, key, b"second")
    assert content(store, key) == b"second"


def test_a_deleted_object_is_gone_and_deleting_twice_is_the_same(store: Store, key: str) -> None:
    put(store, key, b"x")
    store.delete(key)
    store.delete(key)
    assert not store.exists(key)
    with pytest.raises(Refused):
        store.open(key)


def test_keys_may_have_folders_and_come_back_the_same(store: Store) -> None:
    keys = {str(uuid4()), f"2026/11/{uuid4()}", f"letters/{uuid4()}", "ab"}
    for key in keys:
        put(store, key, key.encode())
    assert set(store.keys()) == keys
    assert all(content(store, key) == key.encode() for key in keys)


@pytest.mark.parametrize(
    "key", ["", "..", "../x", "a/../b", "/etc/passwd", "a//b", "A", "a.b", "a b", "é", "a\n", "a\x00", "a/", "x" * 65]
)
def test_a_key_that_a_person_could_have_typed_is_a_mistake_of_ours(store: Store, key: str) -> None:
    attempts: list[Callable[[str], object]] = [store.sink, store.open, store.exists, store.delete]
    for attempt in attempts:
        with pytest.raises(ValueError, match="storage key"):
            attempt(key)


def test_many_writers_of_one_key_leave_one_whole_object(store: Store, key: str) -> None:
    pieces = [bytes([65 + number]) * 50_000 for number in range(8)]
    threads = [threading.Thread(target=put, args=(store, key, piece, piece)) for piece in pieces]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert content(store, key) in [piece * 2 for piece in pieces]


# Files


def test_an_object_killed_in_mid_write_is_swept_but_not_one_being_written(tmp_path: Path, key: str) -> None:
    store = FileStore(tmp_path)
    abandoned = store.sink(key)
    abandoned.write(b"half")
    for left in (tmp_path / ".incoming").iterdir():
        os.utime(left, (0, 0))
    writing = store.sink(str(uuid4()))
    assert store.sweep(older_than_seconds=3600) == 1
    writing.write(b"whole")
    writing.commit()
    abandoned.abort()
    assert len(list(store.keys())) == 1


def test_a_failed_commit_leaves_nothing_behind(tmp_path: Path, key: str) -> None:
    store = FileStore(tmp_path)
    store.check()
    sink = store.sink(key)
    sink.write(b"x")
    (tmp_path / "objects" / key[:2]).write_text("a file where a folder should be")
    with pytest.raises(Unavailable):
        sink.commit()
    assert list((tmp_path / ".incoming").iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no /dev/full")
def test_a_full_disk_is_told_as_such(tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """/dev/full takes the place of the temporary file: the kernel itself answers "no space left"."""
    store = FileStore(tmp_path)
    put(store, key, b"kept")
    real_open, refusals = os.open, []

    def open_full(path: Path, flags: int, mode: int = 0o777) -> int:
        incoming = ".incoming/" in str(path)
        return real_open("/dev/full", os.O_WRONLY) if incoming else real_open(path, flags, mode)

    monkeypatch.setattr("portal.gateways.storage.file.os.open", open_full)
    for _ in range(10):
        with pytest.raises(Unavailable) as caught:
            put(store, str(uuid4()), b"x" * 1_000_000)
        refusals.append(caught.type)
    assert refusals[0] is StorageFull
    assert content(store, key) == b"kept", "what was there before can still be read"
    assert list(store.keys()) == [key]


def test_a_path_that_is_not_a_folder_is_unavailable_and_not_named(tmp_path: Path, key: str) -> None:
    (tmp_path / "secret-name").write_text("a file")
    with pytest.raises(Unavailable) as caught:
        FileStore(tmp_path / "secret-name").sink(key)
    assert "secret-name" not in str(caught.value)


def test_other_users_of_the_machine_see_nothing(tmp_path: Path, key: str) -> None:
    put(FileStore(tmp_path / "files"), key, b"x")
    made = [tmp_path / "files", *(tmp_path / "files").rglob("*")]
    assert all(path.stat().st_mode & 0o077 == 0 for path in made)


def test_an_object_is_on_disk_before_its_name_is(tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileStore(tmp_path)
    synced: list[bool] = []
    real_sync = os.fsync

    def watched(descriptor: int) -> None:
        synced.append(store._path(key).exists())
        real_sync(descriptor)

    sink = store.sink(key)
    sink.write(b"x")
    monkeypatch.setattr("portal.gateways.storage.file.os.fsync", watched)
    sink.commit()
    assert synced[0] is False, "the name came before the bytes"
    assert synced[-1] is True, "the name itself was not made durable"


# The twin told to fail


def test_the_twin_can_be_full_lose_alter_and_be_down(key: str) -> None:
    twin = StorageTwin()
    put(twin, key, b"abc")
    twin.faults.altered = {key}
    assert content(twin, key) != b"abc"
    twin.faults.lost = {key}
    with pytest.raises(ObjectLost):
        twin.open(key)
    twin.faults.room_bytes = 5
    with pytest.raises(StorageFull):
        put(twin, str(uuid4()), b"abc")
    twin.faults.down = True
    with pytest.raises(Unavailable):
        twin.check()


@pytest.mark.parametrize("url", ["s4://bucket", "file:", "file://", "/var/files", "", "http://x"])
def test_a_scheme_of_another_version_is_refused_with_what_is_supported(url: str) -> None:
    with pytest.raises(UnsupportedUrl, match="file:PATH"):
        connect(url)
