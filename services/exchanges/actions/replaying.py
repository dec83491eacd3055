"""Telling again: one change and those after it, everything since a day, or a thing as it is now."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, case, func, literal, select, update

from portal import audit, db
from portal.db import session
from services.exchanges import states
from services.exchanges.models import Delivery, Follower


def replay(delivery: Delivery) -> int:
    """Tell a change again, then those after it of the same thing, in order; how many.

    Never one alone: a booking told again after its cancellation would bring it back there.
    """
    _at_once(delivery.follower_id)
    told = _again(
        Delivery.follower_id == delivery.follower_id,
        Delivery.subject_id == delivery.subject_id if delivery.subject_id else Delivery.id == delivery.id,
        Delivery.changed_at >= delivery.changed_at,
    )
    _audit("exchange.replayed", delivery.establishment_id, delivery.follower_id, count=told)
    return told


def replay_since(follower: Follower, since: datetime, until: datetime | None = None, kind: str = "") -> int:
    """Tell everything since then again (every change of the things that changed until then); how many.

    kind: of one kind of things alone.
    """
    _at_once(follower.id)
    of_then = select(Delivery.subject_id).where(Delivery.follower_id == follower.id, Delivery.changed_at >= since)
    if until is not None:
        of_then = of_then.where(Delivery.changed_at < until)
    if kind:
        of_then = of_then.where(Delivery.subject_kind == kind)
    told = _again(Delivery.follower_id == follower.id, Delivery.changed_at >= since, Delivery.subject_id.in_(of_then))
    _audit("exchange.replayed", follower.establishment_id, follower.id, since=since.isoformat(), count=told)
    return told


def _at_once(follower_id: UUID) -> None:
    """It is tried at once; and its row is locked before its deliveries, as the job that tells it does."""
    session.execute(update(Follower).where(Follower.id == follower_id).values(next_try_at=None, failures=0))


def _again(*which: ColumnElement[bool]) -> int:
    """A new control id each: the hospital system takes the same one for the same message, and does nothing. What still
    waits keeps its own, under which it may have been done."""
    settled = Delivery.state != states.WAITING
    anew = func.concat(func.left(Delivery.control_id, 16), literal("-"), Delivery.round + 1)
    result = session.connection().execute(
        update(Delivery)
        .where(*which, Delivery.state != states.NOT_NEEDED)
        .values(
            state=states.WAITING,
            round=case((settled, Delivery.round + 1), else_=Delivery.round),
            control_id=case((settled, anew), else_=Delivery.control_id),
            attempts=case((settled, 0), else_=Delivery.attempts),
            settled_at=None,
            answer="",
            error="",
            told="",
        )
    )
    session.expire_all()
    return int(result.rowcount)


def set_aside(delivery: Delivery) -> None:
    """Tell this no more: somebody settled it otherwise. It can still be told again."""
    session.execute(
        update(Delivery)
        .where(Delivery.id == delivery.id, Delivery.state.in_((states.WAITING, states.REFUSED)))
        .values(state=states.SET_ASIDE, settled_at=db.now())
    )
    _audit("exchange.set_aside", delivery.establishment_id, delivery.follower_id, delivery=str(delivery.id))


def tell_again(establishment_id: UUID, subject_kind: str, subject_id: UUID, event: str) -> bool:
    """Tell the hospital system a thing as it is now, whatever it holds. False when there is no system."""
    follower_id = session.scalar(
        select(Follower.id).where(Follower.establishment_id == establishment_id, Follower.kind == states.HIS)
    )
    if follower_id is None:
        return False
    made = uuid4()
    session.add(
        Delivery(
            id=made,
            follower_id=follower_id,
            establishment_id=establishment_id,
            subject_kind=subject_kind,
            subject_id=subject_id,
            event=event,
            changed_at=db.now(),
            control_id=made.hex[:16],
        )
    )
    session.flush()
    _audit("exchange.replayed", establishment_id, follower_id, count=1)
    return True


def _audit(what: str, establishment_id: UUID, follower_id: UUID, **details: str | int) -> None:
    audit.record(
        what,
        patient_id=None,
        establishment_id=establishment_id,
        object_kind="follower",
        object_id=follower_id,
        **details,
    )
