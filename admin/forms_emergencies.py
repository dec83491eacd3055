"""Opening a file in an emergency, and judging that it was one."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, Optional, StopValidation

from auth.emergencies.queries import Wanted
from portal.web.fields import DateParts, choices
from portal.web.forms import Form, OnceForm, Required

KINDS: Mapping[str, Any] = {
    "care": _l("The patient is being cared for now"),
    "stand_in": _l("I stand in for an absent colleague"),
    "call": _l("A professional who cares for the patient is calling"),
    "outage": _l("Another system of the hospital is down"),
    "other": _l("Another reason"),
}
VERDICTS: Mapping[str, Any] = {"yes": _l("Justified"), "no": _l("Not justified")}
_SHORTEST = 15


class OpenForm(OnceForm):
    """Whose file, and why. All three traits, or the number: nobody is looked for."""

    establishment = SelectField(_l("Hospital"), [Required(_l("Choose the hospital"))])
    ipp = StringField(_l("Patient number (IPP)"), [Length(max=30)])
    birth_name = StringField(_l("Birth name"), [Length(max=100)])
    first_name = StringField(_l("First name"), [Length(max=100)])
    birth_on = DateParts(_l("Birth date"), [Optional()])
    kind = RadioField(
        _l("Why you need it now"), [Required(_l("Choose why"))], choices=choices(KINDS.items()), validate_choice=True
    )
    reason = TextAreaField(
        _l("What happens"),
        [Required(_l("Say in a sentence what happens")), Length(max=1000)],
        description=_l("One sentence. The auditors of the hospital read it."),
    )

    @property
    def wanted(self) -> Wanted:
        """What the person typed; the number alone when there is one."""
        number = (self.ipp.data or "").strip()
        if number:
            return Wanted(number)
        return Wanted("", self.birth_name.data or "", self.first_name.data or "", self.birth_on.data)

    def validate_ipp(self, field: StringField) -> None:
        """One way or the other."""
        traits = (self.birth_name.data, self.first_name.data, self.birth_on.data)
        if not (field.data or "").strip() and not all(traits):
            raise StopValidation(_l("Give the patient number, or the birth name, the first name and the birth date"))

    def validate_reason(self, field: TextAreaField) -> None:
        """Enough for somebody else to judge."""
        if len((field.data or "").strip()) < _SHORTEST:
            raise StopValidation(_l("Say a little more: somebody must be able to judge it"))


class ReviewForm(Form):
    """What somebody else thinks of it."""

    verdict = RadioField(_l("Was it justified?"), [Required(_l("Choose an answer"))], choices=choices(VERDICTS.items()))
    comment = TextAreaField(
        _l("Your comment"),
        [Required(_l("Say in a sentence why")), Length(max=1000)],
        description=_l("Kept with the opening; what you checked, what will follow"),
    )
