"""A mail address, a mobile number, a code, and how to be told."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, Field, SelectField, SelectMultipleField, StringField, TelField
from wtforms.validators import ValidationError

from auth.factors.forms import mobile_of
from portal.web.fields import choices
from portal.web.forms import EmailAddress, Form, Required
from portal.web.i18n import LANGUAGES


class MailForm(Form):
    value = EmailField(_l("New e-mail"), [Required(_l("Write an e-mail address")), EmailAddress()])

    @property
    def given(self) -> str:
        return (self.value.data or "").strip()


class MobileForm(Form):
    value = TelField(
        _l("New mobile number"),
        [Required(_l("Write a mobile number"))],
        description=_l("For example 06 12 34 56 78, or +32 470 12 34 56"),
    )

    def validate_value(self, field: Field) -> None:
        if mobile_of(field.data or "") is None:
            raise ValidationError(_l("Write a mobile number that receives text messages"))

    @property
    def given(self) -> str:
        return mobile_of(self.value.data or "") or ""


class CodeForm(Form):
    code = StringField(_l("Code"), [Required(_l("Write the six digits of the code"))])


def _languages() -> list[Any]:
    return choices([("", _l("The one I read the portal in")), *LANGUAGES.items()])


class ChoiceForm(Form):
    locale = SelectField(_l("Language of the messages"), choices=_languages())
    channels = SelectMultipleField(
        _l("How to tell you that something waits for you"),
        [Required(_l("Choose one way at least"))],
        choices=choices([("mail", _l("By mail")), ("sms", _l("By text message"))]),
    )
