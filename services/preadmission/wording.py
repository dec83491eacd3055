"""What people read: the words of codes, and a file's answers as rows of a summary."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from stdnum.fr import nir as french_nir

from auth.identity import nir
from auth.models import Patient
from portal.web.ui import long_day
from services.preadmission.models import Preadmission

Rows = list[dict[str, Any]]

STEPS: Mapping[str, Any] = {
    "stay": _l("Your stay"),
    "identity": _l("You"),
    "coverage": _l("Your health cover"),
    "relative": _l("Person to notify"),
    "pieces": _l("Your documents"),
    "check": _l("Check and send"),
}
STATES: Mapping[str, tuple[Any, str]] = {
    "draft": (_l("Draft"), "neutral"),
    "submitted": (_l("Received"), "info"),
    "in_review": (_l("Being reviewed"), "info"),
    "to_complete": (_l("To complete"), "warning"),
    "completed": (_l("Completed"), "info"),
    "validated": (_l("Accepted"), "success"),
    "refused": (_l("Refused"), "danger"),
    "cancelled_by_patient": (_l("Cancelled"), "neutral"),
    "lapsed": (_l("Day passed"), "neutral"),
}
"""State → words and tone of its tag."""

DESK_STEPS: Mapping[str, Any] = {
    "stay": _l("Stay"),
    "identity": _l("Contact"),
    "coverage": _l("Health cover"),
    "relative": _l("Person to notify"),
}
"""The same steps, as an agent reads them about somebody else."""

CHANGES: Mapping[str, Any] = {
    "draft": _l("You started this file"),
    "submitted": _l("You sent it to the hospital"),
    "in_review": _l("The admissions office is reviewing it"),
    "to_complete": _l("The admissions office asked for a document again"),
    "completed": _l("You sent what was missing"),
    "validated": _l("The admissions office accepted it"),
    "refused": _l("The admissions office refused it"),
    "cancelled_by_patient": _l("You cancelled it"),
    "lapsed": _l("The day of the stay has passed"),
}
"""State entered → what the patient reads in the history of the file."""

STAY_KINDS: Mapping[str, Any] = {
    "day_case": _l("A day at the hospital, home in the evening"),
    "inpatient": _l("One night or more"),
    "outpatient": _l("A consultation or an examination"),
    "maternity": _l("A birth"),
}
AMO_KINDS: Mapping[str, Any] = {
    "french": _l("Yes, with the French health insurance"),
    "european": _l("Yes, in another European country"),
    "other": _l("No, or I do not know"),
}
AMC_KINDS: Mapping[str, Any] = {
    "private": _l("Yes, a mutuelle or another insurer"),
    "c2s": _l("Yes, the Complémentaire santé solidaire (C2S)"),
    "none": _l("No"),
}
RELATIVE_LINKS: Mapping[str, Any] = {
    "spouse": _l("Husband, wife or partner"),
    "parent": _l("Parent"),
    "child": _l("Daughter or son"),
    "sibling": _l("Sister or brother"),
    "friend": _l("Friend or neighbour"),
    "other": _l("Other"),
}


_SEXES = {"F": _l("Female"), "M": _l("Male")}


def traits(patient: Patient) -> Rows:
    """The strict identity traits, to the letter of their source."""
    return _rows(
        (_("Birth name"), patient.birth_name),
        (_("First names"), ", ".join(patient.first_names)),
        (_("Born on"), long_day(patient.birth_on)),
        (_("Sex"), _SEXES.get(patient.sex, "")),
        (_("Birthplace (INSEE code)"), patient.birthplace_insee or patient.birthcountry_insee),
    )


def stay(file: Preadmission) -> Rows:
    unit = file.unit
    return _rows(
        (_("Hospital"), file.establishment.name),
        (_("Unit"), unit.name),
        (_("Place"), ", ".join(filter(None, (unit.site.name, unit.floor)))),
        (_("Arrival"), long_day(file.planned_on)),
        (_("What is planned"), STAY_KINDS[file.stay_kind]),
    )


def contact(file: Preadmission) -> Rows:
    return _rows(
        (_("Name you use"), file.used_name),
        (_("Telephone"), file.phone),
        (_("E-mail"), file.email),
        (_("Postal address"), Markup("<br>").join(file.address.splitlines())),
    )


def coverage(file: Preadmission, *, masked: bool = False) -> Rows:
    """masked: staff see the number whole only when they ask for it, which is written down."""
    number = nir.masked(file.nir) if masked and file.nir else french_nir.format(file.nir) if file.nir else ""
    return _rows(
        (_("Health insurance"), AMO_KINDS.get(file.amo_kind, "")),
        (_("Social security number"), number),
        (_("Complementary cover"), AMC_KINDS.get(file.amc_kind, "")),
        (_("Insurer"), file.amc_name),
        (_("Member number"), file.amc_number),
    )


def relative(file: Preadmission) -> Rows:
    link = RELATIVE_LINKS.get(file.relative_link, "")
    return _rows((_("Name"), file.relative_name), (_("Link"), link), (_("Telephone"), file.relative_phone))


def answers(file: Preadmission, *, masked: bool = False) -> list[tuple[str, Any, Rows]]:
    """Step, title and rows of each step that has answers to read. masked: without the whole beneficiary number."""
    tellers: Mapping[str, Callable[[Preadmission], Rows]] = {
        "stay": stay,
        "identity": contact,
        "coverage": partial(coverage, masked=masked),
        "relative": relative,
    }
    return [(step, STEPS[step], tell(file)) for step, tell in tellers.items()]


def _rows(*pairs: tuple[str, Any]) -> Rows:
    """Rows without those that have nothing to say."""
    return [{"key": key, "value": value} for key, value in pairs if value]
