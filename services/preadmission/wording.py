"""What people read about files: the words of codes, the identity, the stay. Answers are told by their steps."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from auth.models import Patient
from portal.web.ui import long_day
from services.preadmission.models import Preadmission, PreadmissionChange
from services.preadmission.steps.step import Rows, told

STATES: Mapping[str, tuple[Any, str]] = {
    "draft": (_l("Draft"), "neutral"),
    "submitted": (_l("Received"), "info"),
    "in_review": (_l("Being reviewed"), "info"),
    "to_complete": (_l("To complete"), "warning"),
    "completed": (_l("Completed"), "info"),
    "validated": (_l("Accepted"), "success"),
    "transmitted": (_l("Accepted, sent on"), "success"),
    "integrated": (_l("Stay registered"), "success"),
    "closed": (_l("Stay over"), "neutral"),
    "refused": (_l("Refused"), "danger"),
    "cancelled_by_patient": (_l("Cancelled"), "neutral"),
    "cancelled_by_hospital": (_l("Cancelled by the hospital"), "warning"),
    "lapsed": (_l("Day passed"), "neutral"),
    "purged": (_l("Deleted"), "neutral"),
}
"""State → words and tone of its tag."""

CHANGES: Mapping[str, Any] = {
    "draft": _l("You started this file"),
    "submitted": _l("You sent it to the hospital"),
    "in_review": _l("The admissions office is reviewing it"),
    "to_complete": _l("The admissions office asked for a document again"),
    "completed": _l("You sent what was missing"),
    "validated": _l("The admissions office accepted it"),
    "transmitted": _l("The hospital’s system received it"),
    "integrated": _l("Your stay is registered at the hospital"),
    "closed": _l("The stay is over"),
    "refused": _l("The admissions office refused it"),
    "cancelled_by_patient": _l("You cancelled it"),
    "cancelled_by_hospital": _l("The hospital cancelled the stay"),
    "lapsed": _l("The day of the stay has passed"),
    "purged": _l("What it held was deleted"),
}
"""State entered → what the patient reads in the history of the file."""

_AT_THE_HOSPITAL: Mapping[str, Any] = {
    "draft": _l("The hospital started this file for you"),
    "submitted": _l("The admissions office sent it for you"),
    "completed": _l("The admissions office added what was missing"),
}


def happened(file: Preadmission, change: PreadmissionChange) -> Any:
    """What the patient reads of one change: who began a file for them on the phone is not "you"."""
    by_staff = change.actor.startswith(("staff", "machine"))
    begun_there = change.to_state == "draft" and file.origin in ("desk", "hospital", "invitation")
    theirs = change.to_state in _AT_THE_HOSPITAL and (by_staff or begun_there)
    return (_AT_THE_HOSPITAL if theirs else CHANGES)[change.to_state]


STAY_KINDS: Mapping[str, Any] = {
    "day_case": _l("A day at the hospital, home in the evening"),
    "inpatient": _l("One night or more"),
    "outpatient": _l("A consultation or an examination"),
    "maternity": _l("A birth"),
}

_SEXES = {"F": _l("Female"), "M": _l("Male")}


def traits(patient: Patient) -> Rows:
    """The strict identity traits, to the letter of their source."""
    return told(
        (_("Birth name"), patient.birth_name),
        (_("First names"), ", ".join(patient.first_names)),
        (_("Born on"), long_day(patient.birth_on)),
        (_("Sex"), _SEXES.get(patient.sex, "")),
        (_("Birthplace (INSEE code)"), patient.birthplace_insee or patient.birthcountry_insee),
    )


def stay(file: Preadmission) -> Rows:
    unit = file.unit
    return told(
        (_("Hospital"), file.establishment.name),
        (_("Unit"), unit.name),
        (_("Place"), ", ".join(filter(None, (unit.site.name, unit.floor)))),
        (_("Arrival"), long_day(file.planned_on)),
        (_("What is planned"), STAY_KINDS[file.stay_kind]),
    )
