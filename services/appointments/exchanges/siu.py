"""SIU messages: an appointment told (SIU_S12, HL7 v2.5, 10.4.1), and what a hospital system tells. Pure.

A message tells the appointment as it is when it leaves, whatever change it is about: the last one told is the truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from portal.gateways.his import hl7v2
from portal.gateways.his.hl7v2 import Component, Message, NotHl7, Segment, Value, header, segment
from services.appointments import states as visit
from services.appointments.exchanges import states
from services.appointments.models import Appointment
from services.exchanges.dialect import Dialect, NotADialect

PORTAL = "PARVIS"
_RPPS_OID, _INS_TYPE = "1.2.250.1.71.4.2.1", "INS"
_ACTIONS = {states.NEW: "A", states.CANCELLED: "D"}
STATUSES = {
    visit.BOOKED: "Booked",
    visit.ARRIVED: "Started",
    visit.DONE: "Complete",
    visit.MISSED: "Noshow",
    visit.CANCELLED: "Cancelled",
}
"""Table 0278. Nothing there says "arrived": Started is the nearest."""


@dataclass(frozen=True)
class Telling:
    """One message to write. filler: the hospital system's number of it, once told. ipp: its number of the patient."""

    trigger: str
    control_id: str
    appointment: Appointment
    filler: str
    ipp: str
    sent_at: datetime


def write(telling: Telling, dialect: Dialect) -> bytes:
    """An appointment as SIU. The practitioner, unit, site, reason and patient of the appointment are loaded."""
    appointment, tz = telling.appointment, telling.appointment.tz
    lines = [
        _header(telling, dialect, tz),
        _schedule(telling, dialect),
        _patient(telling, dialect),
        segment("RGS", {1: "1", 2: _ACTIONS.get(telling.trigger, "U"), 3: _unit(appointment, dialect)}),
        *_resources(telling, dialect),
    ]
    return hl7v2.joined(lines)


def _header(telling: Telling, dialect: Dialect, tz: ZoneInfo) -> Segment:
    return header(
        {
            3: dialect.application,
            4: dialect.facility,
            5: dialect.receiving_application,
            6: dialect.receiving_facility,
            7: hl7v2.stamp(telling.sent_at, tz, with_offset=dialect.with_offset),
            9: ("SIU", telling.trigger, "SIU_S12"),
            10: telling.control_id,
            11: dialect.processing,
            12: dialect.version,
            17: "FRA",
            18: "UNICODE UTF-8",
        }
    )


def _schedule(telling: Telling, dialect: Dialect) -> Segment:
    appointment = telling.appointment
    start, end = _hours(appointment, dialect)
    why = appointment.cancel_reason or appointment.missed_because
    minutes = str(_minutes(appointment))
    return segment(
        "SCH",
        {
            1: (appointment.reference, PORTAL),
            2: (telling.filler, dialect.receiving_application) if telling.filler else "",
            6: (dialect.motives.get(why, why),) if why else ("booked",),
            7: _reason(appointment, dialect),
            8: ("NORMAL", "", "HL70276"),
            9: minutes,
            10: "MIN",
            11: ("1", "", f"M{minutes}", start, end),
            16: _practitioner(appointment, dialect),
            20: (appointment.channel,),
            25: (STATUSES[appointment.state], "", "HL70278"),
        },
    )


def _patient(telling: Telling, dialect: Dialect) -> Segment:
    patient = telling.appointment.patient
    numbers: list[Sequence[Component]] = [(str(patient.id), "", "", (PORTAL,), "PT")]
    if telling.ipp:
        numbers.insert(0, (telling.ipp, "", "", dialect.ipp_authority or (dialect.facility,), "PI"))
    if dialect.with_ins and patient.shown_ins:
        numbers.append((patient.ins, "", "", ("ASIP-SANTE-INS-NIR", patient.ins_oid, "ISO"), _INS_TYPE))
    names: list[Sequence[Component]] = [
        (patient.birth_name, patient.first_name, " ".join(patient.first_names), "", "", "", "L")
    ]
    if patient.used_name:
        names.append((patient.used_name, patient.first_name, "", "", "", "", "D"))
    fields: dict[int, Value] = {
        1: "1",
        3: numbers,
        5: names,
        7: patient.birth_on.strftime("%Y%m%d"),
        8: patient.sex or "U",
        32: patient.identity_status,
    }
    return segment("PID", fields)


def _resources(telling: Telling, dialect: Dialect) -> list[Segment]:
    appointment, action = telling.appointment, _ACTIONS.get(telling.trigger, "U")
    start, _end = _hours(appointment, dialect)
    minutes = str(_minutes(appointment))
    site = appointment.site.finess_et
    place = (_unit(appointment, dialect), "", "", dialect.sites.get(site, site))
    return [
        segment("AIS", {1: "1", 2: action, 3: _reason(appointment, dialect), 4: start, 7: minutes, 8: "MIN"}),
        segment("AIP", {1: "1", 2: action, 3: _practitioner(appointment, dialect), 6: start, 9: minutes, 10: "MIN"}),
        segment("AIL", {1: "1", 2: action, 3: place, 6: start, 9: minutes, 10: "MIN"}),
    ]


