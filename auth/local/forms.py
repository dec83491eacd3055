"""Signing in, and setting up, without an identity provider."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import Field, HiddenField, PasswordField, StringField
from wtforms.validators import Length, ValidationError

from auth.factors import codes
from auth.local import passwords
from portal.web.forms import Form, Required

_WEAK = {
    "short": _l("Twelve characters at least: three or four words in a row make a good password"),
    "long": _l("Two hundred characters at most"),
    "simple": _l("Too few different characters: three or four words in a row make a good password"),
    "personal": _l("Do not use your name or your address: others know them"),
    "obvious": _l("This password is among the first that a thief tries: choose another one"),
    "common": _l("Too many people use this password, and thieves know it: choose another one"),
    "leaked": _l("This password was stolen elsewhere, and thieves know it: choose another one"),
}


class PasswordSignInForm(Form):
    """The three things that open a local account."""

    login = StringField(
        _l("Your identifier"), [Required(_l("Write your identifier")), Length(max=200)],
        description=_l("The one on the sheet of the hospital, or your professional mail address"),
    )  # fmt: skip
    password = PasswordField(_l("Password"), [Required(_l("Write your password")), Length(max=200)])
    code = StringField(
        _l("Code of your application"), [Required(_l("Write the six digits of your application")), Length(max=50)],
        description=_l("Six digits; or one of your recovery codes"),
    )  # fmt: skip


class _ChoosesPassword(Form):
    """Refuses a new password that is weak, or was not written twice. personal: what others know of the person too."""

    password: PasswordField
    again: PasswordField

    def __init__(self, *, personal: tuple[str, ...] = (), **arguments: Any) -> None:
        super().__init__(**arguments)
        self._personal = personal

    def validate_password(self, field: Field) -> None:
        if weak := passwords.weakness(field.data or "", self._personal):
            raise ValidationError(_WEAK[weak])

    def validate_again(self, field: Field) -> None:
        if field.data != self.password.data:
            raise ValidationError(_l("The two passwords differ"))


class PasswordSetUpForm(_ChoosesPassword):
    """A first password, and the first code of the application that goes with it."""

    password = PasswordField(
        _l("Choose a password"), [Required(_l("Choose a password"))], description=_l("Twelve characters at least")
    )
    again = PasswordField(_l("The same password again"), [Required(_l("Write the same password again"))])
    code = StringField(_l("Code of your application"), [Required(_l("Write the six digits of the code"))])
    sealed = HiddenField()

    def validate_code(self, field: Field) -> None:
        if field.data and len(codes.digits_of(field.data)) != 6:
            raise ValidationError(_l("The code has six digits"))


class PasswordChangeForm(_ChoosesPassword):
    """The password of now, and the one to come."""

    former = PasswordField(
        _l("Your password of now"), [Required(_l("Write the password that you have now")), Length(max=200)]
    )
    password = PasswordField(
        _l("New password"), [Required(_l("Choose a password"))], description=_l("Twelve characters at least")
    )
    again = PasswordField(_l("The new password again"), [Required(_l("Write the same password again"))])

    def validate_password(self, field: Field) -> None:
        super().validate_password(field)
        if field.data == self.former.data:
            raise ValidationError(_l("It is the password that you have now: choose another one"))
