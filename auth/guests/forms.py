"""The two steps of a guest, and the agent's choice of a way to send the link."""

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, StringField
from wtforms.validators import InputRequired, Length

from portal.web.fields import DateParts, choices
from portal.web.forms import Form, OnceForm, Required


class BirthForm(Form):
    """The patient's birth date."""

    birth_on = DateParts(
        _l("Birth date of the person who is expected"),
        validators=[InputRequired(_l("Write the birth date."))],
        description=_l("For example 14 7 1948"),
    )


class CodeForm(Form):
    """The code that was sent."""

    code = StringField(
        _l("Code received by text message"), validators=[Required(_l("Write the six digits.")), Length(max=20)]
    )


class InviteForm(OnceForm):
    """How the link is sent; the code always goes to the mobile."""

    channel = RadioField(
        _l("Send the link"),
        choices=choices([("sms", _l("By text message")), ("mail", _l("By e-mail"))]),
        default="sms",
        validators=[InputRequired(_l("Choose how the link is sent."))],
    )
