"""Médecin traitant."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, StringField
from wtforms.validators import Length, ValidationError

from portal.web.fields import choices
from portal.web.forms import Required
from services.preadmission.answers import Doctor
from services.preadmission.models import Preadmission
from services.preadmission.steps.base import Rows, Step, StepForm, text, told


class DoctorForm(StepForm):
    has_one = RadioField(
        _l("Do you have a “médecin traitant”?"),
        choices=choices([("yes", _l("Yes")), ("no", _l("No, or I do not know"))]),
        validators=[Required(_l("Say whether you have a “médecin traitant”."))],
        description=_l("The doctor whom you named to your health insurance."),
    )
    name = StringField(_l("Doctor’s name"), validators=[Length(max=100)])
    town = StringField(_l("Town"), validators=[Length(max=100)])

    @classmethod
    def shown(cls, answers: Any, file: Preadmission) -> dict[str, Any]:
        return {} if answers is None else dict(answers) | {"has_one": "yes" if answers.has_one else "no"}

    def validate_name(self, field: Any) -> None:
        if self.has_one.data == "yes" and not text(field):
            raise ValidationError(_("Write the name of your doctor"))

    def answers(self) -> Doctor:
        if self.has_one.data != "yes":
            return Doctor(has_one=False)
        return Doctor(has_one=True, name=text(self.name), town=text(self.town))


def _rows(answers: Doctor) -> Rows:
    if not answers.has_one:
        return told((_("Médecin traitant"), _("None")))
    return told((_("Médecin traitant"), ", ".join(filter(None, (answers.name, answers.town)))), ("RPPS", answers.rpps))


STEP = Step("doctor", "medecin", _l("Your doctor"), _l("Doctor"), DoctorForm, _rows)
