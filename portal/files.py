"""A received file: sniffed, scanned, encrypted, stored, opened, expired.

Bytes are encrypted while they arrive (`Arriving`), so no plaintext touches the disk, and kept exactly as sent.
`receive` commits on its own: a form that fails afterwards does not lose the upload. An unattached file belongs to the
account that sent it and is deleted after a day; `attach` gives it to a patient, a hospital or a practitioner.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, BinaryIO
from uuid import UUID, uuid4

import structlog
from sqlalchemy import BigInteger, ForeignKey, LargeBinary, Select, select
from sqlalchemy.orm import Mapped, mapped_column

from portal import db, files_alarm, jobs, turns
from portal.config import Settings
from portal.db import Base, Keyed, session
from portal.file_crypto import CHUNK_SIZE, Encrypter, FileKeys, decrypt
from portal.file_sniffing import (
    OFFICE,
    FileEmpty,
    FileRefused,
    FileTypeRefused,
    Kind,
    PhotoFormatRefused,
    clean_name,
    sniff,
)
from portal.files_apart import sheets_of
from portal.gateways import Refused, Unavailable, antivirus, storage
from portal.gateways.storage import Store

log = structlog.get_logger(__name__)

MAX_BYTES = 25 * 1024 * 1024
KEEP_UNATTACHED = timedelta(hours=24)
_HEAD_BYTES = 8192
DOCUMENTS = frozenset({Kind.PDF, Kind.JPEG, Kind.PNG})
PHOTOGRAPHED = DOCUMENTS | {Kind.HEIC}
"""Where a copy is shown (`files_shown`): few computers open the HEIC of telephones."""


class FileTooLarge(FileRefused):
    """More bytes than the limit."""

    def __init__(self, limit: int = MAX_BYTES) -> None:
        super().__init__(f"over {limit} bytes")
        self.limit = limit


class FileInfected(FileRefused):
    """The scanner recognised something harmful."""


class FileNotReadable(Exception):
    """The file has not been scanned yet, or may not be opened."""


class StoredFile(Keyed, Base):
    """Facts about stored bytes. state: waiting (for the scanner) | clean | infected | erased (or about to be) |
    set_aside (sealed: nobody opens it).

    sheets: of a PDF. shown_state: of the copy that people see (`files_shown`): "" (none was asked for) | waiting |
    made | failed.
    """

    __tablename__ = "stored_file"

    storage_key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    establishment_id: Mapped[UUID | None] = mapped_column(ForeignKey("establishment.id"))
    staff_right: Mapped[str] = mapped_column(default="")
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"), index=True)
    professional_id: Mapped[UUID | None] = mapped_column(ForeignKey("professional.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    attached_at: Mapped[datetime | None]
    sheets: Mapped[int] = mapped_column(default=1, server_default="1")
    shown_state: Mapped[str] = mapped_column(default="", server_default="")
    shown_key: Mapped[str | None] = mapped_column(unique=True)
    shown_type: Mapped[str] = mapped_column(default="", server_default="")


@dataclass
class _Place:
    store: Any = None
    scanner: Any = None
    keys: FileKeys | None = None
    portal: str = ""


_place = _Place()


def configure(settings: Settings) -> None:
    """Connect the storage and the scanner named by the environment."""
    _place.store = storage.connect(settings.storage_url, *settings.storage_keys(), is_hurried=turns.is_hurried)
    _place.scanner = antivirus.connect(settings.antivirus_url)
    _place.keys = FileKeys.of(settings.file_key_ring())
    _place.portal = settings.base_url


def check_storage() -> None:
    """Raises Unavailable when the storage does not work."""
    _place.store.check()


def check_antivirus() -> None:
    """Raises Unavailable when the scanner does not answer."""
    _place.scanner.check()


@dataclass
class Arriving:
    """A file being uploaded: what is written to it is encrypted and stored at once. Reading gives the bytes back."""

    key: str = field(default_factory=lambda: str(uuid4()))
    size: int = 0
    head: bytes = b""
    sha256: bytes = b""
    limit: int = MAX_BYTES

    def __post_init__(self) -> None:
        assert _place.keys is not None, "files.configure was not called"
        self._reader: BinaryIO | None = None
        self._away: Unavailable | None = None
        self._open = True
        with self._noting_absence():
            self._sink = _place.store.sink(self.key)
            self._encrypter = Encrypter(self._sink.write, _place.keys, context=self.key.encode())

    def write(self, data: bytes) -> int:
        self.head += data[: _HEAD_BYTES - len(self.head)]
        self.size += len(data)
        if self.size <= self.limit and self._away is None:
            with self._noting_absence():
                self._encrypter.write(data)
        return len(data)

    @contextmanager
    def _noting_absence(self) -> Iterator[None]:
        """A storage that is away, or full, is told by `finish`: the rest of the form arrives, and can be kept."""
        try:
            yield
        except Unavailable as away:
            self._away = away

    def finish(self) -> None:
        """All bytes are here: make them durable. Raises FileTooLarge, FileEmpty, Unavailable."""
        if not self._open:
            return
        if self._away is not None:
            self.discard()
            raise self._away
        if self.size > self.limit or self.size == 0:
            self.discard()
            raise FileTooLarge(self.limit) if self.size else FileEmpty()
        self.sha256 = self._encrypter.finish().sha256
        self._sink.commit()
        self._open = False

    def discard(self) -> None:
        """Forget the bytes; safe to call twice and after `finish`."""
        if self._open:
            self._open = False
            if sink := getattr(self, "_sink", None):  # none when the storage was away from the start
                sink.abort()

    # Werkzeug's form parser treats an upload as a file: it writes, seeks to the start, and closes.

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0

    def tell(self) -> int:
        return self.size

    def read(self, size: int = -1) -> bytes:
        self.finish()
        if self._reader is None:
            self._reader = BytesIO(b"".join(_plaintext(self.key)))
        return self._reader.read(size)

    def close(self) -> None:
        self.discard()


def from_bytes(chunks: Iterable[bytes]) -> Arriving:
    """A file that came through a door or a command."""
    arriving = Arriving()
    for chunk in chunks:
        arriving.write(chunk)
    return arriving


def receive(arriving: Arriving, name: str, *, kinds: frozenset[Kind] = DOCUMENTS) -> StoredFile:
    """Check, scan and register an upload, in a transaction of its own, as the current actor's unattached file.

    Raises FileRefused (empty, too large, refused or lying type, damaged, locked, infected): nothing is kept then.
    When the scanner is down, or slow, the file waits for it, unreadable, and a job scans it later.
    """
    return register([inspect(arriving, name, kinds=kinds)])[0]


def inspect(arriving: Arriving, name: str, *, kinds: frozenset[Kind] = DOCUMENTS) -> StoredFile:
    """Check and scan an upload: the first half of `receive`, to be registered or discarded. Raises FileRefused."""
    actor = db.current_actor()
    arriving.finish()
    try:
        kind = _kind_of(arriving, name, kinds)
        # Parsers need the file whole: the scanner is given the same bytes, read and opened once.
        whole = b"".join(_plaintext(arriving.key)) if kind in PHOTOGRAPHED | OFFICE else None
        sheets = 1 if whole is None else sheets_of(kind, whole)
        state = _scan(_plaintext(arriving.key) if whole is None else _slices(whole))
    except BaseException:  # refused, or a parser that broke on it: nothing is kept either way
        _place.store.delete(arriving.key)
        raise
    return StoredFile(
        id=uuid4(),
        storage_key=arriving.key,
        name=clean_name(name),
        media_type=kind.media_type,
        size=arriving.size,
        sha256=arriving.sha256,
        state=state,
        sheets=sheets,
        account_id=actor.account_id,
    )


def register(inspected: Sequence[StoredFile]) -> Sequence[StoredFile]:
    """Write down files that were inspected, all in one transaction of their own: the second half of `receive`."""
    with db.transaction(db.current_actor()) as own:
        own.add_all(inspected)
        for stored in inspected:
            if stored.state == "waiting":
                jobs.enqueue("files.scan", file_id=str(stored.id))
        own.flush()
        for stored in inspected:
            own.expunge(stored)
    return inspected


def read_set_aside(stored: StoredFile) -> bytes:
    """The bytes of a file that nobody may open, to look at them anew. Raises FileNotReadable when it is infected."""
    if stored.state not in ("set_aside", "clean", "waiting"):
        raise FileNotReadable(stored.id)
    return b"".join(_plaintext(stored.storage_key))


def attach(
    file_id: UUID,
    *,
    patient_id: UUID | None = None,
    establishment_id: UUID | None = None,
    staff_right: str = "",
    professional_id: UUID | None = None,
) -> StoredFile:
    """Give an unattached file of the current actor to those it is for. Raises FileNotReadable.

    staff_right: which right at the establishment opens it.
    """
    stored = session.scalar(_unattached(file_id).with_for_update(key_share=True))
    if stored is None:
        raise FileNotReadable(file_id)
    stored.patient_id, stored.professional_id = patient_id, professional_id
    stored.establishment_id, stored.staff_right = establishment_id, staff_right
    stored.attached_at = db.now()
    session.flush()
    return stored


def keep(arriving: Arriving, name: str, media_type: str, *, account_id: UUID) -> StoredFile:
    """Register a file that the portal made itself, for one account: it is no upload, so nothing is left to check."""
    stored = StoredFile(
        id=uuid4(), storage_key=arriving.key, name=name, media_type=media_type, size=arriving.size,
        sha256=arriving.sha256, state="clean", account_id=account_id, attached_at=db.now(),
    )  # fmt: skip
    session.add(stored)
    session.flush()
    return stored


def discard(storage_key: str) -> None:
    """Delete stored bytes that no row needs any more; safe to call twice."""
    _place.store.delete(storage_key)


def is_stored(storage_key: str) -> bool:
    """Whether the storage has these bytes. Raises Unavailable."""
    return bool(_place.store.exists(storage_key))


def place() -> tuple[Store, str]:
    """The storage itself, for whoever looks after all of it, and the address of the portal that it serves."""
    return _place.store, _place.portal


def unattached(file_id: UUID) -> StoredFile | None:
    """The current actor's own upload that no form has taken yet."""
    return session.scalar(_unattached(file_id))


