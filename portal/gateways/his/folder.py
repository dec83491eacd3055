"""A hospital system behind a folder that both sides read: ours writes to `out/`, theirs to `in/`.

A file appears whole: it is written under a name that begins with a dot, then renamed; so does a folder of files, whose
`ready` says that all of it is there. What we have read moves to `done/` or `refused/`, with our acknowledgement beside
it (`.ack`).
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.gateways import Refused, Unavailable
from portal.gateways.door import Door
from portal.gateways.his.contract import Dropped, Parcel
from portal.gateways.his.hl7v2 import Acknowledgement, limit_for

_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
_FILE = re.compile(r"(?!\.)[A-Za-z0-9_.-]{1,120}")
READY = "ready"
_AT_ONCE = 200
_HEAD = 1000  # enough for the header, which says what the message is


class FolderSystem:
    """`HospitalSystem` that takes what is written down for delivered: nobody answers in a folder."""

    def __init__(self, path: Path, label: str = "") -> None:
        self.door = Door(f"his.folder {label}".strip())
        self._path = path

    def send(self, message: bytes, control_id: str) -> Acknowledgement:
        """See `HospitalSystem.send`; the same control id writes the same file."""
        with self.door.passage("send"), self._reached():
            if not _NAME.fullmatch(control_id):
                raise Refused("control_id", "not the name of a file")
            self._write(self._path / "out", f"{control_id}.hl7", message)
        return Acknowledgement("AA", control_id)

    def put(self, parcel: Parcel) -> Acknowledgement:
        """See `HospitalSystem.put`: a folder in `out/`, which replaces the one of the same name."""
        with self.door.passage("put"), self._reached():
            if not _NAME.fullmatch(parcel.name):
                raise Refused("name", "not the name of a folder")
            place = self._path / "out"
            unfinished, former = place / f".{parcel.name}.part", place / f".{parcel.name}.old"
            for each in (unfinished, former):
                shutil.rmtree(each, ignore_errors=True)
            unfinished.mkdir(parents=True)
            for name, content in parcel.files:
                _fill(unfinished, name, content)
            (unfinished / READY).write_bytes(b"")
            if (place / parcel.name).exists():
                os.replace(place / parcel.name, former)
            os.replace(unfinished, place / parcel.name)
            shutil.rmtree(former, ignore_errors=True)
        return Acknowledgement("AA", parcel.name)

    def dropped(self) -> Iterable[Dropped]:
        """See `HospitalSystem.dropped`: by name, then, so that a system numbers its files."""
        with self.door.passage("collect"), self._reached():
            place = self._path / "in"
            place.mkdir(parents=True, exist_ok=True)
            names = sorted(each.name for each in place.iterdir() if _is_message(each))
        return self._each(names[:_AT_ONCE])

    def _each(self, names: Iterable[str]) -> Iterator[Dropped]:
        """One at a time: two hundred scanned documents do not fit in memory."""
        for name in names:
            with self._reached():
                # One byte too many is enough to be refused, however large the file.
                body = _beginning(self._path / "in" / name)
            yield Dropped(name, body)

    def settle(self, name: str, answer: bytes, *, accepted: bool) -> None:
        """See `HospitalSystem.settle`."""
        with self.door.passage("settle"), self._reached():
            place = self._path / ("done" if accepted else "refused")
            self._write(place, f"{name}.ack", answer)
            source = self._path / "in" / name
            if source.exists():
                os.replace(source, place / name)

    def check(self) -> None:
        """See `HospitalSystem.check`: the folder can be written in."""
        with self.door.passage("check"), self._reached():
            self._write(self._path, ".checked", b"")

    def _write(self, place: Path, name: str, content: bytes) -> None:
        place.mkdir(parents=True, exist_ok=True)
        unfinished = place / f".{name}.part"
        unfinished.write_bytes(content)
        os.replace(unfinished, place / name)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            raise Unavailable("the folder cannot be read or written") from None


def _fill(place: Path, name: str, content: Iterable[bytes]) -> None:
    if not _FILE.fullmatch(name) or name == READY:
        raise Refused("name", "not the name of a file")
    with (place / name).open("xb") as file:
        file.writelines(content)


def _is_message(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and not path.name.startswith(".")


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(_HEAD)
        return head + file.read(limit_for(head) + 1 - len(head))
