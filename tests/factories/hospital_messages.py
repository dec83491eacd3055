"""Fictional hospital systems that admit: what they say of stays, and how they are told of them."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from portal import db, establishments
from portal.db import session
from portal.gateways.his import hl7v2
from services.exchanges import actions
from services.exchanges.models import Delivery, Follower, HisMessage
from services.preadmission.exchanges import states
from services.preadmission.models import Preadmission
from tests.factories import exchanges, preadmission
from tests.ground import today

if TYPE_CHECKING:
    from tests.factories.demonstration import World


def adt(
    trigger: str,
    control_id: str,
    *,
    said_at: datetime | None = None,
    reference: str = "",
    authority: str = "PARVIS",
    ipp: str = "",
    former_ipp: str = "",
    visit: str = "",
    birth_on: date | None = date(1979, 3, 17),
    planned_on: date | None = None,
    uf: str = "1001",
    patient_class: str = "I",
    movement: str = "INSERT",
    names: tuple[str, str] = ("PAT-TROIS", "DOMINIQUE"),
    email: str = "",
) -> bytes:
    """A message of a hospital system about a stay, in UTC with its offset."""

    def day(value: date | None) -> str:
        return value.strftime("%Y%m%d") if value else ""

    stamp = (said_at or db.now()).strftime("%Y%m%d%H%M%S%z")
    number = [(ipp, "", "", ("CHU",), "PI")] if ipp else ""
    lines = [
        hl7v2.header(
            {3: "GAM", 4: "CHU", 5: "PARVIS", 6: "990000017", 7: stamp, 9: ("ADT", trigger, f"ADT_{trigger}"),
             10: control_id, 11: "P", 12: ("2.5", "FRA", "2.11"), 18: "UNICODE UTF-8"}
        ),
        hl7v2.segment("EVN", {2: stamp}),
        hl7v2.segment("PID", {1: "1", 3: number, 5: [(*names, "", "", "", "", "L")], 7: day(birth_on),
                             13: [("", "NET", "Internet", email)] if email else ""}),
    ]  # fmt: skip
    if former_ipp:
        lines.append(hl7v2.segment("MRG", {1: [(former_ipp, "", "", ("CHU",), "PI")]}))
    placed = (reference, "", "", (authority,)) if reference else ""
    lines.append(
        hl7v2.segment("PV1", {1: "1", 2: patient_class, 3: (uf,), 5: placed, 19: (visit, "", "", ("CHU",), "VN")})
    )
    if planned_on:
        lines.append(hl7v2.segment("PV2", {8: day(planned_on)}))
    lines.append(hl7v2.segment("ZBE", {1: (control_id, "CHU"), 2: stamp, 4: movement, 5: "N", 9: "HMS"}))
    return hl7v2.joined(lines)


def hear(establishment_id: UUID, message: bytes, via: str = "mllp") -> hl7v2.Acknowledgement:
    """Take a message as the listener does; what we answer."""
    with db.transaction(db.system(actions.job_for(message))):
        answer = actions.receive(establishment_id, message, via)
    return hl7v2.read_acknowledgement(answer)


def follow(establishment_id: UUID, url: str, form: str = states.HL7, codes: str = "") -> None:
    """The hospital's system listens there, and takes pre-admissions in this format."""
    establishments.change_setting(establishment_id, states.FORMAT, form)
    exchanges.set_his(establishment_id, url, codes)


def said_of(file: Preadmission, trigger: str, control_id: str, **facts: object) -> bytes:
    """A message about this file, by our number and with its patient's birth date."""
    known: dict[str, object] = {"reference": file.reference, "birth_on": file.patient.birth_on}
    return adt(trigger, control_id, **(known | facts))  # type: ignore[arg-type]  # facts of `adt`, by name


# -- the demonstration ---------------------------------------------------------------------------------------------


def demonstrate(world: "World") -> None:
    """A hospital that takes most of what it is asked, refuses one file, and says a few things of its own."""
    here, unit = world.north.establishment.id, world.north.unit
    establishments.change_setting(here, states.FORMAT, states.HL7)
    his = session.scalars(select(Follower).where(Follower.establishment_id == here, Follower.kind == "his")).one()
    for rank, (key, state, outcome) in enumerate(
        (
            ("jean-marie", "validated", "refused"),
            ("suzanne", "transmitted", "accepted"),
            ("yacine", "integrated", "accepted"),
        )
    ):
        file = preadmission.preadmission(
            world.patients[key], unit, state, planned_on=today() + timedelta(days=8 + rank), stay_kind="outpatient",
            answers=[preadmission.cover_of(world.patients[key])],
        )  # fmt: skip
        file.message_id = "" if outcome == "refused" else f"stay{rank}"
        if state == "integrated":
            file.ipp, file.visit_number = "8000000451", "240001873"
        session.add(_delivery(his, file, rank, outcome))
    _say(here)
    session.flush()


def _delivery(his: Follower, file: Preadmission, rank: int, outcome: str) -> Delivery:
    at = db.now() - timedelta(hours=2 * rank + 1)
    return Delivery(
        follower_id=his.id,
        establishment_id=file.establishment_id,
        subject_kind=states.SUBJECT,
        subject_id=file.id,
        event=states.PREADMIT,
        changed_at=at,
        state=outcome,
        control_id=f"stay{rank}",
        attempts=1,
        tried_at=at + timedelta(seconds=5),
        settled_at=at + timedelta(seconds=6),
        answer="AE" if outcome == "refused" else "AA",
        error="102" if outcome == "refused" else "",
        told="Numéro de caisse inconnu (IN1-3)" if outcome == "refused" else "",
    )


def _say(establishment_id: UUID) -> None:
    for rank, (trigger, answer, told) in enumerate(
        (("A05", "AA", "to_invite"), ("A01", "AE", "another_person"), ("A01", "AA", ""), ("A40", "AE", "two_people"))
    ):
        said_at = db.now() - timedelta(minutes=50 * rank + 4)
        number = f"24000{rank + 3}118"
        body = adt(trigger, f"G{rank}", said_at=said_at, visit=number, ipp="8000000733", planned_on=today())
        session.add(
            HisMessage(
                establishment_id=establishment_id, subject_kind=states.SUBJECT, sender="GAM|CHU",
                control_id=f"G{rank}", digest=b"", trigger=trigger, via="mllp", body=body.decode(),
                received_at=said_at, said_at=said_at, answer=answer, told=told,
                error="204" if answer == "AE" else "", external_id=number, acknowledgement="",
            )
        )  # fmt: skip
