"""What a hospital asks of whoever signs in, and the desk's check before it helps somebody who lost their factors."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, TextAreaField
from wtforms.validators import Length

from auth.assurance import MINIMUMS, SERVICES
from auth.factors.desk import DOCUMENTS
from portal.web.fields import choices
from portal.web.forms import Form, OnceForm, Required

SERVICE_TITLES = {
    "appointments": _l("Appointments"),
    "preadmission": _l("Pre-admission"),
    "questionnaires": _l("Questionnaires"),
    "billing": _l("Bills"),
    "documents": _l("Documents"),
    "account": _l("My account: who opened my file, my data"),
}
_LEVEL_TITLES = {
    "two_factors": _l("Two factors (FranceConnect with a second proof)"),
    "substantial": _l("Substantial (FranceConnect+)"),
}
_LEVELS = choices((level, _LEVEL_TITLES[level]) for level in MINIMUMS)
_DOCUMENT_TITLES = {
    "id_card": _l("National identity card"),
    "passport": _l("Passport"),
    "residence_permit": _l("Residence permit"),
    "driving_licence": _l("Driving licence"),
}


class AssuranceForm(Form):
    """What one hospital asks, service by service, and what it allows besides."""

    appointments = SelectField(SERVICE_TITLES["appointments"], [Required()], choices=_LEVELS)
    preadmission = SelectField(SERVICE_TITLES["preadmission"], [Required()], choices=_LEVELS)
    questionnaires = SelectField(SERVICE_TITLES["questionnaires"], [Required()], choices=_LEVELS)
    billing = SelectField(SERVICE_TITLES["billing"], [Required()], choices=_LEVELS)
    documents = SelectField(SERVICE_TITLES["documents"], [Required()], choices=_LEVELS)
    account = SelectField(SERVICE_TITLES["account"], [Required()], choices=_LEVELS)
    mail_codes = TextAreaField(
        _l("Why codes may be sent by mail"), [Length(max=500)],
        description=_l(
            "Leave empty to forbid them. A mailbox is often open on the same device: write why your patients need it."
        ),
    )  # fmt: skip
    local_accounts = BooleanField(
        _l("Let patients sign in without FranceConnect"),
        description=_l("Only those for whom an agent opened an account at the desk, on an identity document"),
    )

    def minimums(self) -> dict[str, Any]:
        """Service → level chosen."""
        return {service: self[service].data for service in SERVICES}


class DeskCheckForm(OnceForm):
    """What the agent checked before printing a code."""

    document = RadioField(
        _l("Identity document you have in your hands"),
        [Required(_l("Choose the document"))],
        choices=choices((each, _DOCUMENT_TITLES[each]) for each in DOCUMENTS),
    )
    is_present = BooleanField(
        _l("The person is in front of me, and is the one of the photograph"),
        [Required(_l("Nobody is helped by phone or through somebody else"))],
    )
