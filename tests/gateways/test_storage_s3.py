"""An S3 store that is slow, busy, full, cut off, forgetful or lying: nothing is half kept, and nothing half read."""

import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.gateways import Unavailable, UnsupportedUrl
from portal.gateways.breaker import BreakerState
from portal.gateways.door import Deadline
from portal.gateways.storage import ObjectLost, StorageFull, connect, s3
from portal.gateways.storage.s3 import PART_BYTES, S3Address, S3Store
from portal.gateways.storage.s3_line import Answer, Line, Place
from portal.gateways.storage.sigv4 import Signer
from tests.gateways.s3_twin import ACCESS_KEY, BUCKET, REGION, SECRET_KEY, S3Twin
from tests.gateways.test_storage_contract import content, put

LARGE = PART_BYTES + 12_345


@pytest.fixture
def twin() -> Iterator[S3Twin]:
    with S3Twin() as started:
        yield started


def opened(twin: S3Twin, *, timeout_seconds: float = 5.0, secret: str = SECRET_KEY, url: str = "") -> S3Store:
    store = S3Store(S3Address.of(url or twin.url()), ACCESS_KEY, secret, timeout_seconds=timeout_seconds)
    store.line.pause = lambda _seconds: None
    return store


@pytest.fixture
def store(twin: S3Twin) -> S3Store:
    return opened(twin)


@pytest.fixture
def key() -> str:
    return str(uuid4())


# What is sent


def test_a_small_object_is_one_request_and_a_large_one_comes_in_parts(twin: S3Twin, store: S3Store, key: str) -> None:
    put(store, key, b"x" * 1000)
    assert twin.calls == ["PUT"]
    twin.calls.clear()
    put(store, key, *[b"y" * 1_000_000] * 11)
    parts = ["PUT partNumber,uploadId"] * 3
    assert twin.calls == ["POST uploads", *parts, "POST uploadId", "HEAD"]
    assert twin.objects[f"hospital/{key}"] == b"y" * 11_000_000
    assert twin.uploads == {}


@pytest.mark.parametrize("size", [PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES])
def test_no_part_is_empty_nor_too_small(twin: S3Twin, store: S3Store, key: str, size: int) -> None:
    put(store, key, b"z" * size)
    assert twin.objects[f"hospital/{key}"] == b"z" * size


def test_what_was_begun_and_given_up_leaves_no_parts(twin: S3Twin, store: S3Store, key: str) -> None:
    with store.sink(key) as sink:
        sink.write(b"x" * LARGE)
        assert len(twin.uploads) == 1
    assert twin.uploads == {}
    assert twin.objects == {}


def test_uploads_of_killed_writers_are_swept_but_not_those_going_on(twin: S3Twin, store: S3Store, key: str) -> None:
    store.sink(key).write(b"x" * LARGE)
    for upload in twin.uploads.values():
        upload.begun -= timedelta(days=2)
    going_on = store.sink(str(uuid4()))
    going_on.write(b"y" * LARGE)
    assert store.sweep(older_than_seconds=86_400) == 1
    going_on.commit()
    assert twin.uploads == {}
    assert len(twin.objects) == 1


def test_lines_are_kept_and_shared(twin: S3Twin, store: S3Store) -> None:
    for _ in range(10):
        put(store, str(uuid4()), b"x")
    assert twin.lines == 1


def test_a_line_that_was_closed_meanwhile_is_no_failure(twin: S3Twin, store: S3Store, key: str) -> None:
    put(store, key, b"x")
    twin.faults.hang_up = 1
    assert content(store, key) == b"x"
    assert store.reading.state().failed == 0


def test_a_long_list_comes_page_by_page_and_knows_its_prefix(twin: S3Twin, store: S3Store) -> None:
    twin.page = 3
    kept = {str(uuid4()) for _ in range(10)}
    for each in kept:
        put(store, each, b"x")
    twin.objects["another-hospital/" + str(uuid4())] = b"not ours"
    assert set(store.keys()) == kept


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 3_000_000), max_size=6))
def test_pieces_of_any_size_come_back_whole(sizes: list[int]) -> None:
    pieces = [bytes([number % 251]) * size for number, size in enumerate(sizes)]
    with S3Twin() as twin:
        store = opened(twin)
        put(store, "a-key", *pieces)
        assert content(store, "a-key") == b"".join(pieces)


