"""What applicants fill in beside the steps of a request (`step_forms`): where to begin, proofs, a few words."""

import re
from typing import Any, Final
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import Length, Optional, ValidationError

from portal.web.fields import choices
from portal.web.forms import Form, OnceForm, Required
from services.documents.forms import UploadForm

LONGEST: Final = 4000
TEXT: Final = Length(max=LONGEST, message=_l("Write 4,000 characters at most."))


def plain(_form: Any, field: Any) -> None:
    """Words a person reads: no control character."""
    if any(ord(sign) < 32 and sign not in "\r\n\t" for sign in field.data or ""):
        raise ValidationError(_("Write plain text."))


class BeginForm(OnceForm):
    """Which hospital, and about whom."""

    hospital = RadioField(_l("Which hospital?"), [Required(_l("Choose the hospital."))], choices=[])
    whose = RadioField(_l("Whose file?"), [Optional()], choices=[])

    def offer(self, hospitals: Any, name: str, *, heirs: bool) -> None:
        """heirs: this kind may also be about somebody who died."""
        self.hospital.choices = choices((str(each.id), each.name) for each in hospitals)
        if len(hospitals) == 1 and not self.hospital.data:
            self.hospital.data = str(hospitals[0].id)
        if heirs:
            self.whose.choices = choices([("person", name), ("heir", _("Somebody of mine who died"))])
            self.whose.data = self.whose.data or "person"
        else:
            del self.whose

    @property
    def chosen(self) -> UUID:
        return UUID(self.hospital.data)

    @property
    def is_heir(self) -> bool:
        return "whose" in self and self.whose.data == "heir"


class ProofForm(UploadForm):
    """One document joined to a request."""

    use = HiddenField()


class WordsForm(OnceForm):
    """A few words."""

    text = TextAreaField(_l("Your message"), [Required(_l("Write your message.")), TEXT, plain])


class SupplyForm(UploadForm):
    """What the hospital asked for."""

    use = HiddenField()
    text = TextAreaField(_l("A word for the hospital"), [Optional(), TEXT, plain])


class VerifyForm(Form):
    """The number and the code printed on a certificate."""

    class Meta:
        csrf = False  # a search: nothing is changed, and the address can be shared

    number = StringField(
        _l("Number"),
        [Required(_l("Enter the number of the document")), Length(max=40)],
        description=_l("Nine letters and digits, from the letter C"),
    )
    code = StringField(
        _l("Verification code"),
        [Required(_l("Enter the verification code")), Length(max=40)],
        description=_l("Ten letters and digits, printed on the document"),
    )

    @property
    def plain_number(self) -> str:
        return re.sub("[^A-Z0-9]", "", (self.number.data or "").upper())

    @property
    def plain_code(self) -> str:
        return re.sub("[^A-Z0-9]", "", (self.code.data or "").upper())
