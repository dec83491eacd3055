"""Stored bytes that no row mentions leave the store; nothing else does, whatever else the store holds."""

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from io import BytesIO
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import select, text
from structlog.testing import capture_logs

from portal import audit, db, files, files_orphans, jobs, logs
from portal.audit import AuditEvent
from portal.config import Settings
from portal.file_crypto import Encrypter, FileKeys
from portal.files import Arriving, StoredFile
from portal.gateways import Unavailable
from tests.factories import people
from tests.gateways.s3_twin import ACCESS_KEY, SECRET_KEY, S3Twin
from tests.ground import prepared, rows

Logged = Callable[[str], Sequence[MutableMapping[str, object]]]


class Ground:
    """An S3 store with a file that has its row, and what it holds besides. ours: the mark of this portal."""

    def __init__(self, twin: S3Twin, work_jobs: Callable[[], None], base_url: str) -> None:
        self.twin, self._work = twin, work_jobs
        with db.transaction(db.system("tests")) as current:
            cluster = current.scalar(text("select system_identifier from pg_control_system()"))
        self.ours = f"{base_url} {cluster}"
        self.mark(self.ours)

    def mark(self, whose: str) -> None:
        self.twin.objects[f"hospital/{files_orphans.MARK}"] = whose.encode()

    def marked(self) -> str:
        return self.twin.objects[f"hospital/{files_orphans.MARK}"].decode()

    def store(self) -> str:
        """Bytes without a row."""
        arriving = files.from_bytes([b"of somebody whose process died"])
        arriving.finish()
        return arriving.key

    def attached(self) -> str:
        """Bytes with their row."""
        account, _patient = people.patient_with_account()
        arriving = files.from_bytes([b"of somebody"])
        arriving.finish()
        return files.keep(arriving, "a.pdf", "application/pdf", account_id=account.id).storage_key

    def age(self, *keys: str) -> None:
        for key in keys:
            self.twin.written[f"hospital/{key}"] -= files_orphans.OLD * 1.01

    def sweep(self) -> files_orphans.Swept:
        with prepared():
            jobs.enqueue("files.sweep_orphans", timestamp=0)
        self._work()
        with prepared():
            return files_orphans.last()

    def has(self, key: str) -> bool:
        return f"hospital/{key}" in self.twin.objects


@pytest.fixture
def ground(app: Flask, settings: Settings, work_jobs: Callable[[], None]) -> Iterator[Ground]:
    with S3Twin() as twin:
        keys = {"storage_access_key": SecretStr(ACCESS_KEY), "storage_secret_key": SecretStr(SECRET_KEY)}
        files.configure(settings.model_copy(update={"storage_url": twin.url(), **keys}))
        yield Ground(twin, work_jobs, settings.base_url)
    files.configure(settings)


@pytest.fixture
def logged(settings: Settings) -> Iterator[Logged]:
    """What was logged under a name, as production hears it."""
    logs.configure(settings.model_copy(update={"log_level": "INFO"}))
    with capture_logs() as every:
        yield lambda event: [each for each in every if each["event"] == event]
    logs.configure(settings)


def test_what_no_row_mentions_is_removed_after_a_week(ground: Ground) -> None:
    with prepared():
        kept, orphan, young = ground.attached(), ground.store(), ground.store()
    ground.age(kept, orphan)
    assert ground.sweep() == files_orphans.Swept(files=2, orphans=1, removed=1)
    assert [ground.has(each) for each in (kept, orphan, young)] == [True, False, True]
    with prepared():
        assert files.is_stored(kept)
    assert [each.details for each in rows(AuditEvent) if each.action == "storage.swept"] == [
        {"files": 2, "orphans": 1, "removed": 1}
    ]


def test_a_copy_that_is_shown_has_its_row(ground: Ground) -> None:
    with prepared():
        kept, copy = ground.attached(), ground.store()
        db.session.scalars(select(StoredFile)).one().shown_key = copy
    ground.age(kept, copy)
    assert ground.sweep().orphans == 0
    assert ground.has(copy)


def test_an_object_whose_answer_was_lost_is_one(ground: Ground) -> None:
    """The store has it, and said so to nobody: the portal gave the upload up."""
    with prepared():
        kept = ground.attached()
    arriving = Arriving()
    arriving.write(b"%PDF")
    ground.twin.faults.forgets_answer = 9
    with pytest.raises(Unavailable):
        arriving.finish()
    ground.twin.faults.forgets_answer = 0
    assert ground.has(arriving.key)
    ground.age(kept, arriving.key)
    assert ground.sweep().removed == 1
    assert not ground.has(arriving.key)


