"""What the journal's codes say to an auditor: kinds of things, and the details that stand beside them."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from admin.forms_staff import RIGHT_TITLES

KINDS: Mapping[str, Any] = {
    "access_review": _l("Review of rights"),
    "account": _l("Account"),
    "appointment": _l("Appointment"),
    "appointment_request": _l("Request for an appointment"),
    "bill": _l("Bill"),
    "bill_import": _l("Import of bills"),
    "callback": _l("Call back"),
    "community": _l("Community"),
    "consultation_session": _l("Consultation"),
    "data_request": _l("Request about data"),
    "document": _l("Document"),
    "emergency_access": _l("Emergency opening"),
    "establishment": _l("Hospital"),
    "exchange": _l("Exchange"),
    "his_message": _l("Message of the hospital’s system"),
    "kiosk": _l("Terminal"),
    "machine": _l("Other system"),
    "mailbox": _l("Mailbox"),
    "opinion_comment": _l("Comment"),
    "patient": _l("Patient"),
    "piece": _l("Piece"),
    "preadmission": _l("Pre-admission"),
    "reason": _l("Reason"),
    "record_request": _l("Request for a record"),
    "referral": _l("Referral"),
    "referral_target": _l("Referral"),
    "security_incident": _l("Incident"),
    "stay_invitation": _l("Invitation to a stay"),
    "support_session": _l("Support"),
    "unit": _l("Unit"),
    "unusual_access": _l("Unusual access"),
    "waiting_entry": _l("Waiting list"),
}
"""object_kind → words; a kind that is not here is shown as its code."""
_DETAILS: Mapping[str, Any] = {
    "amount_cents": _l("amount in cents"),
    "batches": _l("batches"),
    "by": _l("by"),
    "channel": _l("by"),
    "code": _l("code"),
    "first": _l("from"),
    "from_state": _l("before"),
    "found": _l("found"),
    "key": _l("setting"),
    "kind": _l("kind"),
    "last": _l("to"),
    "number": _l("number"),
    "on_behalf_of": _l("in whose stead"),
    "outcome": _l("outcome"),
    "provider": _l("signed in by"),
    "reason": _l("reason"),
    "reference": _l("reference"),
    "right": _l("right"),
    "rights": _l("rights"),
    "rule": _l("rule"),
    "state": _l("state"),
    "step": _l("step"),
    "to_state": _l("after"),
    "what": _l("what"),
}


def kind_words(kind: str) -> str:
    """A kind of thing, as people call it."""
    return str(KINDS.get(kind, kind))


def details(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The details of an event: name and value, those in words that have some."""
    told = {name: value for name, value in found.items() if value not in (None, "")}
    return [(str(_DETAILS.get(name, name)), _value(name, value)) for name, value in told.items()]


def _value(name: str, value: Any) -> str:
    return str(RIGHT_TITLES.get(str(value), value)) if name == "right" else str(value)
