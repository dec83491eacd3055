"""A pre-admission as an Encounter (profile preadmission-encounter-fr). Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.web.fhir import Json, instant
from services.preadmission.fhir import naming, statuses
from services.preadmission.models import Preadmission

Identifier = tuple[str, str]
"""System and value."""
CLASSES = {"outpatient": ("AMB", "ambulatory"), "day_case": ("IMP", "inpatient encounter"),
           "inpatient": ("IMP", "inpatient encounter"), "maternity": ("IMP", "inpatient encounter")}  # fmt: skip


@dataclass(frozen=True)
class Systems:
    """Identifier systems of one hospital. base: the service's address. ipp, visit: of its patient and visit numbers."""

    base: str
    finess: str
    ipp: str
    visit: str

    def own(self, what: str) -> str:
        return naming.system(self.base, what)

    @property
    def unit(self) -> str:
        """Of its functional units (UF)."""
        return self.own(f"unit/{self.finess}")


@dataclass(frozen=True)
class Known:
    """A file and all that its Encounter says. at: when this version was first there. instructions: to the patient."""

    preadmission: Preadmission
    version: int
    at: datetime
    appointment: str = ""
    identifiers: Sequence[Identifier] = field(default_factory=tuple)
    ipp: str = ""
    instructions: str = ""


def begun(preadmission: Preadmission) -> bool:
    """Whether the patient has written anything: a draft is made in one moment, and changed later."""
    return preadmission.state != "draft" or preadmission.changed_at > preadmission.created_at


def encounter(known: Known, systems: Systems, *, reads_people: bool) -> Json:
    """reads_people: with the patient's name, for a machine that may read identities."""
    file = known.preadmission
    code, display = CLASSES[file.stay_kind]
    facts: dict[str, Any] = {
        "resourceType": "Encounter",
        "id": str(file.id),
        "meta": meta(known),
        "extension": list(_extensions(known)),
        "identifier": [_visit_number(*each) for each in _numbers(known, systems)],
        "status": statuses.ENCOUNTER.get(file.state, "planned"),
        "class": {"system": naming.ACTS, "code": code, "display": display},
        "type": [{"coding": [{"system": systems.own("stay-kind"), "code": file.stay_kind}]}],
        "subject": _subject(known, systems, reads_people=reads_people),
        "appointment": [{"reference": known.appointment}] if known.appointment else [],
        "period": {"start": file.planned_on.isoformat()},
        "location": [{"location": _unit(file, systems), "status": "planned"}],
        "serviceProvider": {
            "identifier": {"system": naming.FINESS, "value": systems.finess},
            "display": file.establishment.name,
        },
    }
    return {name: value for name, value in facts.items() if value not in ([], None)}


def meta(known: Known) -> Json:
    file = known.preadmission
    return {
        "versionId": str(known.version),
        "lastUpdated": instant(known.at, file.establishment.tz),
        "profile": [naming.PROFILES["Encounter"]],
        **security(file),
    }


def security(file: Preadmission) -> Json:
    """A confidential stay is V (very restricted), one kept from those who act for the patient is R (restricted): the
    hospital's system shows it to fewer people, and never loses it."""
    code = "V" if file.confidential else "R" if file.masked else ""
    return {"security": [{"system": naming.CONFIDENTIALITY, "code": code}]} if code else {}


def status(file: Preadmission) -> str:
    return statuses.code_of(file.state, begun=begun(file))


def _extensions(known: Known) -> Collection[Json]:
    code = status(known.preadmission)
    told = {"coding": [{"system": naming.STATUSES, "code": code, "display": statuses.DISPLAYS[code]}]}
    found: list[Json] = [{"url": naming.STATUS, "valueCodeableConcept": told}]
    if known.instructions:
        found.append({"url": naming.INSTRUCTIONS, "valueString": known.instructions})
    return found


def _numbers(known: Known, systems: Systems) -> Sequence[Identifier]:
    """The visit number of the hospital, what its systems call the stay, and our reference."""
    number = known.preadmission.visit_number
    found = [(systems.visit, number)] if number else []
    found += [each for each in known.identifiers if each not in found]
    return [*found, (systems.own("preadmission"), known.preadmission.reference)]


def _visit_number(system: str, value: str) -> Json:
    """As the guide wants every identifier: temporary, of type VN."""
    kind = {"coding": [{"system": naming.IDENTIFIER_TYPES, "code": "VN", "display": "Visit Number"}]}
    return {"use": "temp", "type": kind, "system": system, "value": value}


def _subject(known: Known, systems: Systems, *, reads_people: bool) -> Json:
    patient = known.preadmission.patient
    found: Json = {"reference": f"Patient/{patient.id}", "type": "Patient"}
    if known.ipp:
        found["identifier"] = {"system": systems.ipp, "value": known.ipp}
    if reads_people:
        found["display"] = patient.full_name
    return found


def _unit(file: Preadmission, systems: Systems) -> Json:
    return {
        "type": "Location",
        "identifier": {"system": systems.unit, "value": file.unit.uf},
        "display": file.unit.name,
    }
