"""Requests as ServiceRequest, each unit's answer as Task, and what units take as ActivityDefinition. Pure."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from portal.web.fhir import Json, instant
from services.referrals.fhir import naming
from services.referrals.fhir.shapes import Identifier
from services.referrals.models import Referral, ReferralFile, ReferralMessage, ReferralOffer, ReferralTarget

TASK_STATUSES: Final = {
    "waiting": "draft",
    "received": "received",
    "asked": "on-hold",
    "accepted": "accepted",
    "refused": "rejected",
    "redirected": "rejected",
    "completed": "completed",
    "withdrawn": "cancelled",
    "objected": "cancelled",
    "lapsed": "failed",
}
"""Our state → Task.status; `received` is `requested` until the unit has opened it."""
_SEXES: Final = {"M": "male", "F": "female"}


def task_status(target: ReferralTarget) -> str:
    if target.state == "received" and target.unit_seen_at is None:
        return "requested"
    return TASK_STATUSES[target.state]


def request_status(targets: Sequence[ReferralTarget]) -> str:
    """active while something is open; completed once a unit has seen the patient or answered; revoked otherwise."""
    states = {each.state for each in targets}
    if states & {"waiting", "received", "asked", "accepted"}:
        return "active"
    return "completed" if "completed" in states else "revoked" if states & {"withdrawn", "objected"} else "active"


def service_request(
    referral: Referral, targets: Sequence[ReferralTarget], names: Sequence[Identifier], rpps: str, base: str
) -> Json:
    """targets: those of the reader's hospital. names: what the sender calls it. rpps: in whose name it sent it, ""
    when the reader did not."""
    changed = max(each.changed_at for each in targets)
    tz = targets[0].establishment.tz
    requester: Json = {"display": referral.professional_name}
    if rpps := rpps or (referral.professional.rpps if referral.professional else referral.rpps):
        requester["identifier"] = {"system": naming.RPPS, "value": f"8{rpps}"}
    return {
        "resourceType": "ServiceRequest",
        "id": str(referral.id),
        "meta": {"lastUpdated": instant(changed, tz)},
        "contained": [_patient(referral)],
        "identifier": [
            {"system": naming.system(base, "referral"), "value": referral.reference},
            *({"system": system, "value": value} for system, value in names),
        ],
        "status": request_status(targets),
        "intent": "order",
        "category": [{"coding": [{"system": naming.system(base, "referral-kind"), "code": referral.kind}]}],
        "orderDetail": [_urgency(referral, base)],
        "subject": {"reference": "#patient"},
        "authoredOn": instant(referral.sent_at, tz),
        "requester": requester,
        "performer": [_unit(each.offer, base) for each in sorted(targets, key=lambda each: each.position)],
        "reasonCode": [{"text": referral.question}],
    }


def _patient(referral: Referral) -> Json:
    """In the practitioner's words: what the hospital knows of anybody is not said here."""
    told: Json = {
        "resourceType": "Patient",
        "id": "patient",
        "name": [{"use": "official", "family": referral.birth_name, "given": [referral.first_name]}],
        "birthDate": referral.birth_on.isoformat(),
    }
    return told | ({"gender": _SEXES[referral.sex]} if referral.sex in _SEXES else {})


def _urgency(referral: Referral, base: str) -> Json:
    coding = {
        "system": naming.system(base, "referral-urgency"), "code": referral.urgency, "display": referral.urgency_label,
    }  # fmt: skip
    return {"coding": [coding]}


def _unit(offer: ReferralOffer, base: str) -> Json:
    return {
        "type": "HealthcareService",
        "identifier": {"system": naming.system(base, "referral-offer"), "value": str(offer.id)},
        "display": f"{offer.unit.name} – {offer.name}",
    }


