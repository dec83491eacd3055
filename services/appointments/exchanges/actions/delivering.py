"""One follower is told what waits for it, one thing after the other; what came of it is written down each time."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from auth.models import PatientRecord
from portal import audit, db, establishments, kpi
from portal.db import session
from services.appointments import states as visit
from services.appointments.exchanges import dialect, signing, siu, states
from services.appointments.exchanges.actions.following import LEASE
from services.appointments.exchanges.models import Delivery, Follower, SiuAppointment
from services.appointments.models import Appointment, AppointmentChange

_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=15)
PATIENCE = timedelta(days=3)
"""A subscriber that was away longer is not tried any more, and its hospital is told. A hospital system always is."""
_LONGEST_TOLD = 500


@dataclass(frozen=True)
class Outgoing:
    """What to tell now, and to whom. body: the SIU message, or the webhook's event."""

    delivery_id: UUID
    follower_id: UUID
    kind: str
    establishment_id: UUID
    event: str
    control_id: str
    body: bytes
    url: str = ""
    secret: str = ""


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
        if _is_superseded(waiting):
            waiting.state, waiting.settled_at = states.NOT_NEEDED, db.now()
            session.flush()
            continue
        waiting.attempts += 1
        waiting.tried_at = db.now()
        session.flush()
        return _outgoing(follower, waiting)
    return None


def _first_waiting(follower: Follower) -> Delivery | None:
    # The key is the id of an appointment: the same moment leaves them in one order, whoever looks.
    return session.scalar(
        select(Delivery)
        .where(Delivery.follower_id == follower.id, Delivery.state == states.WAITING)
        .order_by(Delivery.changed_at, Delivery.id)
        .limit(1)
        .options(joinedload(Delivery.appointment))
        .execution_options(populate_existing=True)
    )


def _is_superseded(waiting: Delivery) -> bool:
    """Nobody needs to hear that a cancelled appointment had moved: its cancellation says all."""
    appointment = waiting.appointment
    is_over = appointment is not None and appointment.state == visit.CANCELLED
    return is_over and waiting.event in (states.RESCHEDULED, states.MODIFIED)


def _outgoing(follower: Follower, waiting: Delivery) -> Outgoing:
    body = _siu(waiting) if follower.kind == states.HIS else _event(follower, waiting)
    return Outgoing(
        waiting.id,
        follower.id,
        follower.kind,
        follower.establishment_id,
        waiting.event,
        waiting.control_id,
        body,
        follower.url,
        follower.secret,
    )


def _siu(waiting: Delivery) -> bytes:
    appointment = waiting.appointment
    assert appointment is not None, "a hospital system is told of appointments only"
    at = appointment.establishment_id
    ipp = session.scalar(
        select(PatientRecord.ipp).where(
            PatientRecord.patient_id == appointment.patient_id, PatientRecord.establishment_id == at
        )
    )
    telling = siu.Telling(waiting.event, waiting.control_id, appointment, _filler(appointment), ipp or "", db.now())
    codes = dialect.read(establishments.setting(at, dialect.SETTING)).named(appointment.establishment.finess)
    return siu.write(telling, codes)


def _filler(appointment: Appointment) -> str:
    """The hospital system's own number of an appointment of the portal, when it gave one."""
    found = session.scalar(
        select(SiuAppointment.external_id)
        .where(SiuAppointment.appointment_id == appointment.id, SiuAppointment.external_id != appointment.reference)
        .limit(1)
    )
    return found or ""


def _event(follower: Follower, waiting: Delivery) -> bytes:
    """Numbers and times: no name, no reason, no practitioner, nothing about health."""
    facts: dict[str, object] = {
        "id": str(waiting.id),
        "event": waiting.event,
        "at": waiting.changed_at.isoformat(),
        "establishment": follower.establishment.finess,
    }
    if (appointment := waiting.appointment) is not None:
        change = session.get(AppointmentChange, waiting.change_id) if waiting.change_id else None
        start_at = change.start_at if change is not None and change.start_at else appointment.start_at
        facts["appointment"] = {
            "id": str(appointment.id),
            "reference": appointment.reference,
            "start_at": start_at.isoformat(),
        }
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
        .values(state=outcome, settled_at=now, answer=answer, error=error[:100], told=told[:_LONGEST_TOLD])
    )
    if outcome == states.ACCEPTED and outgoing.kind == states.HIS:
        _agree(outgoing)
    _count(outgoing, outcome)


def _agree(outgoing: Outgoing) -> None:
    """The hospital system now holds what we told it."""
    told = session.get_one(Delivery, outgoing.delivery_id).appointment
    if told is not None:
        session.execute(
            update(SiuAppointment)
            .where(SiuAppointment.appointment_id == told.id)
            .values(start_at=told.start_at, end_at=told.end_at, practitioner_id=told.practitioner_id, state=told.state)
        )


def postpone(outgoing: Outgoing, reason: str) -> bool:
    """The follower is away, or nobody knows what became of it: the same will be told again, later and later.

    reason: a code or words of ours. Returns False when a subscriber has been away too long: see `give_up`.
    """
    follower = session.get_one(Follower, outgoing.follower_id, with_for_update={"key_share": True})
    now = db.now()
    follower.failures += 1
    follower.failing_since = follower.failing_since or now
    follower.next_try_at = now + wait_after(follower.failures)
    follower.trouble = reason[:200]
    session.flush()
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


def _count(outgoing: Outgoing, outcome: str) -> None:
    """quantity: seconds between the change and the answer."""
    changed_at = session.scalar(select(Delivery.changed_at).where(Delivery.id == outgoing.delivery_id))
    waited = int((db.now() - changed_at).total_seconds()) if changed_at else 0
    kpi.count(
        f"exchange_{outcome}",
        establishment_id=outgoing.establishment_id,
        channel=outgoing.kind,
        dimension=outgoing.event,
        quantity=max(0, waited),
    )
    if outcome == states.REFUSED:
        audit.record(
            "exchange.refused",
            establishment_id=outgoing.establishment_id,
            object_kind="delivery",
            object_id=outgoing.delivery_id,
        )
