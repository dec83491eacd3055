"""Who is to be told of what: found by looking for recent changes that nobody was told of.

There is no cursor: a change that is committed late, or that a restore brought back, is found all the same.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, select, text, update

from portal import audit, db
from portal.db import session
from portal.establishments import EstablishmentSetting
from portal.gateways import his
from services.exchanges import states, subjects
from services.exchanges.dialect import ADDRESS
from services.exchanges.models import Delivery, Follower

LEASE = timedelta(minutes=2)
AT_ONCE = 5000

_DUE = text("""
update follower f set lease = gen_random_uuid(), leased_until = :until
where f.stopped_at is null and (f.leased_until is null or f.leased_until < :now)
  and (f.next_try_at is null or f.next_try_at <= :now)
  and exists (select 1 from delivery d where d.follower_id = f.id and d.state = 'waiting')
returning f.id, f.lease
""")


def plan(since: datetime) -> int:
    """Write down what each follower is to be told of the changes since then; how many are new."""
    return sum(subject.plan(since) for subject in subjects.every())


def lease_due(now: datetime) -> Sequence[tuple[UUID, UUID]]:
    """Followers to whom something is to be told now, each with a lease: one job at a time tells each of them."""
    rows = session.execute(_DUE, {"now": now, "until": now + LEASE}).all()
    return [(row.id, row.lease) for row in rows]


def let_go(follower_id: UUID, lease: UUID) -> None:
    """The job that held this lease is done."""
    session.execute(
        update(Follower)
        .where(Follower.id == follower_id, Follower.lease == lease)
        .values(lease=None, leased_until=None)
    )


def follow_his() -> None:
    """A hospital whose system has an address is followed from now on; one whose address was taken away, no more."""
    addressed = {
        row.establishment_id
        for row in session.scalars(select(EstablishmentSetting).where(EstablishmentSetting.key == ADDRESS))
        if not his.is_none(row.opened)
    }
    followed = {
        row.establishment_id: row for row in session.scalars(select(Follower).where(Follower.kind == states.HIS))
    }
    for establishment_id in sorted(addressed - followed.keys()):
        made = Follower(id=uuid4(), establishment_id=establishment_id, kind=states.HIS, events=[])
        session.add(made)
        session.flush()
        _audit("exchange.begun", made)
    for establishment_id, row in followed.items():
        if (establishment_id in addressed) == (row.stopped_at is not None):
            row.stopped_at = None if establishment_id in addressed else db.now()
            row.failures, row.next_try_at, row.failing_since = 0, None, None
            _audit("exchange.ended" if row.stopped_at else "exchange.begun", row)
    session.flush()


def _audit(what: str, follower: Follower) -> None:
    audit.record(what, establishment_id=follower.establishment_id, object_kind="follower", object_id=follower.id)


def forget_follower(follower: Follower) -> None:
    """Everything that was told to it goes with it."""
    session.execute(delete(Delivery).where(Delivery.follower_id == follower.id))
    session.delete(follower)
    session.flush()
