"""Where limits on visits are counted when there is no Redis: in the database, so that every process and every machine
counts with the others. A counter's name is a digest under a key of the portal's secret: whoever holds a copy of the
table and tries every IPv4 address finds nobody.
"""

import time
from typing import Final

from limits.storage import Storage
from sqlalchemy import case, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from auth.identity import sealing
from auth.tries import FailedTries
from portal import db
from portal.config import Settings

_SYSTEM: Final = db.system("auth.rate_counters")
_NO_WAIT: Final = text("set local synchronous_commit = off")
"""A count lost with the machine lets somebody try once more; waiting for the disk would cost every visitor."""


class InTheDatabase(Storage):
    """Counters of the library `limits`, whose fixed windows begin with their first visit."""

    STORAGE_SCHEME = ["database"]

    @property
    def base_exceptions(self) -> type[Exception]:
        """What it raises when the database is away; visits are counted in memory then."""
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count a visit; how many there were in this window of `expiry` seconds."""
        is_over = FailedTries.first_at < func.now() - func.make_interval(0, 0, 0, 0, 0, 0, expiry)
        row = insert(FailedTries).values(digest=_digest(key), failures=amount, first_at=func.now())
        counted = row.on_conflict_do_update(
            index_elements=["digest"],
            set_={
                "failures": case((is_over, amount), else_=FailedTries.failures + amount),
                "first_at": case((is_over, func.now()), else_=FailedTries.first_at),
            },
        ).returning(FailedTries.failures)
        with db.transaction(_SYSTEM) as current:
            current.execute(_NO_WAIT)
            return int(current.execute(counted).scalar_one())

    def get(self, key: str) -> int:
        """How many visits there were."""
        with db.transaction(_SYSTEM) as current:
            return current.scalar(select(FailedTries.failures).where(FailedTries.digest == _digest(key))) or 0

    def get_expiry(self, key: str) -> float:
        """When its window began, or now (seconds of the epoch): how long it lasts is not kept."""
        with db.transaction(_SYSTEM) as current:
            began = current.scalar(select(FailedTries.first_at).where(FailedTries.digest == _digest(key)))
        return began.timestamp() if began else time.time()

    def check(self) -> bool:
        """Whether the database answers."""
        try:
            with db.transaction(_SYSTEM) as current:
                return bool(current.scalar(text("select true")))
        except SQLAlchemyError:
            return False

    def reset(self) -> int | None:
        """Refused, as `limits` foresees for stores that others use too: other counters are in the same table.

        Raises NotImplementedError, which Flask-Limiter tells in the log.
        """
        raise NotImplementedError

    def clear(self, key: str) -> None:
        """Forget one counter."""
        with db.transaction(_SYSTEM) as current:
            current.execute(delete(FailedTries).where(FailedTries.digest == _digest(key)))


def address(settings: Settings) -> str:
    """Where visits are counted, as `limits` writes it."""
    here = "memory://" if settings.read_only else f"{InTheDatabase.STORAGE_SCHEME[0]}://"
    return settings.redis_url.get_secret_value() or here


def _digest(key: str) -> bytes:
    return sealing.digest("visits", key)
