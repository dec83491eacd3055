"""The base of every form."""

from typing import Any
from uuid import uuid4

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField
from wtforms.validators import DataRequired


class Form(FlaskForm):  # type: ignore[misc]
    """A form whose wording is ours."""

    @property
    def has_errors(self) -> bool:
        return bool(self.errors)


class Required(DataRequired):
    """The answer is needed; `message` says what to give, in the person's words."""

    def __init__(self, message: Any = None) -> None:
        super().__init__(message or _l("Fill in this answer."))


class OnceForm(Form):
    """A form whose repeated post gets the first answer: the page that shows it draws the key."""

    once = HiddenField(default=lambda: str(uuid4()))
