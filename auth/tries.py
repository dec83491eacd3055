"""How often one may be wrong: tight for one account, generous for one address range, since a whole hospital may sit
behind one address.

A try is counted before it is looked at, in a transaction of its own: tries made at the same time are all counted, and
a refused page forgets none. Keys are digests under the portal's secret: no table tells who came from where, even to
somebody who tries every address. Another secret begins to count anew.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import LargeBinary, case, delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from auth.identity import sealing
from portal import db, jobs
from portal.db import Base

KEEP = timedelta(days=1)
HOUR = timedelta(hours=1)


class FailedTries(Base):
    """How often a counter was spent since its window opened."""

    __tablename__ = "failed_tries"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failures: Mapped[int]
    first_at: Mapped[datetime]


class TooManyTries(Exception):
    """One must wait. until: when the next try is looked at."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


@dataclass(frozen=True)
class Counter:
    """What is counted: at most `limit` failures within `window`."""

    key: str
    limit: int
    window: timedelta

    @property
    def digest(self) -> bytes:
        return sealing.digest("tries", self.key)


def of_account(account_id: UUID, what: str, limit: int = 5, window: timedelta = timedelta(minutes=10)) -> Counter:
    """What one account may get wrong."""
    return Counter(f"account {account_id} {what}", limit, window)


def of_name(name: str, what: str, limit: int = 5, window: timedelta = timedelta(minutes=10)) -> Counter:
    """What may be got wrong under one name, whether or not anybody has it."""
    return Counter(f"name {name} {what}", limit, window)


def of_range(address: str, what: str, limit: int = 200, window: timedelta = timedelta(minutes=10)) -> Counter:
    """What a whole address range (/24, /64) may get wrong."""
    return Counter(f"range {address_range(address)} {what}", limit, window)


def address_range(address: str) -> str:
    """The network that one visitor, or one hospital, comes from: /24 (IPv4), /64 (IPv6); "" for no address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return str(ipaddress.ip_network((parsed, 24 if parsed.version == 4 else 64), strict=False))


def spend(*counters: Counter) -> None:
    """Count a try about to be made, and commit it. Raises TooManyTries: then the try must not be looked at."""
    with db.transaction(db.system("auth.tries")):
        waits = [until for counter in sorted(counters, key=lambda each: each.digest) if (until := _spend(counter))]
    if waits:
        raise TooManyTries(max(waits))


def succeed(account: Counter, *ranges: Counter) -> None:
    """The try was good: the account starts again from nothing, and the ranges get this one back."""
    given_back = {"failures": func.greatest(FailedTries.failures - 1, 0)}
    with db.transaction(db.system("auth.tries")) as current:
        # In the order in which tries are spent: two sign-ins at one moment must not wait for each other in a circle.
        for counter in sorted((account, *ranges), key=lambda each: each.digest):
            row = FailedTries.digest == counter.digest
            current.execute(
                delete(FailedTries).where(row)
                if counter is account
                else update(FailedTries).where(row).values(given_back)
            )


def _spend(counter: Counter) -> datetime | None:
    """The moment to wait for, None while the counter is not exhausted."""
    now = db.now()
    is_over = FailedTries.first_at < now - counter.window
    row = insert(FailedTries).values(digest=counter.digest, failures=1, first_at=now)
    counted = row.on_conflict_do_update(
        index_elements=["digest"],
        set_={
            "failures": case((is_over, 1), else_=FailedTries.failures + 1),
            "first_at": case((is_over, now), else_=FailedTries.first_at),
        },
    ).returning(FailedTries.failures, FailedTries.first_at)
    failures, first_at = db.session.execute(counted).one()
    return first_at + counter.window if failures > counter.limit else None


@jobs.periodic("47 * * * *", "auth.forget_tries")
def forget() -> None:
    """Delete counters that no window needs any more."""
    with jobs.reading() as current:
        current.execute(delete(FailedTries).where(FailedTries.first_at < db.now() - KEEP))