def task(target: ReferralTarget, base: str) -> Json:
    """What became of a request at one unit: its state, its clock, what was said, the date."""
    tz, referral = target.establishment.tz, target.referral
    told: Json = {
        "resourceType": "Task",
        "id": str(target.id),
        "meta": {"lastUpdated": instant(last_updated(target), tz)},
        "identifier": [{"system": naming.system(base, "referral"), "value": referral.reference}],
        "basedOn": [{"reference": f"ServiceRequest/{referral.id}"}],
        "status": task_status(target),
        "businessStatus": {"coding": [{"system": naming.system(base, "referral-state"), "code": target.state}]},
        "intent": "order",
        "focus": {"reference": f"ServiceRequest/{referral.id}"},
        "lastModified": instant(last_updated(target), tz),
        "owner": _unit(target.offer, base),
        "note": [_note(each, tz) for each in target.messages],
        "output": _outputs(target, base),
    }
    if target.received_at:
        told["authoredOn"] = instant(target.received_at, tz)
    if target.answer_by:
        told["restriction"] = {"period": {"end": instant(target.answer_by, tz)}}
    if target.why or target.advice:
        told["statusReason"] = _reason(target, base)
    return {name: value for name, value in told.items() if value != []}


def last_updated(target: ReferralTarget) -> datetime:
    return max([target.changed_at, *(each.sent_at for each in target.messages)])


def _note(message: ReferralMessage, tz: tzinfo) -> Json:
    return {"authorString": message.author_name, "time": instant(message.sent_at, tz), "text": message.text or "–"}


def _reason(target: ReferralTarget, base: str) -> Json:
    coding = [{"system": naming.system(base, "referral-why"), "code": target.why}] if target.why else []
    return {**({"coding": coding} if coding else {}), **({"text": target.advice} if target.advice else {})}


def _outputs(target: ReferralTarget, base: str) -> list[Json]:
    found: list[Json] = []
    tz = target.establishment.tz
    if target.outcome_at:
        found.append({"type": {"text": target.outcome_kind}, "valueDateTime": instant(target.outcome_at, tz)})
    if target.opinion:
        found.append({"type": {"text": "opinion"}, "valueString": target.opinion})
    if target.proposed:
        found.append({"type": {"text": "proposed"}, "valueReference": _unit(target.proposed, base)})
    for message in target.messages:
        if message.sender == "unit":
            found += [_document(target, each, base) for each in message.files if each.file.state == "clean"]
    return found


def _document(target: ReferralTarget, joined: ReferralFile, base: str) -> Json:
    stored = joined.file
    url = f"{base}/Task/{target.id}/$file/{joined.id}"
    attachment = {"contentType": stored.media_type, "url": url, "title": stored.name, "size": stored.size}
    return {"type": {"text": "document"}, "valueAttachment": attachment}


def activity(offer: ReferralOffer, base: str) -> Json:
    """What a unit takes, and its rules: urgency grid and files, as our own codes."""
    own = naming.system(base, "referral-offer")
    written = "\n\n".join(each for each in (offer.presentation, offer.requires) if each)
    return {
        "resourceType": "ActivityDefinition",
        "id": str(offer.id),
        "identifier": [{"system": own, "value": str(offer.id)}],
        "status": "active" if offer.is_open else "retired",
        "title": offer.name,
        "publisher": f"{offer.unit.name} – {offer.establishment.name}",
        "kind": "ServiceRequest",
        **({"description": written} if written else {}),
        "topic": [{"coding": [{"system": naming.system(base, "referral-kind"), "code": offer.kind}]}],
        "useContext": [_ages(offer)],
        "extension": [*_levels(offer, base), *_files(offer, base)],
    }


def _ages(offer: ReferralOffer) -> Json:
    code = {"system": "http://terminology.hl7.org/CodeSystem/usage-context-type", "code": "age"}
    unit = {"unit": "a", "system": "http://unitsofmeasure.org", "code": "a"}
    return {
        "code": code,
        "valueRange": {"low": {"value": offer.age_from, **unit}, "high": {"value": offer.age_to, **unit}},
    }


def _levels(offer: ReferralOffer, base: str) -> list[Json]:
    own = naming.system(base, "referral-urgency")
    return [
        {
            "url": own,
            "extension": [
                {"url": "coding", "valueCoding": {"system": own, "code": level.code, "display": level.label}},
                {"url": "answerHours", "valueInteger": level.answer_hours},
                *([{"url": "call", "valueString": offer.call}] if level.by_phone and offer.call else []),
            ],
        }
        for level in offer.levels
    ]


def _files(offer: ReferralOffer, base: str) -> list[Json]:
    own = naming.system(base, "referral-file")
    return [
        {
            "url": own,
            "extension": [
                {"url": "coding", "valueCoding": {"system": own, "code": each.code, "display": each.label}},
                {"url": "required", "valueBoolean": each.required},
            ],
        }
        for each in offer.asked_files
    ]