def _unattached(file_id: UUID) -> Select[StoredFile]:
    actor = db.current_actor()
    query = select(StoredFile).where(StoredFile.id == file_id, StoredFile.attached_at.is_(None))
    return query if actor.kind == "system" else query.where(StoredFile.account_id == actor.account_id)


def open_(stored: StoredFile) -> Iterator[bytes]:
    """The original bytes. Raises FileNotReadable unless the scanner accepted them."""
    if stored.state != "clean":
        raise FileNotReadable(stored.id)
    return _plaintext(stored.storage_key)


def open_shown(stored: StoredFile) -> Iterator[bytes]:
    """The bytes of the copy that people see. Raises FileNotReadable unless it was made (`files_shown`)."""
    if stored.state != "clean" or stored.shown_key is None:
        raise FileNotReadable(stored.id)
    return _plaintext(stored.shown_key)


def _plaintext(key: str) -> Iterator[bytes]:
    """Raises ObjectLost, FileTampered, which are told to the audit; Unavailable."""
    with files_alarm.alarming(key):
        yield from sealed_pieces(key)


def sealed_pieces(key: str) -> Generator[bytes, None, None]:
    """What is sealed under a key, whatever rows say of it. Raises FileCryptoError, ObjectLost, Unavailable."""
    assert _place.keys is not None, "files.configure was not called"
    with closing(_place.store.open(key)) as reader:
        yield from decrypt(reader, _place.keys, context=key.encode())


