"""A file of JSON lines that an agent of the machine ships (Filebeat, Vector, rsyslog's imfile)."""

import os
from collections.abc import Iterable
from pathlib import Path

from portal.gateways import OutcomeUnknown, Unavailable
from portal.gateways.door import Door
from portal.gateways.siem.contract import Entry


class FileCollector:
    """`Collector` that adds lines to one file, readable by its owner and group, and forces them to the disk."""

    def __init__(self, path: str) -> None:
        self.door = Door("siem.file")
        self.name = f"file:{path}"
        self._path = Path(path)

    def send(self, entries: Iterable[Entry]) -> int:
        """See `Collector.send`."""
        with self.door.passage("send"):
            descriptor, ends_a_line = self._opened(), self._ends_a_line()
            try:
                with os.fdopen(descriptor, "w", encoding="ascii") as file:
                    count = 0
                    if not ends_a_line:  # a full disk or a crash cut the last one: it is sent again, whole
                        file.write("\n")
                    for entry in entries:
                        file.write(entry.json + "\n")
                        count += 1
                    file.flush()
                    os.fsync(file.fileno())
            except OSError:
                raise OutcomeUnknown("the file could not be written to its end") from None
            return count

    def check(self) -> None:
        """See `Collector.check`."""
        with self.door.passage("check"):
            os.close(self._opened())

    def _ends_a_line(self) -> bool:
        """Also when it is empty, or is no file that can be read back (a pipe)."""
        try:
            with self._path.open("rb") as file:
                if file.seek(0, os.SEEK_END) == 0:
                    return True
                file.seek(-1, os.SEEK_END)
                return file.read(1) == b"\n"
        except OSError:
            return True

    def _opened(self) -> int:
        try:
            return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        except OSError:
            raise Unavailable("the file cannot be opened") from None
