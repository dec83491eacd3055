"""An Encounter as the hospital's system writes it, read with care: all may be missing, or of another type. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from services.preadmission.fhir import naming, statuses
from services.preadmission.fhir.encounters import Identifier, Systems
from services.preadmission.kinds import STAY_KINDS

_LONGEST, _MOST = 2000, 20
_KINDS_OF = {"AMB": ("outpatient",), "VR": ("outpatient",), "IMP": ("inpatient", "day_case", "maternity")}
"""Class → the kinds of stay that it may be, the usual one first."""
Json = dict[str, Any]


class Unreadable(Exception):
    """The resource lacks something, or says it in a way we do not read. expression: where."""

    def __init__(self, text: str, expression: str) -> None:
        super().__init__(text, expression)
        self.text, self.expression = text, f"Encounter.{expression}"


@dataclass(frozen=True)
class Told:
    """What was said of a stay; "" or None for what was not. code: of the guide's status. patient: identifiers, any of
    which may name them. uf: the unit's. appointment: `Appointment/<id>`."""

    code: str
    stay_kind: str
    planned_on: date | None
    identifiers: tuple[Identifier, ...] = ()
    visit_number: str = ""
    patient: tuple[Identifier, ...] = ()
    patient_id: str = ""
    ipp: str = ""
    uf: str = ""
    instructions: str = ""
    appointment: str = ""


def read(sent: Json, systems: Systems, tz: tzinfo) -> Told:
    """tz: of the hospital, for the day on which the stay begins. Raises Unreadable."""
    code = _status(sent)
    identifiers = tuple(
        each for each in _identifiers(sent.get("identifier"), "identifier") if each[0] != systems.own("preadmission")
    )
    patient, patient_id = _subject(sent, systems)
    return Told(
        "CANCELLED" if sent.get("status") in ("cancelled", "entered-in-error") else code,
        _kind(sent, systems),
        _day(sent, tz),
        tuple(each for each in identifiers if each[0] != systems.visit),
        next((value for system, value in identifiers if system == systems.visit), ""),
        patient,
        patient_id,
        next((value for system, value in patient if system == systems.ipp), ""),
        _unit(sent, systems),
        _instructions(sent),
        _appointment(sent, systems),
    )


# -- shapes --------------------------------------------------------------------------------------------------------


def _list(value: Any, where: str) -> list[Json]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _MOST or not all(isinstance(each, dict) for each in value):
        raise Unreadable(f"a list of at most {_MOST} objects", where)
    return value


def _object(value: Any, where: str) -> Json:
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
        yield _identifier(each, where)


def _identifier(value: Json, where: str) -> Identifier:
    system, number = _text(value.get("system"), f"{where}.system"), _text(value.get("value"), f"{where}.value")
    if not (system and number) or len(system) > 500 or len(number) > 200:
        raise Unreadable("a system and a value", where)
    return system, number


# -- fields --------------------------------------------------------------------------------------------------------


def _extension(sent: Json, *names: str) -> Json:
    return next((each for each in _list(sent.get("extension"), "extension") if each.get("url") in names), {})


def _status(sent: Json) -> str:
    told = _object(_extension(sent, *naming.STATUS_NAMES).get("valueCodeableConcept"), "extension")
    codes = [_text(each.get("code"), "extension") for each in _list(told.get("coding"), "extension")]
    found = next((code.upper() for code in codes if code.upper() in statuses.CODES), "")
    if codes and not found:
        raise Unreadable(f"one of {', '.join(statuses.CODES)}", "extension")
    return found


def _kind(sent: Json, systems: Systems) -> str:
    """By our own code among the types; else by the class."""
    said = _text(_object(sent.get("class"), "class").get("code"), "class.code")
    if said and said not in _KINDS_OF:
        raise Unreadable(f"one of {', '.join(_KINDS_OF)}", "class.code")
    possible = _KINDS_OF.get(said, STAY_KINDS)
    for concept in _list(sent.get("type"), "type"):
        for coding in _list(concept.get("coding"), "type.coding"):
            if coding.get("system") == systems.own("stay-kind"):
                code = _text(coding.get("code"), "type.coding.code")
                if code not in possible:
                    raise Unreadable(f"one of {', '.join(possible)}", "type.coding.code")
                return code
    return possible[0] if said else ""


def _day(sent: Json, tz: tzinfo) -> date | None:
    text = _text(_object(sent.get("period"), "period").get("start"), "period.start")
    if not text:
        return None
    try:
        found = date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError as error:
        raise Unreadable("a day, or a moment with its offset", "period.start") from error
    if isinstance(found, datetime):
        if found.tzinfo is None:
            raise Unreadable("a moment with its offset", "period.start")
        found = found.astimezone(tz).date() if 2000 <= found.year < 2200 else found.date()
    if not 2000 <= found.year < 2200:
        raise Unreadable("a day of this century", "period.start")
    return found


def _subject(sent: Json, systems: Systems) -> tuple[tuple[Identifier, ...], str]:
    """The patient's identifiers: of the reference itself, or of the Patient inside the resource; or our own id."""
    subject = _object(sent.get("subject"), "subject")
    if told := _object(subject.get("identifier"), "subject.identifier"):
        return (_identifier(told, "subject.identifier"),), ""
    reference = _text(subject.get("reference"), "subject.reference").removeprefix(f"{systems.base}/")
    if reference.startswith("#"):
        inside = [each for each in _list(sent.get("contained"), "contained") if each.get("id") == reference[1:]]
        found = [each for one in inside for each in _identifiers(one.get("identifier"), "contained.identifier")]
        return tuple(found), ""
    kind, _slash, key = reference.partition("/")
    return (), key if kind == "Patient" else ""


def _unit(sent: Json, systems: Systems) -> str:
    for each in _list(sent.get("location"), "location"):
        place = _object(each.get("location"), "location.location")
        if told := _object(place.get("identifier"), "location.location.identifier"):
            system, value = _identifier(told, "location.location.identifier")
            if system == systems.unit:
                return value
    return ""


def _instructions(sent: Json) -> str:
    return _text(_extension(sent, naming.INSTRUCTIONS).get("valueString"), "extension")


def _appointment(sent: Json, systems: Systems) -> str:
    found = _list(sent.get("appointment"), "appointment")
    if len(found) > 1:
        raise Unreadable("one appointment", "appointment")
    reference = _text(found[0].get("reference"), "appointment") if found else ""
    reference = reference.removeprefix(f"{systems.base}/")
    if reference and naming.key_of(reference.removeprefix("Appointment/")) is None:
        raise Unreadable("an appointment of this portal", "appointment")
    return reference