def _hours(appointment: Appointment, dialect: Dialect) -> tuple[str, str]:
    moments = (appointment.start_at, appointment.end_at)
    start, end = (hl7v2.stamp(each, appointment.tz, with_offset=dialect.with_offset) for each in moments)
    return start, end


def _minutes(appointment: Appointment) -> int:
    return int((appointment.end_at - appointment.start_at) / timedelta(minutes=1))


def _unit(appointment: Appointment, dialect: Dialect) -> str:
    return dialect.units.get(appointment.unit.uf, appointment.unit.uf)


def _reason(appointment: Appointment, dialect: Dialect) -> tuple[str, str, str]:
    reason = appointment.reason
    return dialect.reasons.get(str(reason.id), str(reason.id)), reason.name, PORTAL


def _practitioner(appointment: Appointment, dialect: Dialect) -> Value:
    who = appointment.practitioner
    code = dialect.practitioners.get(who.rpps, who.rpps)
    authority = ("", _RPPS_OID, "ISO")
    return code, who.family_name, who.given_name, "", "", who.title, "", "", authority, "D", "", "", "RPPS"


# -- motives -------------------------------------------------------------------------------------------------------


def check_codes(dialect: Dialect) -> None:
    """Raises NotADialect when an unknown cancellation would be written down as something that is no motive."""
    if dialect.cancelled_because not in visit.CANCELLED_BY_HOSPITAL:
        raise NotADialect(f"cancelled_because is one of {', '.join(visit.CANCELLED_BY_HOSPITAL)}")


def motive(code: str, dialect: Dialect) -> str:
    """Why the hospital cancels: one of states.CANCELLED_BY_HOSPITAL."""
    found = dialect.motive(code)
    return found if found in visit.CANCELLED_BY_HOSPITAL else dialect.cancelled_because


def absence(code: str, dialect: Dialect) -> str:
    """Why somebody did not come: one of states.MISSED_BECAUSE."""
    found = dialect.motive(code)
    return found if found in visit.MISSED_BECAUSE else "unknown"


# -- reading -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """What one message says. placer: our reference, or "" when it names none of ours; is_ours: it says so itself.

    filler: the hospital's own number. practitioner: their code. why: their code of a cancellation or an absence.
    status: of table 0278.
    """

    trigger: str
    placer: str
    is_ours: bool
    filler: str
    practitioner: str
    start_at: datetime | None
    end_at: datetime | None
    said_at: datetime
    status: str
    why: str


def read(message: Message, tz: ZoneInfo, dialect: Dialect) -> Told:
    """What an SIU message says. Raises NotHl7 with the code of the acknowledgement."""
    if message.header.value(9) != "SIU":
        raise NotHl7("200", "only SIU messages are taken here")
    if message.trigger not in states.TRIGGERS:
        raise NotHl7("201", f"only {', '.join(states.TRIGGERS)} are taken here")
    sch = message.first("SCH")
    placer = sch.value(1) if sch.value(1, 2) in ("", PORTAL, dialect.application) else ""
    filler = sch.value(2)[:100]
    if not placer and not filler:
        raise NotHl7("101", "SCH-1 or SCH-2 is needed: the number of the appointment")
    start_at = _start(message, tz)
    return Told(
        message.trigger,
        placer[:100],
        bool(placer) and sch.value(1, 2) in (PORTAL, dialect.application),
        filler,
        next((each.value(3) for name in ("AIP", "AIG") for each in message.all(name) if each.value(3)), ""),
        start_at,
        _end(message, tz, start_at),
        _said(message, tz),
        sch.value(25),
        sch.value(6),
    )


def _said(message: Message, tz: ZoneInfo) -> datetime:
    """When the hospital's system wrote it down: ZBE-2 or EVN-2 when it sends them, else the message's own time."""
    given = (message.first("ZBE").value(2), message.first("EVN").value(2), message.header.value(7))
    found = next(filter(None, given), "")
    if not found:
        raise NotHl7("101", "MSH-7 is needed: when the message was written")
    return hl7v2.moment(found, tz)


def _start(message: Message, tz: ZoneInfo) -> datetime | None:
    given = [message.first("SCH").value(11, 4), message.first("TQ1").value(7)]
    given += [message.first("AIS").value(4), message.first("AIP").value(6), message.first("AIG").value(8)]
    found = next(filter(None, given), "")
    return hl7v2.moment(found, tz) if found else None


def _end(message: Message, tz: ZoneInfo, start_at: datetime | None) -> datetime | None:
    found = message.first("SCH").value(11, 5) or message.first("TQ1").value(8)
    if found:
        return hl7v2.moment(found, tz)
    minutes = _lasts(message)
    return start_at + minutes if start_at and minutes else None


def _lasts(message: Message) -> timedelta | None:
    for name, amount, unit in (("SCH", 9, 10), ("AIS", 7, 8), ("AIP", 9, 10)):
        found = message.first(name)
        if found.value(amount).isascii() and found.value(amount).isdecimal() and len(found.value(amount)) <= 6:
            each = timedelta(hours=1) if found.value(unit).upper().startswith("H") else timedelta(minutes=1)
            return int(found.value(amount)) * each
    return None
