"""What an auditor looks for, in the address of the journal."""

from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.validators import Length, Optional, Regexp

from admin.forms_figures import DaysForm

_TOO_LONG = _l("This is too long")


class JournalForm(DaysForm):
    """Days, one of the auditor's hospitals, who acted, and what they did."""

    establishment = SelectField(_l("Hospital"), [Optional()])
    actor = StringField(_l("Who"), [Optional(), Length(max=100, message=_TOO_LONG)])
    action = StringField(
        _l("Action"),
        [Optional(), Length(max=100, message=_TOO_LONG), Regexp(r"^[a-z_.]+$", message=_l("Only letters, _ and dots"))],
    )
