"""What happens by itself around calls back: the unit is told, delays are told to its head, what is useless ends."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from auth.agents import administrators
from auth.models import Professional
from auth.news import actions as news
from portal import db, jobs, notifications
from portal.db import session
from services.lines import actions, mails, states
from services.lines.models import RIGHT, Callback

_AT_ONCE = 200


@jobs.task("lines.tell_unit")
def tell_unit(callback_id: str) -> None:
    """Tell the agents of the unit who call back; all those of the hospital when nobody says that they work there."""
    with jobs.effect() as current:
        found = current.get_one(Callback, UUID(callback_id))
        if found.state != states.ASKED:
            return
        if not news.tell_unit(found.unit_id, RIGHT, kind=mails.KIND, path=mails.TRAY):
            administrators.tell(found.establishment_id, mails.WAITS, right=RIGHT)


@jobs.task("lines.tell_head")
def tell_head(callback_id: str) -> None:
    """The delay is over: tell the address of the line, or else those who administer the hospital."""
    with jobs.effect() as current:
        found = current.get_one(Callback, UUID(callback_id))
        if found.state != states.ASKED:
            return
        if found.line.escalation_email:
            notifications.tell(mails.DELAYED, recipient=found.line.escalation_email)
        else:
            administrators.tell(found.establishment_id, mails.DELAYED)


@jobs.task("lines.tell_asker")
def tell_asker(callback_id: str) -> None:
    """They could not be reached, or nobody called: what they do next is theirs to choose."""
    with jobs.effect() as current:
        found = current.get_one(Callback, UUID(callback_id))
        asker = current.get_one(Professional, found.professional_id)
        news.write(asker.account_id, mails.KIND, f"{mails.MINE}/{found.id}")


@jobs.periodic("*/5 * * * *", "lines.follow_callbacks")
def follow_callbacks_now() -> None:
    """Every five minutes; late or repeated, it tells nothing twice."""
    follow_callbacks(db.now())


def follow_callbacks(now: datetime) -> tuple[int, int]:
    """End what is of no more use, tell what is late: how many of each."""
    return _each(_over(now), actions.lapse, now), _each(_late(now), actions.tell_delay, now)


def _each(ids: Sequence[UUID], act: Callable[[UUID, datetime], bool], now: datetime) -> int:
    done = 0
    for callback_id in ids:
        with db.transaction(db.system("lines.follow_callbacks")):
            done += act(callback_id, now)
    return done


def _over(now: datetime) -> Sequence[UUID]:
    with db.transaction(db.system("lines.follow_callbacks")):
        open_ones = Callback.state.in_(states.OPEN)
        over = select(Callback.id).where(open_ones, Callback.useful_until <= now)
        return session.scalars(over.order_by(Callback.useful_until).limit(_AT_ONCE)).all()


def _late(now: datetime) -> Sequence[UUID]:
    with db.transaction(db.system("lines.follow_callbacks")):
        asked = (Callback.state == states.ASKED, Callback.told_at.is_(None), Callback.due_at <= now)
        return session.scalars(select(Callback.id).where(*asked).order_by(Callback.due_at).limit(_AT_ONCE)).all()
