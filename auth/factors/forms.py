"""What a person types or a device answers."""

import re
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import Field, HiddenField, StringField, TelField
from wtforms.validators import Length, ValidationError

from auth.factors import codes
from portal.web.forms import Form, Required

_FRENCH_MOBILE = re.compile(r"0[67][0-9]{8}")
_E164 = re.compile(r"\+[1-9][0-9]{7,14}")


def mobile_of(typed: str) -> str | None:
    """A mobile number as operators want it (+33612345678); None for what cannot receive a text message."""
    number = re.sub(r"[\s.\-()]", "", typed)
    number = f"+{number[2:]}" if number.startswith("00") else number
    if _FRENCH_MOBILE.fullmatch(number):
        return f"+33{number[1:]}"
    return number if _E164.fullmatch(number) else None


class CodeForm(Form):
    """Six digits that one copies."""

    code = StringField(_l("Code"), [Required(_l("Write the six digits of the code"))])

    def validate_code(self, field: Field) -> None:
        if field.data and len(codes.digits_of(field.data)) != 6:
            raise ValidationError(_l("The code has six digits"))


class SheetForm(Form):
    """One of the recovery codes kept on paper."""

    code = StringField(
        _l("Recovery code"), [Required(_l("Write one of the codes of your sheet")), Length(max=50)],
        description=_l("Eight letters and digits, for example 7KQM-2XHD"),
    )  # fmt: skip


class DeskForm(Form):
    """The code printed at the hospital's desk."""

    code = StringField(
        _l("Code given at the desk"), [Required(_l("Write the code that the agent printed for you")), Length(max=50)],
    )  # fmt: skip


class ApplicationForm(CodeForm):
    """The first code of an application; the secret shown with it comes back sealed."""

    sealed = HiddenField()


class PhoneForm(Form):
    """Where codes will be sent."""

    number = TelField(
        _l("Your mobile number"), [Required(_l("Write the number of your mobile"))],
        description=_l("For example 06 12 34 56 78. Outside France, start with + and the country’s code."),
    )  # fmt: skip

    def validate_number(self, field: Field) -> None:
        if field.data and mobile_of(field.data) is None:
            raise ValidationError(_l("Check the number: it must be a mobile, such as 06 12 34 56 78"))


class PasskeyForm(Form):
    """What the browser answers, and the challenge that it was given."""

    answer = HiddenField()
    sealed = HiddenField()


class LabelForm(Form):
    """What the person calls a factor."""

    label = StringField(
        _l("Name"), [Required(_l("Write a name, for example “My telephone”")), Length(max=60)],
        description=_l("For you alone, to tell them apart"),
    )  # fmt: skip


class ConfirmForm(Form):
    """A button: the page says what it does."""


def say(field: Any, message: Any) -> None:
    """Put an error under a field."""
    field.errors = [*field.errors, message]