@pytest.mark.parametrize("kind", ["a name of others", "bytes of others", "keys of others", "a name that was exchanged"])
def test_what_is_not_ours_is_never_touched(ground: Ground, kind: str) -> None:
    """A bucket may be shared, with another portal even."""
    key, sealed_as = ("invoices/2026" if kind == "a name of others" else str(uuid4())), str(uuid4())
    with prepared():
        kept = ground.attached()
    if kind in ("a name of others", "bytes of others"):
        ground.twin.objects[f"hospital/{key}"] = b"PRV\x01" + b"of others" * 100
    else:
        out, ours = BytesIO(), kind == "a name that was exchanged"
        ring = FileKeys("test", {"test": b"0" * 32 if ours else b"1" * 32})
        encrypter = Encrypter(out.write, ring, context=(sealed_as if ours else key).encode())
        encrypter.write(b"of others")
        encrypter.finish()
        ground.twin.objects[f"hospital/{key}"] = out.getvalue()
    ground.age(kept, key)
    assert ground.sweep().removed == 0
    assert ground.has(key)


def test_many_at_once_are_left_and_told(ground: Ground, client: FlaskClient) -> None:
    """A database that was put back to an earlier day, or another portal's store."""
    with prepared():
        kept, many = ground.attached(), [ground.store() for _ in range(files_orphans.FEW + 1)]
    ground.age(kept, *many)
    assert ground.sweep().left == len(many)
    assert all(map(ground.has, many))
    assert f"parvis_storage_orphans_left {len(many)}.0" in client.get("/status/metrics").text


def test_a_store_of_which_no_row_mentions_anything_is_another_ones(ground: Ground) -> None:
    alone = ground.store()
    ground.age(alone)
    assert ground.sweep() == files_orphans.Swept(files=1, orphans=1, removed=0)
    assert ground.has(alone)


class TestTheMark:
    """A copy of production, with its bucket and its keys, takes a day of production's files for orphans each night."""

    def test_is_of_whoever_swept_first_and_removes_from_the_next_night_on(self, ground: Ground) -> None:
        with prepared():
            kept, orphan = ground.attached(), ground.store()
        ground.age(kept, orphan)
        del ground.twin.objects[f"hospital/{files_orphans.MARK}"]
        assert ground.sweep() == files_orphans.Swept(files=2, orphans=1, removed=0)
        assert ground.marked() == ground.ours
        assert ground.sweep() == files_orphans.Swept(files=2, orphans=1, removed=1)
        assert [ground.has(each) for each in (kept, orphan, files_orphans.MARK)] == [True, False, True]

    @pytest.mark.parametrize("of", ["another address", "another cluster"])
    def test_of_another_keeps_everything_and_is_told(
        self, ground: Ground, client: FlaskClient, logged: Logged, of: str
    ) -> None:
        with prepared():
            kept, theirs = ground.attached(), ground.store()
        ground.age(kept, theirs)
        address, cluster = ground.ours.split()
        another = f"{address} 7" if of == "another cluster" else f"https://portail.exemple.fr {cluster}"
        ground.mark(another)
        assert ground.sweep() == files_orphans.Swept(files=2, orphans=1, removed=0)
        assert (ground.has(theirs), ground.marked()) == (True, another)
        assert {"mark": another, "here": ground.ours}.items() <= logged("storage.swept_by_another")[0].items()
        assert "parvis_storage_orphans_left 1.0" in client.get("/status/metrics").text

    def test_is_not_put_on_a_store_that_looks_like_another_ones(self, ground: Ground) -> None:
        with prepared():
            many = [ground.store() for _ in range(files_orphans.FEW + 1)]
            ground.age(ground.attached(), *many)
        del ground.twin.objects[f"hospital/{files_orphans.MARK}"]
        assert ground.sweep().left == len(many)
        assert not ground.has(files_orphans.MARK)


def test_a_few_every_night_are_not_few(ground: Ground) -> None:
    """What was removed in thirty days counts."""
    with prepared():
        audit.record(
            "storage.swept", object_kind="storage", object_id=files_orphans.SWEEP,
            files=100, orphans=files_orphans.FEW - 1, removed=files_orphans.FEW - 1,
        )  # fmt: skip
        kept, one, other = ground.attached(), ground.store(), ground.store()
    ground.age(kept, one)
    assert ground.sweep().removed == 1
    ground.age(other)
    assert ground.sweep() == files_orphans.Swept(files=2, orphans=1, removed=0)
    assert ground.has(other)


def test_a_store_that_goes_away_half_way_leaves_an_account_of_what_is_gone(ground: Ground, logged: Logged) -> None:
    with prepared():
        kept, orphans = ground.attached(), [ground.store() for _ in range(3)]
    ground.age(kept, *orphans)
    discard, gone = files.discard, list[str]()

    def once(key: str) -> None:
        if gone:
            raise Unavailable("the store went away")
        gone.append(key)
        discard(key)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "discard", once)
        assert ground.sweep() == files_orphans.Swept(files=4, orphans=3, removed=1)
    assert [each for each in orphans if not ground.has(each)] == gone
    assert [each["storage_key"] for each in logged("storage.removes_orphan")][:1] == gone