# Who asks


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"secret": "another secret"}, "secret key"),
        ({"url": "region"}, "region"),
        ({"url": "bucket"}, "bucket does not exist"),
    ],
    ids=["secret", "region", "bucket"],
)
def test_a_wrong_setting_is_named_and_nothing_is_kept(twin: S3Twin, change: dict[str, str], reason: str) -> None:
    urls = {"region": twin.url().replace(REGION, "elsewhere"), "bucket": twin.url().replace(BUCKET, "nowhere")}
    store = opened(twin, secret=change.get("secret", SECRET_KEY), url=urls.get(change.get("url", ""), ""))
    with pytest.raises(Unavailable, match=reason):
        store.check()
    assert twin.objects == {}


def test_a_clock_that_is_wrong_is_named(twin: S3Twin, store: S3Store) -> None:
    twin.faults.skew_s = 3600
    with pytest.raises(Unavailable, match="clock"):
        store.check()


def test_a_request_changed_on_the_way_is_refused(twin: S3Twin, store: S3Store, key: str) -> None:
    """The signature holds the address, the headers and the digest of the body."""
    signed = Signer(ACCESS_KEY, SECRET_KEY, REGION)

    class Changing(Signer):
        def signed(self, method: str, path: str, *rest: object) -> dict[str, str]:  # type: ignore[override]
            return signed.signed(method, path + "0", *rest)  # type: ignore[arg-type]  # handed on as given

    store.line.signer = Changing(ACCESS_KEY, SECRET_KEY, REGION)
    with pytest.raises(Unavailable, match="secret key is not the right one"):
        put(store, key, b"x")
    assert twin.objects == {}


# What goes wrong


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_store_is_asked_again(twin: S3Twin, store: S3Store, key: str, status: int) -> None:
    twin.faults.busy_status = status
    for size in (10, LARGE):
        twin.faults.busy = 2
        put(store, key, b"x" * size)
        twin.faults.busy = 2
        assert content(store, key) == b"x" * size
    assert store.writing.state().failed == 0


@pytest.mark.parametrize("size", [10, LARGE])
def test_a_store_that_stays_busy_keeps_nothing_and_is_left_alone(twin: S3Twin, store: S3Store, size: int) -> None:
    twin.faults.busy = 10**6
    for _ in range(6):
        with pytest.raises(Unavailable):
            put(store, str(uuid4()), b"x" * size)
    asked = len(twin.calls)
    assert store.writing.state().breaker is BreakerState.OPEN
    with pytest.raises(Unavailable):
        put(store, str(uuid4()), b"x")
    assert len(twin.calls) == asked
    assert (twin.objects, twin.uploads) == ({}, {})


@pytest.mark.parametrize("size", [10, LARGE])
def test_an_answer_that_was_lost_is_asked_for_again(twin: S3Twin, store: S3Store, key: str, size: int) -> None:
    twin.faults.forgets_answer = 1
    put(store, key, b"x" * size)
    assert content(store, key) == b"x" * size


def test_the_end_of_an_upload_whose_answer_was_lost_is_looked_for(twin: S3Twin, store: S3Store, key: str) -> None:
    with store.sink(key) as sink:
        sink.write(b"x" * LARGE)
        real = store.line.ask

        def losing(deadline: Deadline, method: str, path: str, query: object = None, *rest: object) -> object:
            if query and "uploadId" in query and method == "POST":  # type: ignore[operator]
                twin.faults.forgets_answer = 1
            return real(deadline, method, path, query, *rest)  # type: ignore[arg-type]

        store.line.ask = losing  # type: ignore[method-assign, assignment]
        sink.write(b"y")
        sink.commit()
    assert twin.calls.count("POST uploadId") == 2
    assert len(content(store, key)) == LARGE + 1


