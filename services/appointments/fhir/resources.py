"""Slots, schedules and reasons as FHIR R4 writes them. Pure; practitioners and places are the directory's.

Profiles: those of the national SAS platform (free times per practitioner) for what they cover, and FrCore's.
"""

from datetime import datetime, tzinfo
from typing import Any

from portal.establishments import Practitioner, Unit
from portal.web.fhir import Json, instant
from services.appointments.fhir import naming
from services.appointments.fhir.offer import Time
from services.appointments.models import Reason
from services.offer.fhir.resources import key_of as key_of
from services.offer.fhir.resources import location as location
from services.offer.fhir.resources import practitioner as practitioner
from services.offer.fhir.resources import role as role
from services.offer.fhir.resources import specialty as specialty

_SAS = "http://sas.fr/fhir/StructureDefinition"
_CORE = "https://hl7.fr/ig/fhir/core/StructureDefinition"
PROFILES = {
    "Slot": [f"{_SAS}/FrSlotAgregateur"],
    "Schedule": [f"{_SAS}/FrScheduleAgregateur"],
    "Appointment": [f"{_CORE}/fr-core-appointment"],
}
TAKEN = [f"{_CORE}/fr-core-slot"]
"""The SAS knows free slots alone."""
BUNDLE = f"{_SAS}/BundleAgregateur"


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


def schedule(practitioner: Practitioner, unit: Unit) -> Json:
    """A practitioner's time in a unit."""
    key = naming.pair_id(practitioner.id, unit.id)
    actors = [{"reference": f"Practitioner/{practitioner.id}"}, {"reference": f"PractitionerRole/{key}"}]
    return _resource(
        "Schedule", key, {"active": True, "specialty": specialty(practitioner.speciality), "actor": actors}
    )


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
