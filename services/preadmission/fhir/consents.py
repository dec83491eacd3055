"""The three choices as a Consent (profile preadmission-consent-fr): one root provision, three below it. Pure.

The guide names the acts in two ways from one of its versions to the next (consentaction, then v3-ActCode): both codings
are given. What was not answered has no type, as the guide says: neither permit nor deny.
"""

from datetime import datetime

from portal.web.fhir import Json, instant
from services.preadmission.answers import Choices
from services.preadmission.fhir import naming
from services.preadmission.fhir.encounters import Known

_ACTS = {"access": "INFORMATION", "collect": "INFAUTHR", "disclose": "DISCL"}


def consent(known: Known, told: Choices | None, said_at: datetime) -> Json | None:
    """said_at: when the patient chose. None when they have not."""
    if told is None:
        return None
    file = known.preadmission
    below = (
        _provision("access", "TREAT", told.outside_team),
        # Feeding the record is information, not a consent: unless the person objected, it is fed (CSP R1111-47).
        _provision("collect", "TREAT", not told.record_opposed),
        _provision("disclose", "PATREQ", told.by_text or told.by_mail),
    )
    return {
        "resourceType": "Consent",
        "id": str(file.id),
        "meta": {"profile": [naming.PROFILES["Consent"]]},
        "status": "active",
        "scope": {"coding": [{"system": naming.CONSENT_SCOPES, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": naming.LOINC, "code": "59284-0", "display": "Consent Document"}]}],
        "patient": {"reference": f"Patient/{file.patient_id}"},
        "dateTime": instant(said_at, file.establishment.tz),
        "policyRule": {"coding": [{"system": naming.ACTS, "code": "OPTIN"}], "text": told.text_version or "OPTIN"},
        "provision": {
            "type": "permit",
            "data": [{"meaning": "related", "reference": {"reference": f"Encounter/{file.id}"}}],
            "provision": list(below),
        },
    }


def _provision(act: str, purpose: str, agreed: bool | None) -> Json:
    kind: Json = {} if agreed is None else {"type": "permit" if agreed else "deny"}
    codings = [{"system": naming.CONSENT_ACTIONS, "code": act}, {"system": naming.ACTS, "code": _ACTS[act]}]
    return kind | {"code": [{"coding": codings}], "purpose": [{"system": naming.ACT_REASONS, "code": purpose}]}
