"""Telling those who follow: look for what is new every few seconds, then one job a follower, one thing at a time."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from portal import db, establishments, jobs, notifications
from portal.config import Settings
from portal.gateways import DoorError, OutcomeUnknown, Paused, Refused, Unavailable, UnsupportedUrl, his, webhooks
from portal.gateways.his import Dropped, HospitalSystem, NotAccepted
from portal.gateways.webhooks import Webhooks
from services.exchanges import actions, dialect, listening, mails, queries, signing, states
from services.exchanges.actions.delivering import Outgoing

_RECENT, _LONG_AGO = timedelta(minutes=30), timedelta(days=30)
_TOLD_AT_ONCE = 500
_GONE = "410"
Opening = Callable[[], AbstractContextManager[object]]


@dataclass
class _Doors:
    """One door for all subscribers; one for each hospital system, with the address for which it was opened."""

    webhooks: Webhooks | None = None
    systems: dict[UUID, tuple[str, HospitalSystem]] = field(default_factory=dict)


_doors = _Doors()


def connect(settings: Settings) -> None:
    """Open the door of webhooks."""
    _doors.webhooks = webhooks.connect(anywhere=not settings.is_production)
    _doors.systems.clear()


def system_of(establishment_id: UUID) -> HospitalSystem:
    """The door to a hospital's system, by its setting now. Raises UnsupportedUrl."""
    url = establishments.setting(establishment_id, dialect.ADDRESS)
    known = _doors.systems.get(establishment_id)
    if known is None or known[0] != url:
        finess = db.session.get_one(establishments.Establishment, establishment_id).finess
        known = _doors.systems[establishment_id] = (url, his.connect(url, label=finess))
    return known[1]


@jobs.periodic("* * * * * */5", "exchanges.follow_changes")
def follow_changes() -> None:
    """Find what is new, and start telling it."""
    with jobs.reading():
        actions.follow_his()
        actions.plan(db.now() - _RECENT)
        for follower_id, lease in actions.lease_due(db.now()):
            jobs.enqueue("exchanges.deliver", follower_id=str(follower_id), lease=str(lease))


@jobs.periodic("13 * * * *", "exchanges.follow_older_changes")
def follow_older_changes() -> None:
    """What was committed late, or came back with a restore."""
    with jobs.reading():
        actions.plan(db.now() - _LONG_AGO)


@jobs.periodic("43 3 * * *", "exchanges.forget_exchanges")
def forget_exchanges() -> None:
    """Forget the words of old messages, and old facts."""
    with jobs.reading():
        actions.forget()


@jobs.task("exchanges.deliver")
def deliver(follower_id: str, lease: str) -> None:
    """Tell one follower what waits for it, until nothing does or it is away."""
    tell(UUID(follower_id), UUID(lease), jobs.reading)


def tell(follower_id: UUID, lease: UUID, opening: Opening) -> None:
    """Each thing: count the try, call with no transaction open, write down what came of it."""
    for _each in range(_TOLD_AT_ONCE):
        with opening():
            outgoing = actions.next_to_tell(follower_id, lease)
            system = system_of(outgoing.establishment_id) if outgoing and outgoing.kind == states.HIS else None
        if outgoing is None or not _told(outgoing, system, opening):
            break
    with opening():
        actions.let_go(follower_id, lease)


def _told(outgoing: Outgoing, system: HospitalSystem | None, opening: Opening) -> bool:
    """Whether the next one may follow."""
    try:
        answer = _carry(outgoing, system)
    except NotAccepted as refused:
        with opening():
            actions.settle(outgoing, "refused", answer=refused.code, error=refused.answer.error, told=refused.told)
        return True
    except DoorError as error:
        with opening():
            _postpone(outgoing, error)
        return False
    with opening():
        actions.settle(outgoing, "accepted", answer=answer)
    return True


def _carry(outgoing: Outgoing, system: HospitalSystem | None) -> str:
    if system is None:
        return str(_post(outgoing))
    if outgoing.parcel is not None:
        return system.put(outgoing.parcel()).code
    body = outgoing.content() if outgoing.content is not None else outgoing.body
    return system.send(body, outgoing.control_id).code


def _post(outgoing: Outgoing) -> int:
    assert _doors.webhooks is not None, "jobs.connect was not called"
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Parvis",
        "Parvis-Event": outgoing.event,
        "Parvis-Delivery": str(outgoing.delivery_id),
        "Parvis-Signature": signing.sign(outgoing.secret, outgoing.body, db.now()),
    }
    return _doors.webhooks.post(outgoing.url, outgoing.body, headers)


def _postpone(outgoing: Outgoing, error: DoorError) -> None:
    reason = f"{error.code} {error.meaning}" if isinstance(error, Refused) else str(error)
    if isinstance(error, OutcomeUnknown):
        reason = f"{reason} (perhaps done)"
    is_patient = actions.postpone(
        outgoing,
        reason.strip(),
        arrived=not isinstance(error, Unavailable),
        tried=not isinstance(error, Paused),
    )
    is_gone = isinstance(error, Refused) and error.code == _GONE and outgoing.kind == states.WEBHOOK
    if is_gone or not is_patient:
        follower = actions.give_up(outgoing.follower_id)
        notifications.tell(mails.given_up(follower), recipient=follower.establishment.email)


# -- what hospital systems leave in folders ----------------------------------------------------------------------


@jobs.periodic("* * * * * */10", "exchanges.collect_messages")
def collect_messages() -> None:
    """Read what hospital systems left for us in their folders."""
    with jobs.reading():
        places = [where for where, url in queries.his_addresses().items() if url.startswith("folder:")]
    for establishment_id in places:
        collect(establishment_id, jobs.reading)


def collect(establishment_id: UUID, opening: Opening) -> None:
    """Take what waits in one hospital's folder, each message in a transaction of its own."""
    try:
        with opening():
            system = system_of(establishment_id)
        for each in system.dropped():
            answer, accepted = _taken(establishment_id, each)
            system.settle(each.name, answer, accepted=accepted)
    except (DoorError, UnsupportedUrl):
        return  # the folder is away, and its state says so: the next tick tries again


def _taken(establishment_id: UUID, dropped: Dropped) -> tuple[bytes, bool]:
    """What is written beside a file of theirs, and whether it goes to `done/`."""
    if dropped.name.lower().endswith(".csv"):
        return listening.take_list(establishment_id, dropped.name, dropped.body)
    answer = listening.take(establishment_id, dropped.body, "folder")
    return answer, b"|AA|" in answer
