"""The forms of those who sign."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, TextAreaField
from wtforms.validators import Length

from portal.web.forms import Form, OnceForm, Required


class SignForm(OnceForm):
    """Reading, then agreeing. read: SHA-256 of the text on the page, in hex: what is signed is what was read."""

    read = HiddenField()
    agreed = BooleanField(
        _l("I have read this text and I agree"), validators=[Required(_l("Tick the box if you agree, then sign."))]
    )


class DeclineForm(OnceForm):
    """One button: I do not sign."""


class GestureForm(Form):
    """One button."""


class WaiveForm(Form):
    """The agent says why no signature is needed."""

    reason = TextAreaField(
        _l("Why no signature is needed"),
        validators=[Required(_l("Say which proof you have seen.")), Length(max=500)],
        description=_l("For the file: the proof you have seen, its date. No medical detail."),
    )
