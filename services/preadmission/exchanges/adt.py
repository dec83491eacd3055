"""What a hospital system says of a stay: ADT messages of PAM-FR (HL7 v2.5, chapter 3), read. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from portal.gateways.his import hl7v2
from portal.gateways.his.hl7v2 import Message, NotHl7, Segment
from services.exchanges.dialect import Dialect
from services.preadmission.exchanges.pam import PORTAL

ADMITTED, DISCHARGED, PREADMITTED, CANCELLED, MERGED = "A01", "A03", "A05", "A38", "A40"
TRIGGERS: Final = (ADMITTED, DISCHARGED, PREADMITTED, CANCELLED, MERGED)
_LONGEST: Final = 100


@dataclass(frozen=True)
class Told:
    """What one message says. reference: our pre-admit number (PV1-5), "" when it names none of ours.

    ipp: of the patient at that hospital. former_ipp: before a merge. visit_number: of the stay (PV1-19, else PID-18).
    planned_on: the day of arrival. birth_name, first_name, email: of whom it
    plans to admit. uf: our code of the unit. movement: ZBE-4, "" when it is not said.
    """

    trigger: str
    reference: str
    ipp: str
    former_ipp: str
    visit_number: str
    birth_on: date | None
    planned_on: date | None
    patient_class: str
    uf: str
    movement: str
    said_at: datetime
    birth_name: str = ""
    first_name: str = ""
    email: str = ""

    @property
    def cancels(self) -> bool:
        """A38, or whatever is sent again to be taken back."""
        return self.trigger == CANCELLED or self.movement == "CANCEL"


def read(message: Message, tz: ZoneInfo, dialect: Dialect) -> Told:
    """What an ADT message says. Raises NotHl7 with the code of the acknowledgement."""
    if message.trigger not in TRIGGERS:
        raise NotHl7("201", f"only {', '.join(TRIGGERS)} are taken here")
    pid, pv1 = message.first("PID"), message.first("PV1")
    return Told(
        trigger=message.trigger,
        reference=_reference(pv1, dialect),
        ipp=_ipp(pid, 3),
        former_ipp=_ipp(message.first("MRG"), 1),
        visit_number=(pv1.value(19) or pid.value(18))[:_LONGEST],
        birth_on=_day(pid.value(7)),
        planned_on=_planned(message),
        patient_class=pv1.value(2),
        uf=_ours(dialect.units, pv1.value(3)),
        movement=message.first("ZBE").value(4).upper(),
        said_at=_said(message, tz),
        birth_name=_name(pid, 1),
        first_name=_name(pid, 2),
        email=_email(pid),
    )


def _reference(pv1: Segment, dialect: Dialect) -> str:
    """Ours only: the hospital's own pre-admit numbers stand in the same field, under another authority."""
    whose = pv1.value(5, 4)
    return pv1.value(5).upper()[:_LONGEST] if whose in ("", PORTAL, dialect.application) else ""


def _ipp(line: Segment, field: int) -> str:
    """The hospital's number of the patient: of type PI, or the only one that says nothing of what it is."""
    count = line.repetitions(field)
    kinds = [(line.value(field, 5, rank), rank) for rank in range(1, count + 1)]
    rank = next((rank for kind, rank in kinds if kind == "PI"), 1 if count == 1 and not kinds[0][0] else 0)
    return line.value(field, 1, rank)[:_LONGEST] if rank else ""


def _name(pid: Segment, component: int) -> str:
    """Of the birth name (type L), or of the only one that says nothing of what it is."""
    ranks = range(1, pid.repetitions(5) + 1)
    rank = next((rank for rank in ranks if pid.value(5, 7, rank) in ("L", "")), 0)
    return pid.value(5, component, rank)[:_LONGEST] if rank else ""


def _email(pid: Segment) -> str:
    """Where the hospital would write, when it says so."""
    ranks = range(1, pid.repetitions(13) + 1)
    return next((pid.value(13, 4, rank)[:254] for rank in ranks if "@" in pid.value(13, 4, rank)), "")


def _planned(message: Message) -> date | None:
    given = (message.first("PV2").value(8), message.first("PV1").value(44), message.first("EVN").value(3))
    return _day(next(filter(None, given), ""))


def _day(text: str) -> date | None:
    """Raises NotHl7 when it is no day; None when there is none, or only a part of it."""
    if len(text) < 8:
        return None
    return hl7v2.moment(text[:8], ZoneInfo("UTC")).date()


def _ours(units: Mapping[str, str], theirs: str) -> str:
    return next((ours for ours, code in units.items() if code == theirs), theirs)


def _said(message: Message, tz: ZoneInfo) -> datetime:
    """When the hospital's system wrote it down: EVN-2, else the message's own time."""
    found = message.first("EVN").value(2) or message.header.value(7)
    if not found:
        raise NotHl7("101", "EVN-2 or MSH-7 is needed: when the message was written")
    return hl7v2.moment(found, tz)
