"""Objects as files of one folder of this machine (or of a network file system with atomic renames)."""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO
from uuid import uuid4

from portal.gateways import Unavailable
from portal.gateways.door import Door
from portal.gateways.storage.contract import ObjectLost, StorageFull, checked, probe

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_INCOMING = ".incoming"  # a dot is not allowed in keys, so no object can be there
_OBJECTS = "objects"


class FileStore:
    """`Store` over a folder, created at first use and closed to other users.

    Two doors: a full disk that is left alone for a while can still be read.
    """

    def __init__(self, root: Path) -> None:
        self.reading = Door("storage.file.reading")
        self.writing = Door("storage.file.writing")
        self._root = root.absolute()
        self._objects = self._root / _OBJECTS
        self._incoming = self._root / _INCOMING

    def sink(self, key: str) -> "FileSink":
        """See `Store.sink`."""
        final = self._path(key)
        with self.writing.passage("sink"), _as_facts():
            make_folder(self._incoming)
            return FileSink(self.writing, self._incoming / uuid4().hex, final)

    def open(self, key: str) -> BinaryIO:
        """See `Store.open`."""
        path = self._path(key)
        with self.reading.passage("open"), _as_facts():
            return path.open("rb")

    def exists(self, key: str) -> bool:
        """See `Store.exists`."""
        path = self._path(key)
        with self.reading.passage("exists"), _as_facts():
            try:
                path.stat()
            except (FileNotFoundError, NotADirectoryError):
                return False
            return True

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        path = self._path(key)
        with self.writing.passage("delete"), _as_facts(), suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
            sync_folder(path.parent)

    def keys(self, older_than_seconds: float = 0) -> Iterator[str]:
        """See `Store.keys`."""
        limit = time.time() - older_than_seconds if older_than_seconds else None
        with self.reading.passage("keys"), _as_facts():
            # Listing goes on while objects appear and vanish; a folder that vanished is simply empty.
            every = (Path(folder, name) for folder, _, names in os.walk(self._objects) for name in names)
            found = [path for path in every if limit is None or _written_before(path, limit)]
        return ((path.parent.parent / path.name).relative_to(self._objects).as_posix() for path in found)

    def sweep(self, older_than_seconds: float) -> int:
        """See `Store.sweep`."""
        limit = time.time() - older_than_seconds
        removed = 0
        with self.writing.passage("sweep"), _as_facts():
            for path in self._incoming.iterdir() if self._incoming.is_dir() else ():
                with suppress(FileNotFoundError):  # its writer has just ended
                    if path.stat().st_mtime < limit:
                        path.unlink()
                        removed += 1
        return removed

    def check(self) -> None:
        """See `Store.check`."""
        probe(self, f"check/{uuid4()}")

    def _path(self, key: str) -> Path:
        """Two characters of the name make a folder, so that none grows beyond what file systems like."""
        *folders, name = checked(key).split("/")
        return self._objects.joinpath(*folders, name[:2], name)


def _written_before(path: Path, limit: float) -> bool:
    try:
        return path.stat().st_mtime < limit
    except FileNotFoundError:  # erased since it was listed
        return False


class FileSink:
    """`Sink` into a temporary file beside the objects, renamed when complete."""

    def __init__(self, door: Door, temporary: Path, final: Path) -> None:
        self._door = door
        self._temporary = temporary
        self._final = final
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "wb")

    def write(self, data: bytes) -> int:
        """See `Sink.write`. Not a passage of its own: a file is thousands of writes."""
        with _as_facts():
            return self._file.write(data)

    def commit(self) -> None:
        """See `Sink.commit`. Bytes reach the disk before the name does, and the name before we say so."""
        if self._file.closed:
            raise ValueError("this object was already committed or aborted")
        try:
            with self._door.passage("commit"), _as_facts():
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                make_folder(self._final.parent)
                self._temporary.replace(self._final)
                sync_folder(self._final.parent)
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """See `Sink.abort`."""
        with suppress(OSError):  # closing flushes, which fails again on a full disk; the descriptor is freed anyway
            self._file.close()
        with suppress(OSError):
            self._temporary.unlink()

    def __enter__(self) -> "FileSink":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()


def make_folder(folder: Path) -> None:
    """Create what is missing of a path, each name durable in its parent: rename alone does not make it so."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Have the names of a folder on the disk too. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _as_facts() -> Iterator[None]:
    """What the file system says, as what a door says. Paths are left out of the text."""
    try:
        yield
    except FileNotFoundError:
        raise ObjectLost from None
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull("the storage is full") from None
        raise Unavailable(f"the storage fails ({errno.errorcode.get(error.errno or 0, 'unknown')})") from None
