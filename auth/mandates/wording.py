"""Words for what mandates hold as codes."""

from flask_babel import lazy_gettext as _l

KINDS = {
    "parent": _l("parent"),
    "guardian": _l("guardian (tutelle)"),
    "curator": _l("curator (curatelle)"),
    "carer": _l("carer"),
}
YOU_ARE = {
    "parent": _l("your child"),
    "guardian": _l("you are their guardian"),
    "curator": _l("you are their curator"),
    "carer": _l("you are their carer"),
}
SCOPES = {
    "administrative": _l("Appointments and pre-admissions"),
    "medical": _l("Medical documents"),
    "payment": _l("Bills and payments"),
}
STATES = {
    "requested": (_l("Waiting for the hospital"), "info"),
    "offered": (_l("Code not used yet"), "info"),
    "active": (_l("In force"), "success"),
    "refused": (_l("Refused"), "danger"),
    "withdrawn": (_l("Withdrawn"), "neutral"),
    "lapsed": (_l("Code not used in time"), "neutral"),
    "ended": (_l("Ended"), "neutral"),
    "expired": (_l("Expired"), "warning"),
    "revoked": (_l("Taken back"), "neutral"),
    "given_up": (_l("Given up"), "neutral"),
}
CHANGES = {
    "requested": _l("Asked for"),
    "offered": _l("Code given"),
    "active": _l("In force"),
    "refused": _l("Refused by the hospital"),
    "withdrawn": _l("Withdrawn"),
    "lapsed": _l("The code was not used in time"),
    "ended": _l("Ended"),
    "expired": _l("Expired"),
    "revoked": _l("Taken back"),
    "given_up": _l("Given up"),
}
PROOFS = {
    "family_book": _l("Family record book (livret de famille)"),
    "birth_certificate": _l("Birth certificate showing the parents"),
    "recognition": _l("Act of recognition"),
    "custody_judgement": _l("Judgement on parental authority"),
    "judgement": _l("Judgement of the protection"),
}
REFUSALS = {
    "unreadable": _l("The document cannot be read: send a sharper photo or a scan"),
    "does_not_prove": _l("This document does not prove the link: send one of those listed"),
    "unknown_person": _l("The hospital knows nobody by these names and this date: check them, or call the hospital"),
    "measure_over": _l("The judgement is over: send the renewed one"),
    "other": _l("Contact the hospital: something must be cleared up with you"),
}
REASONS = {
    "majority": _l("majority"),
    "replaced": _l("replaced by a newer one"),
    "death": _l("death"),
    "by_hospital": _l("by the hospital"),
}


def scopes(codes: list[str] | tuple[str, ...]) -> str:
    """What a mandate covers, in words."""
    return ", ".join(str(SCOPES[code]) for code in SCOPES if code in codes)
