"""Rights and units of agents, and the invitation of a new one."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from stdnum.fr import siret as siret_number
from wtforms import EmailField, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.validators import Length, Regexp, StopValidation

from portal.db import RIGHTS
from portal.web.fields import choices
from portal.web.forms import Form, OnceForm, Required

RIGHT_TITLES: Mapping[str, Any] = {
    "appointments": _l("Appointments"),
    "preadmission": _l("Pre-admissions"),
    "care": _l("Care"),
    "billing": _l("Bills"),
    "documents": _l("Documents"),
    "referrals": _l("Referrals"),
    "identity": _l("Identities"),
    "support": _l("User support"),
    "administration": _l("Administration"),
    "audit": _l("Journal"),
}
RIGHT_HINTS: Mapping[str, Any] = {
    "appointments": _l("See the diary, enter and cancel appointments"),
    "preadmission": _l("Open the files that patients send, accept them or ask again"),
    "care": _l("Read what patients answer about their health, and act on it; not for the admissions office"),
    "billing": _l("See bills and payments"),
    "documents": _l("Open the letters received, put them on the right shelf"),
    "referrals": _l("Read what practitioners of the city ask for their patients, and answer them"),
    "identity": _l("Link patients to their hospital file, check who may act for whom"),
    "support": _l("See a patient’s screens for a quarter of an hour, without their contents, to help them"),
    "administration": _l("See figures, give and withdraw rights; a second administrator must confirm"),
    "audit": _l("See who did what to whose file; a second administrator must confirm"),
}
PROVIDERS: Mapping[str, Any] = {
    "proconnect": _l("ProConnect"),
    "hospital": _l("The hospital’s own sign-in"),
    "prosanteconnect": _l("Pro Santé Connect"),
    "local": _l("An account of the portal, as a last resort"),
}
PROVIDER_HINTS: Mapping[str, Any] = {
    "proconnect": _l("For agents whose employer’s directory is linked to ProConnect"),
    "hospital": _l("When the hospital has connected its own directory"),
    "prosanteconnect": _l("For health professionals on the staff"),
    "local": _l("For an agent whom no directory knows: a passkey, or a password and a code"),
}
_RIGHTS = choices((right, RIGHT_TITLES[right]) for right in RIGHTS)
_EMAIL = Regexp(r"^[^@\s]+@[^@\s]+\.[^@\s]+$", message=_l("Check the e-mail"))


class RightsForm(Form):
    """What one agent may do at one hospital, and where; nothing ticked takes everything away."""

    rights = SelectMultipleField(_l("What this agent may do"), choices=_RIGHTS)
    units = SelectMultipleField(
        _l("Units where this agent works"), description=_l("Shown first in their lists; they restrict nothing")
    )


class RoleForm(Form):
    """A function as the hospital names it."""

    name = StringField(_l("Name of the role"), [Required(_l("Name the role")), Length(max=60)])
    rights = SelectMultipleField(_l("What it may do"), [Required(_l("Choose one right at least"))], choices=_RIGHTS)


class DoorForm(OnceForm):
    """Who must prove themselves where: what a provider will say is compared with it."""

    provider = RadioField(
        _l("How the agent signs in"),
        choices=choices(item for item in PROVIDERS.items() if item[0] != "local"),
        default="proconnect",
    )
    email = EmailField(
        _l("Professional e-mail"), [Required(_l("Write the e-mail of the agent")), _EMAIL, Length(max=254)]
    )
    siret = StringField(
        _l("SIRET of the employer"),
        description=_l("The 14 digits that ProConnect gives as the agent’s place of work"),
    )
    subject_name_id = StringField(
        _l("National number"),
        [Length(max=100)],
        description=_l("RPPS number (11 digits), or the longer identifier that Pro Santé Connect shows"),
    )
    sirets: tuple[str, ...] = ()
    """Those that the hospital declares; empty when it declares none."""

    def validate_siret(self, field: StringField) -> None:
        """Fourteen digits with their key, of this hospital."""
        number = "".join((field.data or "").split())
        if self.provider.data != "proconnect":
            field.data = ""
            return
        if not number:
            _refuse(_l("Write the SIRET of the agent’s employer"))
        if not siret_number.is_valid(number):
            _refuse(_l("Check the SIRET: it has 14 digits"))
        if self.sirets and number not in self.sirets:
            _refuse(_l("This SIRET is not one of this hospital’s"))
        field.data = number

    def validate_subject_name_id(self, field: StringField) -> None:
        """Pro Santé Connect writes 8 before an RPPS number."""
        number = "".join((field.data or "").split())
        if self.provider.data != "prosanteconnect":
            field.data = ""
            return
        if not number or "\x00" in number:
            _refuse(_l("Write the agent’s national number"))
        field.data = f"8{number}" if len(number) == 11 and number.isdecimal() else number


class InviteForm(DoorForm):
    """A new agent: whoever proves to be this person gets these rights."""

    provider = RadioField(_l("How the agent will sign in"), choices=choices(PROVIDERS.items()), default="proconnect")
    name = StringField(
        _l("First name and name"), [Length(max=200)], description=_l("For an account of the portal only")
    )
    establishment = SelectField(_l("Hospital"), [Required(_l("Choose the hospital"))])
    rights = SelectMultipleField(
        _l("What this agent may do"), [Required(_l("Choose one right at least"))], choices=_RIGHTS
    )
    units = SelectMultipleField(_l("Units where this agent works"))

    def validate_name(self, field: StringField) -> None:
        """No provider will tell it."""
        if self.provider.data == "local" and not (field.data or "").strip():
            _refuse(_l("Write the name of the agent"))


def _refuse(sentence: Any) -> None:

    raise StopValidation(sentence)
