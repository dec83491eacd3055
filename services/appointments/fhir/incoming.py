"""An Appointment as another system writes it, read with care: every field may be missing, or of another type. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.appointments import states
from services.appointments.fhir import naming
from services.appointments.slots import Slot

Identifier = tuple[str, str]
"""System and value."""

STATUSES = {
    "proposed": states.BOOKED,
    "pending": states.BOOKED,
    "booked": states.BOOKED,
    "arrived": states.ARRIVED,
    "checked-in": states.ARRIVED,
    "fulfilled": states.DONE,
    "noshow": states.MISSED,
    "cancelled": states.CANCELLED,
    "entered-in-error": states.CANCELLED,
}
"""FHIR status → the state it asks for. What is proposed or pending here takes the time at once: nobody else may."""
_LONGEST = 1000
_MOST = 20
_WHY = {"pat": "patient_asked", "prov": "practitioner_absent", "oth": "unit_closed"}


class Unreadable(Exception):
    """The resource lacks something, or says it in a way we do not read. expression: where."""

    def __init__(self, text: str, expression: str) -> None:
        super().__init__(text, expression)
        self.text, self.expression = text, expression


@dataclass(frozen=True)
class Told:
    """What was said of an appointment; None for what was not. patient: identifiers any of which may name them.

    why: one of states.CANCELLED_BY_HOSPITAL.
    """

    status: str
    state: str
    identifiers: tuple[Identifier, ...]
    slot: Slot | None
    reason_id: UUID | None
    start_at: datetime | None
    end_at: datetime | None
    patient: tuple[Identifier, ...]
    rpps: str
    why: str


def read(sent: dict[str, Any], base: str) -> Told:
    """base: our own address, that references may begin with. Raises Unreadable."""
    status = sent.get("status")
    if not isinstance(status, str) or status not in STATUSES:
        raise Unreadable(f"one of {', '.join(STATUSES)}", "Appointment.status")
    slot, slot_reason = _slot(sent, base)
    patient, rpps = _participants(sent)
    return Told(
        status,
        STATUSES[status],
        tuple(_identifiers(sent.get("identifier"), "Appointment.identifier")),
        slot,
        slot_reason or _reason(sent, base),
        _instant(sent, "start"),
        _instant(sent, "end"),
        patient,
        rpps,
        _why(sent, status),
    )


def _list(value: Any, where: str) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _MOST or not all(isinstance(each, dict) for each in value):
        raise Unreadable(f"a list of at most {_MOST} objects", where)
    return value


def _object(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unreadable("an object", where)
    return value


def _text(value: Any, where: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise Unreadable("a short text", where)
    return value.strip()


def _identifiers(value: Any, where: str) -> Iterator[Identifier]:
    for each in _list(value, where):
        found = _identifier(each, where)
        if found is not None:
            yield found


def _identifier(value: Any, where: str) -> Identifier | None:
    one = _object(value, where)
    system, number = _text(one.get("system"), f"{where}.system"), _text(one.get("value"), f"{where}.value")
    if one and not (system and number):
        raise Unreadable("a system and a value", where)
    return (system, number) if one else None


def _instant(sent: dict[str, Any], name: str) -> datetime | None:
    text = _text(sent.get(name), f"Appointment.{name}")
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unreadable("an instant", f"Appointment.{name}") from error
    if at.tzinfo is None or not 2000 <= at.year < 2200:
        raise Unreadable("an instant with its offset", f"Appointment.{name}")
    return at


def _slot(sent: dict[str, Any], base: str) -> tuple[Slot | None, UUID | None]:
    slots = _list(sent.get("slot"), "Appointment.slot")
    if not slots:
        return None, None
    if len(slots) > 1:
        raise Unreadable("one slot", "Appointment.slot")
    reference = _text(slots[0].get("reference"), "Appointment.slot").removeprefix(f"{base}/")
    kind, _slash, key = reference.partition("/")
    try:
        if kind != "Slot":
            raise naming.NotAnId(reference[:64])
        return naming.slot_of(key)
    except naming.NotAnId as error:
        raise Unreadable("a slot that a search gave", "Appointment.slot") from error


def _reason(sent: dict[str, Any], base: str) -> UUID | None:
    """By our own code, among the service types."""
    for concept in _list(sent.get("serviceType"), "Appointment.serviceType"):
        for coding in _list(concept.get("coding"), "Appointment.serviceType.coding"):
            if coding.get("system") == naming.system(base, "reason"):
                try:
                    return UUID(_text(coding.get("code"), "Appointment.serviceType.coding.code"))
                except ValueError as error:
                    raise Unreadable("no such reason", "Appointment.serviceType.coding.code") from error
    return None


def _participants(sent: dict[str, Any]) -> tuple[tuple[Identifier, ...], str]:
    """The patient's identifiers, and the practitioner's national number ("" when it is not said)."""
    patient: list[Identifier] = []
    rpps = ""
    for each in _list(sent.get("participant"), "Appointment.participant"):
        actor = _object(each.get("actor"), "Appointment.participant.actor")
        found = _named(actor, sent)
        if found and found[0][0] == naming.RPPS:
            rpps = naming.rpps_of(found[0][1])
        elif found and not _is_of_another_kind(actor):
            patient += found
    return tuple(patient), rpps


def _is_of_another_kind(actor: dict[str, Any]) -> bool:
    kind = _text(actor.get("type"), "Appointment.participant.actor.type")
    reference = _text(actor.get("reference"), "Appointment.participant.actor.reference")
    said = kind or (
        "" if reference.startswith("#") else reference.partition("?")[0].rpartition("/")[0].rpartition("/")[2]
    )
    return said not in ("", "Patient")


def _named(actor: dict[str, Any], sent: dict[str, Any]) -> list[Identifier]:
    """Who an actor is: by identifier, by a contained resource, or by a search (`Patient?identifier=system|value`)."""
    where = "Appointment.participant.actor"
    found = _identifier(actor.get("identifier"), f"{where}.identifier")
    if found is not None:
        return [found]
    reference = _text(actor.get("reference"), f"{where}.reference")
    if reference.startswith("#"):
        inside = _list(sent.get("contained"), "Appointment.contained")
        return [
            identifier
            for each in inside
            if each.get("id") == reference[1:]
            for identifier in _identifiers(each.get("identifier"), "Appointment.contained.identifier")
        ]
    kind, mark, query = reference.partition("?identifier=")
    system, bar, value = query.replace("%7C", "|").replace("%7c", "|").partition("|")
    return [(system, value)] if mark and bar and system and value and kind.endswith(("Patient", "Practitioner")) else []


def _why(sent: dict[str, Any], status: str) -> str:
    if status == "entered-in-error":
        return "entered_by_mistake"
    reason = _object(sent.get("cancelationReason"), "Appointment.cancelationReason")
    codes = [
        _text(each.get("code"), "Appointment.cancelationReason.coding.code")
        for each in _list(reason.get("coding"), "Appointment.cancelationReason.coding")
    ]
    for code in codes:
        if code in states.CANCELLED_BY_HOSPITAL:
            return code
        if (known := _WHY.get(code.partition("-")[0])) is not None:
            return known
    return "patient_asked"
