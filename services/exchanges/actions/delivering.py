"""One follower is told what waits for it, one thing after the other; what came of it is written down each time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from portal import audit, db, establishments, kpi
from portal.db import session
from portal.gateways.his import Parcel
from services.exchanges import dialect, signing, states, subjects
from services.exchanges.actions.following import LEASE
from services.exchanges.models import Delivery, Follower
from services.exchanges.subjects import CannotBeTold, Written

_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=15)
_CLOSED_WAIT = timedelta(minutes=1)
"""How long before a door that people closed is looked at again."""
PATIENCE = timedelta(days=3)
"""A subscriber that was away longer is not tried any more, and its hospital is told. A hospital system always is."""
_LONGEST_TOLD = 500


@dataclass(frozen=True)
class Outgoing:
    """What to tell now, and to whom. body: the message, or the webhook's event. parcel, content: as in `Written`."""

    delivery_id: UUID
    follower_id: UUID
    kind: str
    establishment_id: UUID
    event: str
    control_id: str
    body: bytes
    url: str = ""
    secret: str = ""
    parcel: Callable[[], Parcel] | None = None
    content: Callable[[], bytes] | None = None


def next_to_tell(follower_id: UUID, lease: UUID) -> Outgoing | None:
    """The next thing to tell this follower; the try is counted before it is made. None: nothing waits, or another
    job holds the lease."""
    follower = session.scalar(
        select(Follower)
        .where(Follower.id == follower_id, Follower.lease == lease, Follower.stopped_at.is_(None))
        .with_for_update(key_share=True)
    )
    if follower is None:
        return None
    follower.leased_until = db.now() + LEASE
    while (waiting := _first_waiting(follower)) is not None:
        try:
            written = _written(follower, waiting)
        except CannotBeTold as fact:
            _refuse_here(waiting, fact)
            continue
        if written is None:
            waiting.state, waiting.settled_at = states.NOT_NEEDED, db.now()
            session.flush()
            continue
        waiting.attempts += 1
        waiting.in_doubt, waiting.tried_at = True, db.now()
        session.flush()
        return _outgoing(follower, waiting, written)
    return None


def _first_waiting(follower: Follower) -> Delivery | None:
    # The key is the id of an appointment: the same moment leaves them in one order, whoever looks.
    return session.scalar(
        select(Delivery)
        .where(Delivery.follower_id == follower.id, Delivery.state == states.WAITING)
        .order_by(Delivery.changed_at, Delivery.id)
        .limit(1)
        .execution_options(populate_existing=True)
    )


def _written(follower: Follower, waiting: Delivery) -> Written | None:
    """None: nobody needs to hear this any more, or what it was about is gone. Raises CannotBeTold."""
    subject = subjects.of(waiting.subject_kind)
    if subject is None:
        return Written(_event(follower, waiting)) if waiting.event == states.TEST_EVENT else None
    # What may have been done there is told until an answer says so, whatever happened here meanwhile.
    if subject.is_superseded(waiting) and not waiting.in_doubt:
        return None
    if follower.kind == states.WEBHOOK:
        return Written(_event(follower, waiting))
    codes = dialect.read(establishments.setting(follower.establishment_id, dialect.SETTING))
    return subject.write(waiting, codes.named(follower.establishment.finess))


def _refuse_here(waiting: Delivery, fact: CannotBeTold) -> None:
    """It cannot even be written: it waits for people beside what the hospital system refused, and holds nobody up."""
    waiting.state, waiting.settled_at, waiting.answer, waiting.told = states.REFUSED, db.now(), "", fact.reason
    session.flush()
    _count_of(waiting, states.HIS, states.REFUSED)


def _outgoing(follower: Follower, waiting: Delivery, written: Written) -> Outgoing:
    return Outgoing(
        waiting.id,
        follower.id,
        follower.kind,
        follower.establishment_id,
        waiting.event,
        waiting.control_id,
        written.body,
        follower.url,
        follower.secret,
        written.parcel,
        written.content,
    )


