"""A storage in memory that works, and can be told to fill up, lose or alter objects, or be down."""

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from types import TracebackType
from typing import BinaryIO
from uuid import uuid4

from portal.gateways import Unavailable
from portal.gateways.door import Door
from portal.gateways.storage.contract import ObjectLost, StorageFull, checked, probe


@dataclass
class StorageFaults:
    """What goes wrong from now on."""

    down: bool = False
    room_bytes: int | None = None  # StorageFull beyond; None = endless
    lost: set[str] = field(default_factory=set)  # keys that read as if they had never been
    altered: set[str] = field(default_factory=set)  # keys whose middle byte reads otherwise


class StorageTwin:
    """`Store` in the memory of this process."""

    def __init__(self) -> None:
        self.door = Door("storage.twin")
        self.faults = StorageFaults()
        self.objects: dict[str, bytes] = {}
        self.written: defaultdict[str, float] = defaultdict(time.time)

    def sink(self, key: str) -> "MemorySink":
        """See `Store.sink`."""
        checked(key)
        with self.door.passage("sink"):
            self.must_be_up()
            return MemorySink(self, key)

    def open(self, key: str) -> BinaryIO:
        """See `Store.open`."""
        checked(key)
        with self.door.passage("open"):
            self.must_be_up()
            if key in self.faults.lost or key not in self.objects:
                raise ObjectLost
            content = bytearray(self.objects[key])
            if key in self.faults.altered and content:
                content[len(content) // 2] ^= 1
            return BytesIO(content)

    def exists(self, key: str) -> bool:
        """See `Store.exists`."""
        checked(key)
        with self.door.passage("exists"):
            self.must_be_up()
            return key in self.objects and key not in self.faults.lost

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        checked(key)
        with self.door.passage("delete"):
            self.must_be_up()
            self.objects.pop(key, None)

    def keys(self, older_than_seconds: float = 0) -> Iterator[str]:
        """See `Store.keys`."""
        with self.door.passage("keys"):
            self.must_be_up()
            kept = [key for key in self.objects if key not in self.faults.lost]
            limit = time.time() - older_than_seconds
            return iter(kept if not older_than_seconds else [key for key in kept if self.written[key] < limit])

    def sweep(self, older_than_seconds: float) -> int:
        """See `Store.sweep`: a killed process takes its memory with it."""
        with self.door.passage("sweep"):
            self.must_be_up()
            return 0

    def check(self) -> None:
        """See `Store.check`."""
        probe(self, f"check/{uuid4()}")

    def must_be_up(self) -> None:
        if self.faults.down:
            raise Unavailable("the twin was told to be down")

    def must_have_room(self, more: int) -> None:
        self.must_be_up()
        room = self.faults.room_bytes
        if room is not None and sum(map(len, self.objects.values())) + more > room:
            raise StorageFull("the twin was told to be full")


class MemorySink:
    """`Sink` into the twin's memory."""

    def __init__(self, twin: StorageTwin, key: str) -> None:
        self._twin = twin
        self._key = key
        self._content: bytearray | None = bytearray()

    def write(self, data: bytes) -> int:
        """See `Sink.write`."""
        content = self._unfinished()
        self._twin.must_have_room(len(content) + len(data))
        content += data
        return len(data)

    def commit(self) -> None:
        """See `Sink.commit`."""
        content = self._unfinished()
        self._content = None
        with self._twin.door.passage("commit"):
            self._twin.must_have_room(len(content))
            self._twin.objects[self._key] = bytes(content)
            self._twin.written[self._key] = time.time()

    def abort(self) -> None:
        """See `Sink.abort`."""
        self._content = None

    def __enter__(self) -> "MemorySink":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()

    def _unfinished(self) -> bytearray:
        if self._content is None:
            raise ValueError("this object was already committed or aborted")
        return self._content