def test_done_that_means_failed_is_asked_again(twin: S3Twin, store: S3Store, key: str) -> None:
    """The end of an upload answers 200 before it knows: the error is in what follows."""
    twin.faults.says_done_and_fails = 1
    put(store, key, b"x" * LARGE)
    assert content(store, key) == b"x" * LARGE
    twin.faults.says_done_and_fails = 10
    with pytest.raises(Unavailable):
        put(store, str(uuid4()), b"x" * LARGE)
    assert len(twin.objects) == 1
    assert twin.uploads == {}


def test_a_cut_answer_is_asked_for_again_and_never_given_as_whole(twin: S3Twin, store: S3Store, key: str) -> None:
    put(store, key, b"x" * LARGE)
    twin.faults.cut = 2
    assert content(store, key) == b"x" * LARGE
    twin.faults.cut = 10**6
    with pytest.raises(Unavailable):
        content(store, key)


def test_reading_goes_on_after_a_cut_in_the_middle(twin: S3Twin, store: S3Store, key: str) -> None:
    put(store, key, b"x" * LARGE)
    with store.open(key) as reader:
        reader.read(100)
        twin.faults.cut = 10**6
        reader.seek(PART_BYTES)
        with pytest.raises(Unavailable):
            reader.read(1)


def test_an_object_replaced_while_it_is_read_is_not_mixed_with_the_next(twin: S3Twin, store: S3Store, key: str) -> None:
    put(store, key, b"a" * LARGE)
    with store.open(key) as reader:
        reader.read(10)
        put(store, key, b"b" * LARGE)
        reader.seek(PART_BYTES)
        with pytest.raises(Unavailable):
            reader.read(1)


def test_a_store_that_ignores_ranges_is_refused_beyond_what_it_gives(twin: S3Twin, store: S3Store, key: str) -> None:
    twin.faults.knows_no_ranges = True
    put(store, key, b"x" * 1000)
    assert content(store, key) == b"x" * 1000


