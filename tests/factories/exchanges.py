"""Fictional hospital systems: what they say, and those who follow appointments."""

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from portal import db, establishments
from portal.db import session
from portal.gateways.his import hl7v2
from services.appointments.exchanges.states import HIS_ACTOR, SUBJECT, WEBHOOK_EVENTS
from services.appointments.models import Appointment
from services.exchanges import actions, dialect, jobs, states
from services.exchanges.models import Delivery, Follower, HisMessage

if TYPE_CHECKING:
    from tests.factories.demonstration import World

SYSTEM = db.system(HIS_ACTOR)


def siu(
    trigger: str,
    control_id: str,
    *,
    said_at: datetime,
    start_at: datetime | None = None,
    minutes: int = 30,
    placer: str = "",
    filler: str = "",
    rpps: str = "10000000009",
    status: str = "",
    why: str = "",
    authority: str = "PARVIS",
) -> bytes:
    """A message of a hospital system, in UTC with its offset."""

    def stamp(moment: datetime) -> str:
        return moment.strftime("%Y%m%d%H%M%S%z")

    hours = ("1", "", "", stamp(start_at), stamp(start_at + timedelta(minutes=minutes))) if start_at else ""
    lines = [
        hl7v2.header(
            {3: "HIS", 4: "CHU", 5: "PARVIS", 6: "990000017", 7: stamp(said_at), 9: ("SIU", trigger, "SIU_S12"),
             10: control_id, 11: "P", 12: "2.5", 18: "UNICODE UTF-8"}
        ),
        hl7v2.segment(
            "SCH",
            {1: (placer, authority) if placer else "", 2: (filler, "HIS") if filler else "", 6: (why,), 11: hours,
             25: (status,)},
        ),
        hl7v2.segment("PID", {3: [("8000000001", "", "", ("CHU",), "PI")], 5: ("PAT-TROIS", "DOMINIQUE")}),
    ]  # fmt: skip
    if rpps:
        lines.append(hl7v2.segment("AIP", {1: "1", 3: (rpps,)}))
    return hl7v2.joined(lines)


def hear(establishment_id: UUID, message: bytes, via: str = "mllp") -> hl7v2.Acknowledgement:
    """Take a message as the listener does; what we answer."""
    with db.transaction(db.system(actions.job_for(message))):
        answer = actions.receive(establishment_id, message, via)
    return hl7v2.read_acknowledgement(answer)


def set_his(establishment_id: UUID, url: str, codes: str = "") -> None:
    """The hospital's system listens there."""
    establishments.change_setting(establishment_id, dialect.ADDRESS, url, secret=True)
    if codes:
        establishments.change_setting(establishment_id, dialect.SETTING, codes)
    actions.follow_his()
    session.flush()


def tick() -> None:
    """What the clock does: look for changes, and tell everybody who is due."""

    def opening() -> AbstractContextManager[object]:
        return db.transaction(db.system("exchanges.deliver"))

    with db.transaction(db.system("exchanges.follow_changes")):
        actions.plan(db.now() - timedelta(minutes=30))
        due = actions.lease_due(db.now())
    for follower_id, lease in due:
        jobs.tell(follower_id, lease, opening)


def come_back() -> None:
    """Nobody is left alone any longer: the time of the back-off has passed."""
    with db.transaction(db.system("tests")):
        for each in session.scalars(select(Follower)):
            each.next_try_at, each.lease, each.leased_until = None, None, None


def demonstrate(world: "World") -> None:
    """A hospital system that took most of what it was told, and a subscriber."""
    here = world.north.establishment.id
    establishments.change_setting(here, dialect.ADDRESS, "none:", secret=True)
    his = Follower(establishment_id=here, kind=states.HIS, events=[], stopped_at=db.now(), last_success_at=db.now())
    session.add(his)
    made, _secret = actions.subscribe(
        here, "Agenda de territoire", "https://agenda.exemple.test/parvis", WEBHOOK_EVENTS, anywhere=True
    )
    actions.stop(made)
    session.flush()
    for rank, told in enumerate(session.scalars(select(Appointment).where(Appointment.establishment_id == here)
                                                .order_by(Appointment.booked_at).limit(12))):  # fmt: skip
        session.add(_delivery(his, told, rank))
    _messages(here)


def _delivery(his: Follower, told: Appointment, rank: int) -> Delivery:
    refused = rank % 6 == 5
    return Delivery(
        follower_id=his.id,
        establishment_id=told.establishment_id,
        subject_kind=SUBJECT,
        subject_id=told.id,
        event="S12",
        changed_at=db.now() - timedelta(hours=rank + 1),
        state="refused" if refused else "waiting" if rank < 2 else "accepted",
        control_id=f"demo{rank}",
        attempts=1,
        tried_at=db.now() - timedelta(hours=rank),
        settled_at=None if rank < 2 else db.now() - timedelta(hours=rank),
        answer="AE" if refused else "AA",
        error="204" if refused else "",
        told="Praticien inconnu" if refused else "",
    )


def _messages(establishment_id: UUID) -> None:
    for rank, (trigger, answer, told) in enumerate(
        [("S12", "AA", ""), ("S12", "AE", "unknown_practitioner"), ("S15", "AA", ""), ("S13", "AE", "no_session")]
    ):
        said_at = db.now() - timedelta(minutes=30 * rank)
        body = siu(trigger, f"D{rank}", said_at=said_at, start_at=said_at + timedelta(days=3), filler=f"RDV-{rank}")
        session.add(
            HisMessage(
                establishment_id=establishment_id, subject_kind=SUBJECT, sender="HIS|CHU", control_id=f"D{rank}",
                digest=b"", trigger=trigger,
                via="mllp", body=body.decode(), received_at=said_at, said_at=said_at, answer=answer, told=told,
                error="204" if told else "", external_id=f"RDV-{rank}", acknowledgement="",
            )
        )  # fmt: skip
    session.flush()
