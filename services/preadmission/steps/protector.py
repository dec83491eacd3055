"""Who protects an adult by a judge's decision, and until when."""

from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import EmailField, StringField, TelField
from wtforms.validators import Length, Optional, ValidationError

from portal.web.fields import DateParts
from portal.web.forms import EmailAddress, Required
from portal.web.ui import long_day
from services.preadmission.answers import Protector
from services.preadmission.asked import Facts
from services.preadmission.steps.step import Rows, Step, StepForm, check_phone, phone_number, spelled_phone, text, told


class ProtectorForm(StepForm):
    name = StringField(
        _l("Name of the person who protects you"),
        validators=[Required(_l("Write the name of the person who protects you.")), Length(max=200)],
    )
    organisation = StringField(
        _l("Their organisation"), validators=[Length(max=200)], description=_l("If it is not somebody of your family.")
    )
    phone = TelField(_l("Telephone"), validators=[Required(_l("Write their telephone number.")), check_phone])
    email = EmailField(_l("E-mail"), validators=[Optional(), EmailAddress()])
    ends_on = DateParts(
        _l("The measure runs until"), validators=[Optional()], description=_l("The date is on the judgement.")
    )
    planned_on: date

    def prepare(self, facts: Facts) -> None:
        self.planned_on = facts.planned_on

    def validate_ends_on(self, field: Any) -> None:
        if field.data is not None and field.data < self.planned_on:
            raise ValidationError(
                _("This measure ends before your stay: write its new date, or change “Your situation” if it is over")
            )

    def answers(self) -> Protector:
        return Protector(
            name=text(self.name),
            organisation=text(self.organisation),
            phone=phone_number(self.phone.data),
            email=text(self.email),
            ends_on=self.ends_on.data,
        )


def _rows(answers: Protector) -> Rows:
    return told(
        (_("Name"), answers.name),
        (_("Organisation"), answers.organisation),
        (_("Telephone"), spelled_phone(answers.phone)),
        (_("E-mail"), answers.email),
        (_("Until"), long_day(answers.ends_on) if answers.ends_on else ""),
    )


STEP = Step(
    "protector",
    "protection",
    _l("Who protects you"),
    _l("Legal protection"),
    ProtectorForm,
    _rows,
    _l("The person named by the judge. You are asked for your own opinion all the same."),
)