@contextmanager
def somebody_else(status: int, page: bytes) -> Iterator[S3Store]:
    """At the store's address, who answers everything: a network that asks who one is, a proxy without its store."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    line, _address = server.accept()
                except OSError:
                    return
                with line, suppress(OSError):
                    line.recv(65536)
                    head = f"HTTP/1.1 {status} Said\r\nContent-Length: {len(page)}\r\nConnection: close\r\n\r\n"
                    line.sendall(head.encode() + page)

        threading.Thread(target=answer, daemon=True).start()
        address = S3Address.of(f"s3+http://127.0.0.1:{server.getsockname()[1]}/{BUCKET}")
        store = S3Store(address, ACCESS_KEY, SECRET_KEY, timeout_seconds=5)
        store.line.pause = lambda _seconds: None
        yield store
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("status", "page"),
    [(200, b"<html><body>Welcome</body></html>"), (200, b""), (404, b"<html><body>No such page</body></html>")],
    ids=["a page", "nothing", "another's 404"],
)
def test_whoever_answers_in_place_of_the_store_is_not_believed(status: int, page: bytes, key: str) -> None:
    """Neither that a document is kept, nor what is in it, nor that it is gone, nor that there are none."""
    with somebody_else(status, page) as store:
        with pytest.raises(Unavailable):
            put(store, key, b"x" * 1000)
        with pytest.raises(Unavailable):
            store.open(key)
        with pytest.raises(Unavailable):
            list(store.keys())
        if status == 200:
            with pytest.raises(Unavailable):
                store.exists(key)


@pytest.mark.parametrize("length", [None, "5"])
def test_an_answer_that_does_not_say_its_length_is_not_taken_for_the_whole(length: str | None) -> None:
    headers = {"content-length": length} if length else {}
    with pytest.raises(Unavailable, match="how long"):
        s3._total(Answer(200, headers, b"half"), 0)
    assert s3._total(Answer(200, {"content-length": "4"}, b"half"), 0) == 4


@pytest.mark.parametrize("code", ["QuotaExceeded", "XMinioStorageFull", "InsufficientStorage"])
def test_a_full_store_is_told_as_such_and_still_read(twin: S3Twin, store: S3Store, key: str, code: str) -> None:
    put(store, key, b"kept")
    twin.faults.code = code
    with pytest.raises(StorageFull):
        put(store, str(uuid4()), b"x")
    twin.faults.code = ""
    assert content(store, key) == b"kept"


def test_a_slow_store_is_given_up_at_the_limit_of_the_door(twin: S3Twin, key: str) -> None:
    store = opened(twin, timeout_seconds=0.3)
    put(store, key, b"x")
    twin.faults.slow_s = 30
    began = time.monotonic()
    with pytest.raises(Unavailable, match="time limit"):
        store.open(key)
    assert time.monotonic() - began < 2


def test_an_answer_that_drips_is_given_up_at_the_limit_of_the_door(twin: S3Twin, key: str) -> None:
    store = opened(twin, timeout_seconds=0.4)
    put(store, key, b"x" * 1000)
    twin.faults.drips = True
    began = time.monotonic()
    with pytest.raises(Unavailable):
        store.open(key)
    assert time.monotonic() - began < 2


def test_a_store_that_is_away_is_unavailable_and_comes_back(key: str) -> None:
    with S3Twin() as twin:
        store, port = opened(twin), twin.server_address[1]
        put(store, key, b"x")
    with pytest.raises(Unavailable):
        store.exists(key)
    with S3Twin(port) as twin:
        put(store, key, b"x")
        assert store.exists(key)


def test_a_missing_object_is_lost_but_a_missing_bucket_is_not(twin: S3Twin, store: S3Store, key: str) -> None:
    put(store, key, b"x")
    twin.faults.lost = {f"hospital/{key}"}
    with pytest.raises(ObjectLost):
        store.open(key)
    elsewhere = opened(twin, url=twin.url().replace(BUCKET, "nowhere"))
    for attempt in (elsewhere.open, elsewhere.delete):
        with pytest.raises(Unavailable, match="bucket"):
            attempt(key)
    with pytest.raises(Unavailable, match="bucket"):
        list(elsewhere.keys())


def test_nothing_of_the_object_nor_of_the_keys_is_in_what_is_said(twin: S3Twin, store: S3Store, key: str) -> None:
    twin.faults.code = "AccessDenied"
    with pytest.raises(Unavailable) as caught:
        store.open(key)
    assert not re.search(f"{key}|{SECRET_KEY[:10]}|{ACCESS_KEY}|127", str(caught.value))
    assert SECRET_KEY[:10] not in repr(store.line)


def test_a_store_is_asked_to_prove_itself(twin: S3Twin, key: str) -> None:
    """TLS is asked for by default: a store that does not speak it gets neither signature nor body."""
    store = opened(twin, url=twin.url().replace("s3+http:", "s3:"))
    with pytest.raises(Unavailable):
        put(store, key, b"x")
    assert twin.calls == []
    made = Line(Place("s3.exemple.test", is_tls=True), Signer("", "", ""))._new(1.0)
    context = made._context  # type: ignore[attr-defined]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_many_threads_share_a_store(twin: S3Twin, store: S3Store) -> None:
    keys = [str(uuid4()) for _ in range(12)]

    def both(each: str) -> None:
        with suppress(Unavailable):
            put(store, each, each.encode() * 100)
            assert content(store, each) == each.encode() * 100

    threads = [threading.Thread(target=both, args=(each,)) for each in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(store.keys()) == set(keys)


# The address


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket",
        "s3://host/",
        "s3://user:password@host/bucket",
        "s3://host/BUCKET",
        "s3://host/bucket?secret=x",
        "s3://host/bucket/../other",
        "s3://host/bucket#x",
        "s3://host/bucket/a%20b",
    ],
)
def test_an_address_that_cannot_be_one_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(UnsupportedUrl, match="s3://host") as caught:
        connect(url)
    assert "password@" not in str(caught.value)


def test_an_address_says_where_and_how() -> None:
    address = S3Address.of("s3://s3.hopital.exemple:9000/files/parvis/?region=fr-1&ca=/etc/ssl/hospital.pem")
    assert address.place == Place("s3.hopital.exemple:9000", is_tls=True, ca="/etc/ssl/hospital.pem")
    assert (address.bucket, address.prefix, address.region) == ("files", "parvis/", "fr-1")