def _kind_of(arriving: Arriving, name: str, kinds: frozenset[Kind]) -> Kind:
    kind = sniff(arriving.head, name)
    if kind not in kinds:
        raise PhotoFormatRefused(kind) if kind is Kind.HEIC else FileTypeRefused(kind)
    return kind


def _slices(whole: bytes) -> Iterator[bytes]:
    return (whole[at : at + CHUNK_SIZE] for at in range(0, len(whole), CHUNK_SIZE))


def _scan(chunks: Iterable[bytes]) -> str:
    try:
        verdict = turns.of_scanner.call(_place.scanner.scan, chunks)
    except Unavailable:
        log.warning("files.scanner_unavailable")
        return "waiting"
    except Refused as refused:  # clamd's StreamMaxLength is below our limit: the operator must raise it
        log.error("files.scanner_refused", code=refused.code)
        return "waiting"
    if not verdict.clean:
        files_alarm.virus_found()
        raise FileInfected(verdict.signature)
    return "clean"


@jobs.task("files.scan")
def scan_later(file_id: str) -> None:
    """Scan a file that arrived while the scanner was down."""
    with jobs.reading() as current:
        key = current.scalar(select(StoredFile.storage_key).where(StoredFile.id == UUID(file_id)))
    if key is None:
        return
    verdict = _place.scanner.scan(_plaintext(key))
    with jobs.effect() as current:
        stored = current.get(StoredFile, UUID(file_id), with_for_update={"key_share": True})
        if stored is not None and (stored.state == "waiting" or not verdict.clean):
            stored.state = "clean" if verdict.clean else "infected"
            jobs.enqueue("files.show" if verdict.clean else "files.quarantine", file_id=file_id)


@jobs.periodic("41 * * * *", "files.forget_unattached")
def forget_unattached() -> None:
    """Delete uploads that no form took within a day."""
    with jobs.reading() as current:
        # Locked: a form that takes one at this very moment keeps it.
        old = current.scalars(
            select(StoredFile)
            .where(StoredFile.attached_at.is_(None), StoredFile.created_at < db.now() - KEEP_UNATTACHED)
            .with_for_update(skip_locked=True, key_share=True)
        ).all()
        for stored in old:
            current.delete(stored)
    for stored in old:
        _place.store.delete(stored.storage_key)
    _place.store.sweep(KEEP_UNATTACHED.total_seconds())
