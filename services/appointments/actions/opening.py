"""Whoever opens practitioners' time says so here, so that what is already taken of it is not offered."""

from collections.abc import Callable, Collection
from uuid import UUID

Watch = Callable[[Collection[UUID]], None]
_watches: list[Watch] = []


def when_opened(watch: Watch) -> None:
    """Call this, in the transaction that opens sessions or more of their cells, with the sessions' ids."""
    if watch not in _watches:
        _watches.append(watch)


def tell_opened(session_ids: Collection[UUID]) -> None:
    """These sessions, already written, are new or have more open cells than before."""
    for watch in _watches:
        watch(session_ids)
