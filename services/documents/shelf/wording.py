"""What people read on the shelf: kinds, delays, and Mon espace santé."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

KINDS: Mapping[str, Any] = {
    "letter": _l("Letters and reports"),
    "prescription": _l("Prescriptions"),
    "result": _l("Results"),
    "imaging": _l("Imaging"),
    "certificate": _l("Certificates and papers"),
    "other": _l("Other documents"),
}
"""Kind → words of a filter."""
ONE: Mapping[str, Any] = {
    "letter": _l("Letter or report"),
    "prescription": _l("Prescription"),
    "result": _l("Test results"),
    "imaging": _l("Imaging"),
    "certificate": _l("Certificate or paper"),
    "other": _l("Another document"),
}
"""Kind → words for one of them."""
ICONS: Mapping[str, str] = {
    "letter": "file-text",
    "prescription": "clipboard-list",
    "result": "activity",
    "imaging": "eye",
    "certificate": "badge-check",
    "other": "paperclip",
}

DELAYS: Mapping[str, Any] = {
    "none": _l("At once"),
    "days": _l("After some days"),
    "business_days": _l("After some business days"),
    "consultation": _l("After the consultation: an agent shows it"),
}

MES: Mapping[str, tuple[Any, str, Any]] = {
    "waiting": (
        _l("Soon in Mon espace santé"),
        "info",
        _l("The hospital is sending this document to your national health record."),
    ),
    "sent": (
        _l("Sent to Mon espace santé"),
        "success",
        _l("You will also find this document in your national health record, monespacesante.fr."),
    ),
    "refused": (
        _l("Not delivered to Mon espace santé"),
        "warning",
        _l("Your national health record did not take this document. It stays here, where you can download it."),
    ),
    "opposed": (
        _l("Not sent to Mon espace santé"),
        "neutral",
        _l("You asked hospitals not to send your documents there."),
    ),
    "not_qualified": (
        _l("Not sent to Mon espace santé"),
        "neutral",
        _l(
            "The hospital must first check your identity. Show an identity document at the admissions desk: your "
            "documents will follow."
        ),
    ),
}
"""State → words, tone and explanation, as the patient reads them."""

MES_REASONS: Mapping[str, Any] = {
    "mailbox_closed": _l("The mailbox of your national health record is closed."),
    "unknown_recipient": _l("No national health record was found for your identity."),
    "invalid_address": _l("No national health record was found for your identity."),
    "too_large": _l("The document is too large for it."),
}
"""Reason of a refusal → words."""
