"""Where backups are kept: names are paths without "..", written whole or not at all."""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from portal.backup import BackupError
from portal.gateways.storage.file import make_folder, sync_folder

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_INCOMING = ".incoming"
_DAY_S = 86_400


class FilePlace:
    """A folder, on a file system with atomic renames that the portal's own accounts cannot write to."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """A file that nobody sees before the block ends well; it replaces the one of that name. Raises BackupError."""
        final, temporary = self._root / name, self._root / _INCOMING / uuid4().hex
        with _in_words():
            make_folder(temporary.parent)
            try:
                with temporary.open("xb") as written:
                    yield written
                    written.flush()
                    os.fsync(written.fileno())
                make_folder(final.parent)
                temporary.replace(final)
                sync_folder(final.parent)
            finally:
                with suppress(OSError):
                    temporary.unlink()

    def reading(self, name: str) -> BinaryIO:
        """Raises BackupError when it is not there."""
        with _in_words():
            return (self._root / name).open("rb")

    def names(self, folder: str) -> list[str]:
        """What a folder holds, folders included, in order; nothing when there is no such folder."""
        try:
            return sorted(os.listdir(self._root / folder))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def size(self, name: str) -> int | None:
        """In bytes; None when it is not there."""
        try:
            return (self._root / name).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def rename(self, old: str, new: str) -> None:
        """A file or a whole folder, at once and durably."""
        with _in_words():
            make_folder((self._root / new).parent)
            (self._root / old).rename(self._root / new)
            sync_folder((self._root / new).parent)

    def remove(self, name: str) -> None:
        """A file or a folder, if there is one."""
        path = self._root / name
        with _in_words():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def sweep(self, beginning: str) -> None:
        """Remove what somebody who was killed left: folders whose name begins so, and what nobody wrote for a day."""
        for name in self.names(""):
            if name.startswith(beginning):
                self.remove(name)
        yesterday = time.time() - _DAY_S
        with _in_words():
            for name in self.names(_INCOMING):
                path = self._root / _INCOMING / name
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < yesterday:
                        path.unlink()

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Nobody else does this in this place meanwhile. Raises BackupError."""
        with _in_words():
            make_folder(self._root)
            held = (self._root / f".{what}.lock").open("w")
        with held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise BackupError(f"another “{what}” runs on this place: let it end") from None
            yield


def connect(url: str) -> FilePlace:
    """`file:PATH`. Raises BackupError."""
    scheme, _colon, path = url.partition(":")
    if scheme != "file" or not path.removeprefix("//"):
        raise BackupError("PORTAL_BACKUP_URL: file:PATH is needed")
    return FilePlace(Path(path.removeprefix("//")).absolute())


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise BackupError("the place of the backups is full: nothing was kept of this one") from error
        raise BackupError(f"the place of the backups fails: {error.strerror or error} ({error.filename})") from error