def _event(follower: Follower, waiting: Delivery) -> bytes:
    """Numbers and times: no name, no reason, no practitioner, nothing about health."""
    facts: dict[str, object] = {
        "id": str(waiting.id),
        "event": waiting.event,
        "at": waiting.changed_at.isoformat(),
        "establishment": follower.establishment.finess,
    }
    subject = subjects.of(waiting.subject_kind)
    if subject is not None and subject.facts is not None:
        facts |= subject.facts(waiting)
    return signing.body(facts)


# -- what came of it ---------------------------------------------------------------------------------------------

Outcome = Literal["accepted", "refused"]


def settle(outgoing: Outgoing, outcome: Outcome, *, answer: str = "", error: str = "", told: str = "") -> None:
    """The follower answered: it took it, or (a hospital system) refused it, and why."""
    now = db.now()
    # The follower first, always: whoever tells again locks them in the same order.
    session.execute(
        update(Follower)
        .where(Follower.id == outgoing.follower_id)
        .values(failures=0, next_try_at=None, failing_since=None, trouble="", last_success_at=now)
    )
    session.execute(
        update(Delivery)
        .where(Delivery.id == outgoing.delivery_id, Delivery.state == states.WAITING)
        .where(Delivery.control_id == outgoing.control_id)
        .values(
            state=outcome, in_doubt=False, settled_at=now, answer=answer, error=error[:100], told=told[:_LONGEST_TOLD]
        )
    )
    told_of = session.get_one(Delivery, outgoing.delivery_id, populate_existing=True)
    subject = subjects.of(told_of.subject_kind)
    if subject is not None and outgoing.kind == states.HIS:
        subject.settled(told_of)
    _count_of(told_of, outgoing.kind, outcome)


def postpone(outgoing: Outgoing, reason: str, *, arrived: bool = True, tried: bool = True) -> bool:
    """The follower is away, or nobody knows what became of it: the same will be told again, later and later.

    reason: a code or words of ours. arrived: False when it certainly did not. tried: False while people keep the door
    closed, which is not the follower's fault. Returns False when a subscriber has been away too long: see `give_up`.
    """
    follower = session.get_one(Follower, outgoing.follower_id, with_for_update={"key_share": True})
    now = db.now()
    if not tried:
        follower.next_try_at = now + _CLOSED_WAIT
        session.flush()
        untried = {"attempts": Delivery.attempts - 1, "in_doubt": Delivery.in_doubt & (Delivery.attempts > 1)}
        session.execute(update(Delivery).where(Delivery.id == outgoing.delivery_id).values(untried))
        return True
    follower.failures += 1
    follower.failing_since = follower.failing_since or now
    follower.next_try_at = now + wait_after(follower.failures)
    follower.trouble = reason[:200]
    session.flush()
    if not arrived:
        # An earlier try may have arrived, and this one says nothing of it.
        first_try = (Delivery.id == outgoing.delivery_id) & (Delivery.attempts == 1)
        session.execute(update(Delivery).where(first_try).values(in_doubt=False))
    return follower.kind == states.HIS or now - follower.failing_since < PATIENCE


def wait_after(failures: int) -> timedelta:
    """How long a follower that failed so many times in a row is left alone: 5, 10, 20 seconds… 15 minutes."""
    return min(_FIRST_WAIT * (1 << min(failures - 1, 20)), _LONGEST_WAIT)


def give_up(follower_id: UUID) -> Follower:
    """Try a subscriber no more until somebody at its hospital says so; what waits for it goes on waiting."""
    follower = session.get_one(Follower, follower_id, options=[joinedload(Follower.establishment)])
    follower.stopped_at = db.now()
    session.flush()
    audit.record(
        "subscription.given_up",
        establishment_id=follower.establishment_id,
        object_kind="follower",
        object_id=follower.id,
    )
    return follower


def _count_of(told_of: Delivery, channel: str, outcome: str) -> None:
    """quantity: seconds between the change and the answer."""
    kpi.count(
        f"exchange_{outcome}",
        establishment_id=told_of.establishment_id,
        channel=channel,
        dimension=told_of.event,
        quantity=max(0, int((db.now() - told_of.changed_at).total_seconds())),
    )
    if outcome == states.REFUSED:
        audit.record(
            "exchange.refused",
            establishment_id=told_of.establishment_id,
            object_kind="delivery",
            object_id=told_of.id,
        )
