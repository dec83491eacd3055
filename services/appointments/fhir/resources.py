"""Slots, schedules, practitioners, their roles, places and reasons as FHIR R4 writes them. Pure.

Profiles: those of the national SAS platform (free times per practitioner) for what they cover, and FrCore's.
"""

import re
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

from portal.establishments import Practitioner, Site, Unit
from portal.web.fhir import Json, instant
from services.appointments.fhir import naming, specialities
from services.appointments.fhir.offer import Time
from services.appointments.models import Reason

_SAS = "http://sas.fr/fhir/StructureDefinition"
_CORE = "https://hl7.fr/ig/fhir/core/StructureDefinition"
PROFILES = {
    "Slot": [f"{_SAS}/FrSlotAgregateur"],
    "Schedule": [f"{_SAS}/FrScheduleAgregateur"],
    "Practitioner": [f"{_SAS}/FrPractitionerAgregateur"],
    "PractitionerRole": [f"{_SAS}/FrPractitionerRoleExerciceAgregateur"],
    "Location": [f"{_SAS}/FrLocationAgregateur"],
    "Appointment": [f"{_CORE}/fr-core-appointment"],
}
TAKEN = [f"{_CORE}/fr-core-slot"]
"""The SAS knows free slots alone."""
BUNDLE = f"{_SAS}/BundleAgregateur"
_TOWN = re.compile(r"(?P<line>.*)\b(?P<code>[0-9]{5})\s+(?P<town>[^,;]+)", re.ASCII)


def _resource(kind: str, key: str, facts: Json) -> Json:
    found: Json = {"resourceType": kind, "id": key, "meta": {"profile": PROFILES[kind]}}
    return found | {name: value for name, value in facts.items() if value != []}  # R4: no empty list


def _coding(system: str, code: str, **more: str) -> Json:
    return {"coding": [{"system": system, "code": code, **more}]}


def slot(time: Time, base: str, address: str, *, is_free: bool = True) -> Json:
    """A time for a reason. address: where a patient books it, "" when they may not alone."""
    tz = time.reason.unit.establishment.tz
    kind = "PUBLIC" if time.is_public else "PRO"
    found = _resource(
        "Slot",
        naming.slot_id(time.slot, time.reason.id),
        {
            "serviceType": service_types(time.reason, base),
            "specialty": specialty(time.practitioner.speciality),
            "appointmentType": _coding(naming.APPOINTMENT_KINDS, "ROUTINE"),
            "schedule": {"reference": f"Schedule/{naming.pair_id(time.practitioner.id, time.reason.unit_id)}"},
            "status": "free" if is_free else "busy",
            "start": instant(time.start_at, tz),
            "end": instant(time.end_at, tz),
        },
    )
    if not is_free:
        return found | {"meta": {"profile": TAKEN}}
    found["meta"] = {"profile": PROFILES["Slot"], "security": [{"system": naming.SLOT_KINDS, "code": kind}]}
    return found | ({"comment": address} if address else {})


def taken(key: str, schedule: str, begins: datetime, ends: datetime, tz: tzinfo, *, is_kept: bool) -> Json:
    """A stretch of time that is not free; is_kept: for somebody who has not confirmed yet. By whom is never said."""
    return {
        "resourceType": "Slot",
        "id": key,
        "meta": {"profile": TAKEN},
        "schedule": {"reference": f"Schedule/{schedule}"},
        "status": "busy-tentative" if is_kept else "busy",
        "start": instant(begins, tz),
        "end": instant(ends, tz),
    }


def service_types(reason: Reason, base: str) -> list[Json]:
    """Ambulatory or at a distance, then the reason by the hospital's own code."""
    own = {"system": naming.system(base, "reason"), "code": str(reason.id), "display": reason.name}
    return [
        _coding(naming.ACTS, "VR" if reason.is_remote else "AMB"),
        {"coding": [own], "text": reason.name},
    ]


