"""What a place for bytes does: whole objects under generated keys, written once, atomically."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

from portal.gateways import Refused, Unavailable

# Keys are generated (UUIDs, possibly in folders). No dot, so no "..", and no name that a person typed.
_KEY = re.compile(r"[a-z0-9-]{1,64}(/[a-z0-9-]{1,64}){0,4}", re.ASCII)


class StorageFull(Unavailable):
    """No room left: nothing was kept of this object."""


class ObjectLost(Refused):
    """No object has this key."""

    def __init__(self) -> None:
        super().__init__("lost", "no object has this key")


class Sink(AbstractContextManager["Sink"], Protocol):
    """An object being written: nobody sees it before `commit`. Leaving the context without commit aborts it."""

    def write(self, data: bytes) -> int:
        """Append; returns how many bytes were taken: all of them. Raises `StorageFull`, `Unavailable`."""

    def commit(self) -> None:
        """Make the object durable and visible, whole. Raises `StorageFull`, `Unavailable`: nothing is kept."""

    def abort(self) -> None:
        """Forget what was written. Safe to call twice, and after `commit`, which it does not undo."""


class Store(Protocol):
    """A place where objects are kept under a key. Every method but `keys` raises `ValueError` for a key not of ours."""

    def sink(self, key: str) -> Sink:
        """Start writing an object; `commit` replaces the one of that key, if any. Raises as `Sink.write`."""

    def open(self, key: str) -> BinaryIO:
        """A reader of the whole object, that can seek; to be closed. Raises `ObjectLost`, `Unavailable`."""

    def exists(self, key: str) -> bool:
        """Whether an object has this key. Raises `Unavailable`."""

    def delete(self, key: str) -> None:
        """Remove the object if there is one. Raises `Unavailable`."""

    def keys(self, older_than_seconds: float = 0) -> Iterator[str]:
        """Every key, in no order, while others may write. older_than_seconds: only of objects written before that, by
        the store's account (a moment it does not tell is never old). Raises `Unavailable`."""

    def sweep(self, older_than_seconds: float) -> int:
        """Remove what writers killed before `commit` left behind; returns how many. Raises `Unavailable`."""

    def check(self) -> None:
        """Return if an object can be written, read and removed; raise `Unavailable` if not."""


def checked(key: str) -> str:
    """The key, if it is one we could have generated. Raises `ValueError`: a path from outside is a bug of ours."""
    if not _KEY.fullmatch(key):
        raise ValueError("a storage key is made of lower-case letters, digits and dashes")
    return key


def probe(store: Store, key: str) -> None:
    """Write, read and remove one small object. Raises `Unavailable`."""
    with store.sink(key) as sink:
        sink.write(b"parvis")
        sink.commit()
    try:
        with store.open(key) as reader:
            if reader.read() != b"parvis":
                raise Unavailable("the storage does not give back what was written")
    except ObjectLost:
        raise Unavailable("the storage loses what was written") from None
    finally:
        store.delete(key)
