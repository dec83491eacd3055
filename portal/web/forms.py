"""The base of every form."""

import re
from typing import Any
from uuid import uuid4

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField
from wtforms.validators import DataRequired, ValidationError

INSIDE = _l("This address is inside the network. Whoever runs the portal must allow it first (PORTAL_INSIDE_HOSTS).")
"""What is wrong with an address that the portal must not call (`portal.gateways.reach.Inside`)."""


class Form(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A form whose wording is ours."""

    @property
    def has_errors(self) -> bool:
        return bool(self.errors)


class Required(DataRequired):
    """The answer is needed; `message` says what to give, in the person's words."""

    def __init__(self, message: Any = None) -> None:
        super().__init__(message or _l("Fill in this answer."))


class EmailAddress:
    """One plain address, as RFC 5321 bounds it (254 characters): no name, no list, nothing a mail header could be
    made of. Only a message that arrives proves more."""

    _FORM = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)

    def __call__(self, _form: Any, field: Any) -> None:
        address = (field.data or "").strip()
        if len(address) > 254 or not self._FORM.fullmatch(address):
            raise ValidationError(_l("Write an e-mail address, such as name@example.org"))


class OnceForm(Form):
    """A form whose repeated post gets the first answer: the page that shows it draws the key."""

    once = HiddenField(default=lambda: str(uuid4()))
