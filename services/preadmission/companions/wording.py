"""What people read about signatures: the words of codes."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

STATES: Mapping[str, tuple[Any, str]] = {
    "named": (_l("To sign"), "neutral"),
    "invited": (_l("Link sent"), "info"),
    "to_check": (_l("Identity to check"), "warning"),
    "opened": (_l("Is reading it"), "info"),
    "signed": (_l("Signed"), "success"),
    "declined": (_l("Refused to sign"), "danger"),
    "on_paper": (_l("On paper"), "info"),
    "waived": (_l("Not needed"), "success"),
    "revoked": (_l("Taken back"), "danger"),
    "withdrawn": (_l("No longer asked"), "neutral"),
}
"""State → words and tone of its tag."""

CHANGES: Mapping[str, Any] = {
    "named": _l("Named in the file"),
    "invited": _l("A link was sent"),
    "to_check": _l("Came in under another name: the hospital checks"),
    "opened": _l("Opened the document"),
    "signed": _l("Signed"),
    "declined": _l("Refused to sign"),
    "on_paper": _l("Will sign on paper"),
    "waived": _l("The hospital needs no signature"),
    "revoked": _l("Signature taken back"),
    "withdrawn": _l("No longer asked"),
}
STANDINGS: Mapping[str, tuple[Any, str, Any]] = {
    "ready": (_l("Ready for the operation"), "success", _l("Everybody who had to has signed.")),
    "waiting": (
        _l("A signature is missing"),
        "warning",
        _l("Without it, an operation that is not urgent is put off. In an emergency, the doctors do not wait."),
    ),
    "proof_awaited": (
        _l("The proof is being waited for"),
        "warning",
        _l("One signature is enough once the hospital has accepted the proof that one parent decides alone."),
    ),
    "on_paper": (
        _l("On paper"),
        "info",
        _l("Bring the signed sheet, or come and sign at the hospital before the operation."),
    ),
    "to_check": (
        _l("The hospital checks an identity"),
        "info",
        _l("Somebody signed in under another name than the one given. The admissions office looks at it."),
    ),
    "declined": (
        _l("A holder refused to sign"),
        "danger",
        _l("Talk about it together, and with the doctor. An operation that is not urgent does not take place."),
    ),
    "changed": (
        _l("The stay has changed since the signature"),
        "warning",
        _l("What was signed is about another day. Please sign again."),
    ),
}
"""Standing → title, tone, what it means for the family."""

ROLES: Mapping[str, Any] = {
    "holder": _l("Holder of parental authority"),
    "trust": _l("Person of trust"),
}
DECISIONS: Mapping[str, Any] = {
    "signed": _l("Signed"),
    "declined": _l("Refused"),
    "revoked": _l("Taken back"),
    "received": _l("Signed on paper, sheet received by the hospital"),
}
PROVIDERS: Mapping[str, Any] = {
    "franceconnect": "FranceConnect",
    "franceconnect-plus": "FranceConnect+",
    "local": _l("Account of the portal"),
}