def specialty(words: str) -> list[Json]:
    code = specialities.code_of(words)
    return [(_coding(naming.SPECIALITIES, code) if code else {}) | {"text": words}] if words else []


def schedule(practitioner: Practitioner, unit: Unit) -> Json:
    """A practitioner's time in a unit."""
    key = naming.pair_id(practitioner.id, unit.id)
    actors = [{"reference": f"Practitioner/{practitioner.id}"}, {"reference": f"PractitionerRole/{key}"}]
    return _resource(
        "Schedule", key, {"active": True, "specialty": specialty(practitioner.speciality), "actor": actors}
    )


def practitioner(one: Practitioner) -> Json:
    """By the national number."""
    number: Json = {
        "type": _coding(naming.IDENTIFIER_TYPES, "IDNPS"),
        "system": naming.RPPS,
        "value": naming.national_number(one.rpps),
    }
    name: Json = {"family": one.family_name, "given": [one.given_name]}
    if one.title:
        name["prefix"] = [one.title]
    return _resource("Practitioner", str(one.id), {"identifier": [number], "active": True, "name": [name]})


def role(one: Practitioner, unit: Unit, base: str) -> Json:
    """Where a practitioner receives: the unit, its hospital, its place."""
    structure = {
        "type": _coding(naming.IDENTIFIER_TYPES, "IDNST"),
        "system": naming.STRUCTURES,
        "value": f"1{unit.site.finess_et}",
    }
    telephone = unit.phone or unit.establishment.phone
    facts: Json = {
        "contained": [location(unit.site, base, contained_as="place")],
        "active": True,
        "practitioner": {"reference": f"Practitioner/{one.id}"},
        "organization": {"identifier": structure, "display": unit.establishment.name},
        "specialty": specialty(one.speciality),
        "location": [{"reference": "#place", "display": f"{unit.site.name}, {unit.name}"}],
    }
    if telephone:
        facts["telecom"] = [{"system": "phone", "value": telephone}]
    return _resource("PractitionerRole", naming.pair_id(one.id, unit.id), facts)


def location(site: Site, base: str, contained_as: str = "") -> Json:
    number = {
        "type": _coding(naming.PLACE_TYPES, "INTRN"),
        "system": naming.system(base, "site"),
        "value": str(site.id),
    }
    facts: Json = {"identifier": [number], "name": site.name, "address": address(site.address, site.name)}
    if site.town and "city" not in facts["address"]:
        facts["address"]["city"] = site.town
    return _resource("Location", contained_as or str(site.id), facts)


def address(text: str, name: str) -> Json:
    """An address as hospitals write it (« 12 avenue des Tilleuls, 91990 Arceau »), in parts when it has them."""
    plain = " ".join(text.split())
    found = _TOWN.fullmatch(plain)
    if found is None:
        return {"line": [plain or name], **({"text": plain} if plain else {})}
    return {
        "line": [found["line"].rstrip(" ,;–-") or name],
        "city": found["town"].strip(),
        "postalCode": found["code"],
        "country": "FR",
    }


def reason(one: Reason, base: str) -> Json:
    """A reason as a HealthcareService: what it takes and asks of patients."""
    facts: dict[str, Any] = {
        "resourceType": "HealthcareService",
        "id": str(one.id),
        "active": one.closed_at is None,
        "identifier": [{"system": naming.system(base, "reason"), "value": str(one.id)}],
        "providedBy": {"display": one.unit.establishment.name},
        "type": service_types(one, base),
        "name": one.name,
        "location": [{"reference": f"Location/{one.unit.site_id}"}],
        "appointmentRequired": True,
    }
    if one.instructions:
        facts["extraDetails"] = one.instructions
    if one.by_referral_only:
        facts["referralMethod"] = [{"text": "practitioner"}]
    return facts


def key_of(text: str) -> UUID | None:
    """A key of ours, None for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return None
