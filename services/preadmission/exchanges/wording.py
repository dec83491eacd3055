"""Words for what is exchanged about pre-admissions: why a message was refused, what it says, what a request holds."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.preadmission.exchanges.request import Request

REASONS: Mapping[str, Any] = {
    "no_folder": _l("Files are to be left in a folder, and the address of the hospital’s system is not one."),
    "no_format": _l("Nobody has said how the hospital’s system takes pre-admissions."),
    "unknown_file": _l("The portal has no pre-admission with this number (PV1-5)."),
    "another_person": _l("The person in the message is not the one of the file: nothing was changed."),
    "no_birth_date": _l("The birth date (PID-7) is missing: without it nobody is recognised."),
    "no_number": _l("The number of the stay (PV1-19) is missing."),
    "number_of_another": _l("This number belongs to another patient of the portal: nothing was changed."),
    "two_people": _l("Two patients of the portal have these numbers: an agent must say whether they are one person."),
    "no_former_number": _l("The former number of the patient (MRG-1) or the new one (PID-3) is missing."),
    "not_ours": _l("It is about nobody who prepared a stay on the portal: nothing to do."),
    "newer_known": _l("Something newer was said already: nothing changed."),
    "over": _l("The file is over, or cancelled: nothing changed."),
    "to_invite": _l("The portal does not know this stay: invite the person to prepare it."),
    "wrong_unit": _l("The portal does not know this unit (PV1-3)."),
    "wrong_201": _l("Only A01, A03, A05, A38 and A40 are taken here."),
}
EVENTS: Mapping[str, Any] = {
    "A01": _l("A01: admitted"),
    "A03": _l("A03: discharged"),
    "A05": _l("A05: pre-admission"),
    "A38": _l("A38: pre-admission cancelled"),
    "A40": _l("A40: two numbers of one patient"),
}
KNOWN_THERE: Mapping[str, Any] = {
    "accepted": _l("It has taken this pre-admission"),
    "waiting": _l("It will be told as soon as it answers"),
    "refused": _l("It refused what the portal sent"),
    "set_aside": _l("What was to be sent was set aside"),
}
SEGMENTS: Mapping[str, Any] = {
    "MSH": _l("Who writes to whom, and when"),
    "EVN": _l("When it is planned"),
    "PID": _l("The patient"),
    "PD1": _l("Protection of the stay"),
    "ROL": _l("General practitioner"),
    "NK1": _l("Person to call, person of trust"),
    "PV1": _l("The stay"),
    "PV2": _l("Arrival"),
    "ZBE": _l("New, changed or cancelled"),
    "ZFA": _l("Mon espace santé"),
    "ZFV": _l("Where the patient comes from"),
    "ZFD": _l("Text messages"),
    "IN1": _l("Health cover"),
    "ACC": _l("Accident"),
    "MRG": _l("Former number"),
    "MSA": _l("Answer"),
    "ERR": _l("Why not"),
}
FORMATS: Mapping[str, Any] = {
    "none": _l("Nothing is sent"),
    "hl7": _l("HL7 messages (PAM-FR, ADT^A05 and A38)"),
    "csv": _l("A folder: a CSV file, a summary and the documents"),
}
_TITLES: Mapping[str, Any] = {
    "INSERT": _l("Pre-admission %(reference)s"),
    "UPDATE": _l("Pre-admission %(reference)s, changed"),
    "CANCEL": _l("Pre-admission %(reference)s, cancelled"),
}


def summary(request: Request) -> tuple[str, Sequence[tuple[str, str]]]:
    """The title and the lines of the sheet that goes with the files: what a desk without a screen needs."""
    person, stay = request.person, request.stay
    home = ", ".join(filter(None, (person.street, person.complement, f"{person.postcode} {person.town}".strip())))
    lines = [
        (_("Birth name"), person.birth_name),
        (_("Name you use"), person.used_name),
        (_("First names"), " ".join(person.first_names)),
        (_("Born on"), person.birth_on.strftime("%d/%m/%Y")),
        (_("Arrival"), stay.planned_on.strftime("%d/%m/%Y")),
        (_("Unit"), f"{stay.unit_name} ({stay.uf})"),
        (_("Telephone"), person.phone),
        (_("Postal address"), home),
        (_("General practitioner"), request.doctor.name if request.doctor else ""),
        *((_contact_name(each.role), f"{each.name} {each.phone}") for each in request.contacts),
        *((_("Health cover"), f"{each.payer} {each.name or each.kind} {each.code}".strip()) for each in request.covers),
    ]
    return str(_TITLES[request.action]) % {"reference": request.reference}, lines


def _contact_name(role: str) -> str:
    return str(_("Person to notify") if role == "C" else _("Person of trust"))
