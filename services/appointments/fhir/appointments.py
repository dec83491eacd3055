"""An appointment as FHIR R4 writes it. Pure."""

from typing import Any

from auth.models import Patient
from portal.web.fhir import Json, instant
from services.appointments import states
from services.appointments.fhir import naming, resources
from services.appointments.fhir.records import Written
from services.appointments.models import Appointment
from services.appointments.slots import Slot

STATUSES = {
    states.BOOKED: "booked",
    states.ARRIVED: "arrived",
    states.DONE: "fulfilled",
    states.MISSED: "noshow",
    states.CANCELLED: "cancelled",
}
_GENDERS = {"F": "female", "M": "male"}
_WHY = {"practitioner_absent": "prov", "unit_closed": "prov", "entered_by_mistake": "oth"}


def appointment(written: Written, base: str, ipp: str, *, with_patient: bool) -> Json:
    """base: the service's address. ipp: the system of the hospital's patient numbers. with_patient: with the patient's
    traits, for a machine that may read identities; the others read identifiers alone."""
    made = written.appointment
    slot = naming.slot_id(Slot(made.session_id, made.first_cell), made.reason_id)
    facts: dict[str, Any] = {
        "resourceType": "Appointment",
        "id": str(made.id),
        "meta": {
            "versionId": str(written.version),
            "lastUpdated": instant(written.changed_at, made.tz),
            "profile": resources.PROFILES["Appointment"],
        },
        "contained": [_patient(made.patient, written, base, ipp)] if with_patient else [],
        "identifier": [
            {"use": "official", "system": naming.system(base, "appointment"), "value": made.reference},
            *({"system": system, "value": value} for system, value in written.identifiers),
        ],
        "status": STATUSES[made.state],
        "cancelationReason": _why(made, base),
        "serviceType": resources.service_types(made.reason, base),
        "specialty": resources.specialty(made.practitioner.speciality),
        "start": instant(made.start_at, made.tz),
        "end": instant(made.end_at, made.tz),
        "minutesDuration": int((made.end_at - made.start_at).total_seconds() // 60),
        "slot": [{"reference": f"Slot/{slot}"}],
        "created": instant(made.booked_at, made.tz),
        "participant": list(_participants(written, base, ipp, with_patient=with_patient)),
    }
    return {name: value for name, value in facts.items() if value not in ([], None)}


def _participants(written: Written, base: str, ipp: str, *, with_patient: bool) -> tuple[Json, Json, Json]:
    made = written.appointment
    patient: Json = {"type": "Patient", "identifier": _identifiers(made.patient, written, base, ipp)[0]}
    if with_patient:
        patient["reference"] = "#patient"
    practitioner = {
        "reference": f"Practitioner/{made.practitioner_id}",
        "type": "Practitioner",
        "identifier": {"system": naming.RPPS, "value": naming.national_number(made.practitioner.rpps)},
        "display": made.practitioner.full_name,
    }
    place = {"reference": f"Location/{made.site_id}", "type": "Location", "display": made.site.name}
    status = "declined" if made.state == states.CANCELLED else "accepted"
    who, whom, where = (
        {"actor": actor, "required": "required", "status": status} for actor in (patient, practitioner, place)
    )
    return who, whom, where


def _identifiers(patient: Patient, written: Written, base: str, ipp: str) -> list[Json]:
    """The hospital's number first, the qualified national identity, else the portal's own key."""
    found: list[Json] = []
    if written.ipp:
        found.append({"system": ipp, "value": written.ipp})
    if patient.shown_ins:
        found.append({"system": f"urn:oid:{patient.ins_oid}", "value": patient.shown_ins})
    return found or [{"system": naming.system(base, "patient"), "value": str(patient.id)}]


def _patient(patient: Patient, written: Written, base: str, ipp: str) -> Json:
    name: Json = {"use": "official", "family": patient.birth_name, "given": list(patient.first_names)}
    names = [name]
    if patient.used_name:
        names.append({"use": "usual", "family": patient.used_name, "given": list(patient.first_names)})
    return {
        "resourceType": "Patient",
        "id": "patient",
        "identifier": _identifiers(patient, written, base, ipp),
        "name": names,
        "gender": _GENDERS.get(patient.sex, "unknown"),
        "birthDate": patient.birth_on.isoformat(),
    }


def _why(made: Appointment, base: str) -> Json | None:
    if made.state != states.CANCELLED:
        return None
    codes = [{"system": naming.CANCELLATIONS, "code": _WHY.get(made.cancel_reason, "pat")}]
    if made.cancel_reason:
        codes.append({"system": naming.system(base, "cancellation"), "code": made.cancel_reason})
    return {"coding": codes}
