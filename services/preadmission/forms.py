"""The forms of pre-admission: shape and wording of what is typed."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length, ValidationError

from portal.establishments import Unit
from portal.web.fields import DateParts, choices
from portal.web.forms import Form, OnceForm, Required
from services.preadmission.actions import Stay
from services.preadmission.wording import STAY_KINDS


class StayForm(OnceForm):
    """Where, when and for what kind of stay."""

    unit_id = SelectField(
        _l("Which unit are you expected in?"),
        validators=[Required(_l("Choose the unit written on your convocation."))],
        description=_l("It is written on your convocation or on your doctor's letter."),
    )
    planned_on = DateParts(
        _l("Which day do you arrive?"), validators=[InputRequired(_l("Write the day you are expected."))]
    )
    stay_kind = RadioField(
        _l("What is planned?"),
        choices=choices(STAY_KINDS.items()),
        validators=[Required(_l("Choose what is planned."))],
    )

    def offer(self, units: Sequence[Unit]) -> None:
        """Let the person choose among these units, grouped by hospital."""
        offered = choices((str(unit.id), unit.name) for unit in units)
        for choice, unit in zip(offered, units, strict=True):
            choice.optgroup = unit.establishment.name
        self.unit_id.choices = choices([("", _("Choose…"))]) + offered

    def answers(self) -> Stay:
        assert self.planned_on.data is not None, "the form is valid"
        return Stay(UUID(self.unit_id.data), self.planned_on.data, self.stay_kind.data)


class SendForm(OnceForm):
    """One button: the file leaves for the hospital."""


class CancelForm(Form):
    """One button: the patient gives the file up."""


class AskAgainForm(Form):
    """The agent sends the file back for its refused pieces."""

    complete_by = DateParts(
        _l("The patient answers by"), validators=[InputRequired(_l("Write the day by which you expect an answer."))]
    )
    today: date

    def validate_complete_by(self, field: DateParts) -> None:
        if field.data is not None and field.data < self.today:
            raise ValidationError(_("This day has passed: choose today or a later day"))


class RefuseForm(Form):
    """The agent refuses the whole file."""

    reason = TextAreaField(
        _l("What the patient will read"),
        validators=[Required(_l("Say why and what to do: the patient will read it.")), Length(max=1000)],
        description=_l("Why the file is refused and what to do instead. No medical detail."),
    )
