"""What administrators say of the waiting room."""

from flask_babel import lazy_gettext as _l
from wtforms import IntegerField
from wtforms.validators import InputRequired, NumberRange

from portal.web.forms import Form

_MESSAGE = _l("Give a number from 1 to 100,000")


class PaceForm(Form):
    """How many people come in each minute."""

    per_minute = IntegerField(
        _l("People who come in each minute"), [InputRequired(_MESSAGE), NumberRange(1, 100_000, _MESSAGE)]
    )
