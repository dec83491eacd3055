"""Fictional hospital systems that admit: what they say of stays, and how they are told of them."""

from datetime import date, datetime
from uuid import UUID

from portal import db, establishments
from portal.gateways.his import hl7v2
from services.exchanges import actions
from services.preadmission.exchanges import states
from services.preadmission.models import Preadmission
from tests.factories import exchanges


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
        hl7v2.segment("PID", {1: "1", 3: number, 5: ("PAT-TROIS", "DOMINIQUE"), 7: day(birth_on)}),
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
