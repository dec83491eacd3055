"""The forms with which agents record a death, and undo a mistake."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, TextAreaField
from wtforms.validators import InputRequired, Length

from portal.web.fields import DateParts
from portal.web.forms import OnceForm, Required


class DeathForm(OnceForm):
    """The day, and that a proof was seen."""

    died_on = DateParts(
        _l("Day of the death"),
        validators=[InputRequired(_l("Write the day of the death."))],
        description=_l("As the certificate says, for example 27 3 2026"),
    )
    seen = BooleanField(
        _l("I have seen a proof: death certificate, or the hospital’s own record"),
        validators=[InputRequired(_l("Record a death only with a proof before you."))],
    )


class UndoForm(OnceForm):
    """Why the death was recorded by mistake. Codes and facts, never health data."""

    reason = TextAreaField(
        _l("What shows that it is a mistake?"),
        validators=[Required(_l("Say what shows that it is a mistake.")), Length(max=500)],
        description=_l("For example: came to the desk with an identity card; confused with a namesake."),
    )
