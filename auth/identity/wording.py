"""Words for traits, proofs, reasons and decisions that are kept as codes."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from auth.identity import traits
from auth.models import Patient

TRAITS = {
    traits.NAME: _l("birth name"),
    traits.FIRST_NAME: _l("first name"),
    traits.BIRTH_DATE: _l("birth date"),
    traits.SEX: _l("sex"),
    traits.BIRTHPLACE: _l("birthplace"),
}
SEXES = {"F": _l("Female"), "M": _l("Male"), "": _l("Not known")}
STATUSES = {
    "PROV": _l("Provisional"),
    "RECUP": _l("Retrieved"),
    "VALI": _l("Validated"),
    "QUAL": _l("Qualified"),
}
PROOFS = {
    "letter": _l("code of the hospital"),
    "number": _l("number on a paper of the hospital"),
    "agent": _l("checked by an agent"),
    "pushed": _l("sent by the hospital’s system"),
}
DOUBTS = {
    "asked": _l("Asked by the person"),
    "traits_differ": _l("Good number, but a trait differs"),
    "already_linked": _l("Good number, but another account holds it"),
}
DECISIONS = {
    "different": (_l("Two people"), "neutral"),
    "same": (_l("One person"), "success"),
    "undone": (_l("Parted again"), "warning"),
    "": (_l("To decide"), "info"),
}
REASONS = {
    "identity_document": _l("Identity document seen at the desk"),
    "civil_record": _l("Civil-status document received"),
    "called_back": _l("Called back on the number of the file"),
    "file_compared": _l("Hospital file compared"),
    "wrong_person": _l("Linked to somebody else’s file"),
    "stolen_code": _l("Code or number used by somebody else"),
    "asked": _l("Asked by the person"),
    "other": _l("Other"),
}
TABLES = {
    "appointment": _l("Appointments"),
    "bill": _l("Bills"),
    "document": _l("Letters"),
    "preadmission": _l("Pre-admissions"),
}


def differing(codes: str | Sequence[str]) -> str:
    """The traits that differ, as one says them: “birth name, sex”; "" when none does."""
    listed = [code for code in codes.split(",") if code] if isinstance(codes, str) else codes
    return ", ".join(str(TRAITS[code]) for code in listed)


def birth_day(patient: Patient) -> Any:
    """How an incomplete birth day is said; None when the whole day is known."""
    raw = patient.birth_on_raw or ""
    if raw.endswith("-00-00"):
        return _("in %(year)s, day and month unknown", year=raw[:4])
    if raw.endswith("-00"):
        return _("in %(month)s/%(year)s, day unknown", month=raw[5:7], year=raw[:4])
    return None


def birthplace(patient: Patient) -> str:
    """The place as the provider gave it: INSEE code and country, or the words of a European provider."""
    if patient.birthplace_text:
        return patient.birthplace_text
    if patient.birthplace_insee:
        return str(_("INSEE code %(code)s", code=patient.birthplace_insee))
    if patient.birthcountry_insee and patient.birthcountry_insee != "99100":
        return str(_("Abroad, country code %(code)s", code=patient.birthcountry_insee))
    return ""
