"""Every object of one store into another, while the portal runs: what is there already is left, what is copied is read
back. Objects are written once and never changed, so a run that was stopped goes on where it was."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from portal.gateways import Unavailable
from portal.gateways.storage.contract import ObjectLost, Store

_PIECE = 1024 * 1024
Outcome = Literal["copied", "there", "gone", "differs", "removed"]


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one object. gone: erased in the first store meanwhile, so in the second too; there: it was there
    before (compared when that was asked); differs: it is not the same there, and was left. size: bytes copied."""

    key: str
    outcome: Outcome
    size: int = 0


def copy(source: Store, target: Store, *, compare: bool = False, remove: bool = False) -> Iterator[Step]:
    """Copy, one step an object. compare: read also what was there before, on both sides. remove: at the end, delete
    from the target what the source does not have; never when people already write to the target.

    Raises `Unavailable`; what was copied stays.
    """
    holds_something = False
    for key in source.keys():  # noqa: SIM118  # a store is no mapping
        holds_something = True
        yield _one(source, target, key, compare=compare)
    if remove:
        if not holds_something:  # a folder that is not mounted, an address with a slip
            raise Unavailable("the storage copied from is empty: nothing is removed")
        for key in target.keys():  # noqa: SIM118
            if not source.exists(key):
                target.delete(key)
                yield Step(key, "removed")


def _one(source: Store, target: Store, key: str, *, compare: bool) -> Step:
    try:
        if target.exists(key):
            same = not compare or _digest(source, key) == _digest(target, key)
            return Step(key, "there" if same else "differs")
        size = _copied(source, target, key)
    except ObjectLost:
        return Step(key, "gone")
    if not source.exists(key):  # erased while it was copied: nobody would erase the copy
        target.delete(key)
        return Step(key, "gone")
    return Step(key, "copied", size)


def _copied(source: Store, target: Store, key: str) -> int:
    """How many bytes. Raises `ObjectLost` when the source has it no more, `Unavailable`."""
    digest, size = hashlib.sha256(), 0
    with source.open(key) as reader, target.sink(key) as sink:
        while piece := reader.read(_PIECE):
            digest.update(piece)
            size += sink.write(piece)
        sink.commit()
    try:
        if _digest(target, key) == digest.digest():
            return size
    except ObjectLost:
        raise Unavailable("the storage copied to loses what was written") from None
    target.delete(key)
    raise Unavailable("the storage copied to does not give back what was written")


def _digest(store: Store, key: str) -> bytes:
    digest = hashlib.sha256()
    with store.open(key) as reader:
        while piece := reader.read(_PIECE):
            digest.update(piece)
    return digest.digest()
