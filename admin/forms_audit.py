"""What an auditor looks for, in the address of the journal."""

from datetime import date
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import Length, Optional, Regexp, ValidationError

from admin.forms_figures import DaysForm
from admin.spans import Days

_TOO_LONG = _l("This is too long")


class JournalForm(DaysForm):
    """Days, one of the auditor's hospitals, who acted, what they did, and on what.

    agent, patient: ids that links of the journal carry; a person is found by a form of its own, never in an address.
    """

    establishment = SelectField(_l("Hospital"), [Optional()])
    actor = StringField(_l("Who"), [Optional(), Length(max=100, message=_TOO_LONG)])
    action = StringField(
        _l("Action"),
        [Optional(), Length(max=100, message=_TOO_LONG), Regexp(r"^[a-z_.]+$", message=_l("Only letters, _ and dots"))],
    )
    object = StringField(_l("Identifier of a thing"), [Optional(), Length(max=36, message=_TOO_LONG)])
    agent = HiddenField(validators=[Optional()])
    patient = HiddenField(validators=[Optional()])

    def validate_object(self, field: Any) -> None:
        if identifier(field) is None:
            raise ValidationError(_l("This is not an identifier: copy it from a line of the journal"))

    def default_days(self) -> Days:
        """Seven days of everybody; a year of one person or thing."""
        narrow = self.agent.data or self.patient.data or self.object.data
        return Days(_before(self.today, 364 if narrow else 6), self.today)


def identifier(field: Any) -> UUID | None:
    """What was given, when it is one."""
    try:
        return UUID((field.data or "").strip())
    except ValueError:
        return None


def _before(day: date, days: int) -> date:
    return date.fromordinal(day.toordinal() - days)
