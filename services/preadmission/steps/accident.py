"""An accident: when, and for one at work the employer and the number of the declaration."""

from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import InputRequired, Length, ValidationError

from portal.web.fields import DateParts
from portal.web.forms import Required
from portal.web.ui import long_day
from services.preadmission.answers import AccidentFacts, Situation
from services.preadmission.asked import Facts
from services.preadmission.steps.step import Rows, Step, StepForm, text, told


class AccidentForm(StepForm):
    """One at work is asked about the employer, one on the road about the other party."""

    happened_on = DateParts(
        _l("When did the accident happen?"), validators=[InputRequired(_l("Write the day of the accident."))]
    )
    employer = StringField(
        _l("Your employer at the time"), validators=[Required(_l("Write the name of your employer.")), Length(max=200)]
    )
    number = StringField(
        _l("Number of the work accident"),
        validators=[Length(max=50)],
        description=_l("On the papers of your health insurance, if you have them already."),
    )
    other_party = StringField(
        _l("The other person, and their insurer"),
        validators=[Length(max=300)],
        description=_l("If somebody else was involved."),
    )
    planned_on: date

    def prepare(self, facts: Facts) -> None:
        self.planned_on = facts.planned_on
        situation = facts.given(Situation) or Situation()
        if situation.accident != "work":
            del self.employer
            del self.number
        if situation.accident == "work":
            del self.other_party

    def validate_happened_on(self, field: Any) -> None:
        if field.data is None:
            return
        if field.data > self.today:
            raise ValidationError(_("This day is in the future: check the date of the accident"))
        if field.data > self.planned_on:
            raise ValidationError(_("This day is after your stay: check the date of the accident"))
        if field.data.year < self.today.year - 100:
            raise ValidationError(_("This day is too long ago: check the year"))

    def answers(self) -> AccidentFacts:
        typed = {name: text(self[name]) for name in ("employer", "number", "other_party") if name in self}
        assert self.happened_on.data is not None, "the form is valid"
        return AccidentFacts(happened_on=self.happened_on.data, **typed)


def _rows(answers: AccidentFacts) -> Rows:
    return told(
        (_("Day of the accident"), long_day(answers.happened_on)),
        (_("Employer"), answers.employer),
        (_("Number of the work accident"), answers.number),
        (_("Other person"), answers.other_party),
    )


STEP = Step("accident", "accident", _l("Your accident"), _l("Accident"), AccidentForm, _rows)
