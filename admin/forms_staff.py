"""Rights of agents, and the invitation of a new one."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, SelectField, SelectMultipleField
from wtforms.validators import Regexp

from portal.db import RIGHTS
from portal.web.fields import choices
from portal.web.forms import Form, OnceForm, Required

RIGHT_TITLES: Mapping[str, Any] = {
    "appointments": _l("Appointments"),
    "preadmission": _l("Pre-admissions"),
    "billing": _l("Bills"),
    "documents": _l("Documents"),
    "identity": _l("Identities"),
    "administration": _l("Administration"),
    "audit": _l("Journal"),
}
RIGHT_HINTS: Mapping[str, Any] = {
    "appointments": _l("See the diary, enter and cancel appointments"),
    "preadmission": _l("Open the files that patients send, accept them or ask again"),
    "billing": _l("See bills and payments"),
    "documents": _l("Open the letters received, put them on the right shelf"),
    "identity": _l("Link patients to their hospital file, check who may act for whom"),
    "administration": _l("See figures, give and withdraw rights"),
    "audit": _l("See who did what to whose file"),
}
_CHOICES = choices((right, RIGHT_TITLES[right]) for right in RIGHTS)


class RightsForm(Form):
    """What one agent may do at one hospital; nothing ticked takes everything away."""

    rights = SelectMultipleField(_l("What this agent may do"), choices=_CHOICES)


class InviteForm(OnceForm):
    """A new agent: whoever proves this e-mail at ProConnect gets these rights."""

    email = EmailField(
        _l("Professional e-mail"),
        [
            Required(_l("Write the e-mail of the agent")),
            Regexp(r"^[^@\s]+@[^@\s]+\.[^@\s]+$", message=_l("Check the e-mail")),
        ],
        description=_l("The one that their ProConnect identity carries"),
    )
    establishment = SelectField(_l("Hospital"), [Required(_l("Choose the hospital"))])
    rights = SelectMultipleField(
        _l("What this agent may do"), [Required(_l("Choose one right at least"))], choices=_CHOICES
    )
