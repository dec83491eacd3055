"""The folder where lists of the day wait for the night when the portal is away: one folder a hospital, one folder a
writing, one PDF a unit. A writing is there whole or not at all. No name holds anything of a person.
"""

import errno
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from portal.gateways import Unavailable

_NAME: Final = re.compile(r"\d{4}-\d\d-\d\d-\d\dh\d\dm\d\d[+-]\d{4}")
"""Of a writing, on the hospital's clock with its distance to UTC: the hour that comes twice in autumn has two names."""
_FORMAT: Final = "%Y-%m-%d-%Hh%Mm%S%z"
_PARTIAL: Final = ".being-written-"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9-]+")
_FILE_MODE, _FOLDER_MODE = 0o640, 0o750


@dataclass(frozen=True)
class Folder:
    """Where one hospital's lists are. keep: how long a writing stays there."""

    path: Path
    keep: timedelta

    def write(self, sheets: Mapping[str, bytes], at: datetime) -> None:
        """Put a writing there: every sheet flushed to the disk, then all shown at once. sheets: unit's code → its PDF.
        at: on the hospital's clock. Raises Unavailable when the place does not take it."""
        try:
            self._write(sheets, self.path / at.strftime(_FORMAT))
        except OSError as error:
            raise Unavailable(f"printed lists: {error.strerror or type(error).__name__}") from error

    def _write(self, sheets: Mapping[str, bytes], final: Path) -> None:
        _make_folder(self.path)
        partial = self.path / f"{_PARTIAL}{final.name}"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=_FOLDER_MODE)  # never a link that somebody put there: it would lead elsewhere
        try:
            partial.chmod(_FOLDER_MODE)
            for name, content in _named(sheets):
                _write_file(partial / name, content)
            _settle(partial)
            if final.exists():  # twice in the same second
                shutil.rmtree(final)
            partial.rename(final)
        except OSError:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        _settle(self.path)

    def forget(self, now: datetime, *, even_the_last: bool = False) -> int:
        """Erase writings that are too old, but not the last one unless asked, and what a writing that was cut left; how
        many went. Nothing but our own folders is touched. Raises Unavailable."""
        there = list(self.writings())
        too_old = [path for at, path in (there if even_the_last else there[:-1]) if at < now - self.keep]
        cut = [each for each in self._folders() if each.name.startswith(_PARTIAL) and _age(each, now) > self.keep / 2]
        try:
            for path in (*too_old, *cut):
                shutil.rmtree(path)
        except OSError as error:
            raise Unavailable(f"printed lists: {error.strerror or type(error).__name__}") from error
        return len(too_old)

    def writings(self) -> Iterator[tuple[datetime, Path]]:
        """Those that are there, the oldest first."""
        found: list[tuple[datetime, Path]] = []
        for each in self._folders():
            with suppress(ValueError):  # a day or an hour that is none: it is not ours
                if _NAME.fullmatch(each.name):
                    found.append((datetime.strptime(each.name, _FORMAT), each))  # noqa: DTZ007 - it has %z
        yield from sorted(found)

    def _folders(self) -> list[Path]:
        with suppress(OSError):
            return [each for each in self.path.iterdir() if each.is_dir() and not each.is_symlink()]
        return []


def trouble(place: Path) -> str:
    """What keeps lists from being written there, "" when nothing does."""
    if not place.is_dir():
        return "no folder is there (is the other machine mounted?)"
    probe = place / f"{_PARTIAL}{os.getpid()}"
    try:
        _write_file(probe, b"")
    except OSError as error:
        return f"nothing can be written there ({error.strerror})"
    with suppress(OSError):
        probe.unlink()
    return ""


def survives(place: Path, storage: Path) -> bool:
    """Whether it is on another disk than the system and the portal's own files, as far as this machine can tell."""
    with suppress(OSError):
        mine = place.stat().st_dev
        others = [each.stat().st_dev for each in (Path("/"), storage) if each.exists()]
        return mine not in others
    return False


def _named(sheets: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Each sheet under a name of its own, also where capitals count for nothing: none takes another's place."""
    taken: set[str] = set()
    for code, content in sheets.items():
        name = _UNSAFE.sub("-", code) or "-"
        while name.lower() in taken:
            name += "-"
        taken.add(name.lower())
        yield f"{name}.pdf", content


def _age(path: Path, now: datetime) -> timedelta:
    with suppress(OSError):
        return now - datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return timedelta(0)


def _make_folder(path: Path) -> None:
    # The place itself is never made: a mount that is missing would be written under.
    if not path.exists():
        path.mkdir(mode=_FOLDER_MODE)
        path.chmod(_FOLDER_MODE)


def _write_file(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, _FILE_MODE)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(file.fileno(), _FILE_MODE)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _settle(folder: Path) -> None:
    """Have the names of a folder on its disk too; some network folders cannot be asked to."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)
