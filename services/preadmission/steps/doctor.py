"""Médecin traitant: chosen from the register, or typed by hand."""

from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, StringField
from wtforms.validators import Length, Optional, ValidationError

from portal.web.fields import choices
from portal.web.forms import Required
from services.preadmission.answers import Doctor
from services.preadmission.asked import Facts
from services.preadmission.doctors import queries as register
from services.preadmission.doctors.models import Doctor as Registered
from services.preadmission.models import Preadmission
from services.preadmission.steps.step import Rows, Step, StepForm, text, told

_NONE_OF_THEM = "none"


class DoctorForm(StepForm):
    """chosen: the number of a doctor found in the register. searched: whether doctors were looked for."""

    has_one = RadioField(
        _l("Do you have a “médecin traitant”?"),
        choices=choices([("yes", _l("Yes")), ("no", _l("No, or I do not know"))]),
        validators=[Required(_l("Say whether you have a “médecin traitant”."))],
        description=_l("The doctor whom you named to your health insurance."),
    )
    name = StringField(_l("Doctor’s name"), validators=[Length(max=100)])
    town = StringField(_l("Town"), validators=[Length(max=100)])
    chosen = RadioField(_l("Which one is it?"), choices=[], validators=[Optional()], validate_choice=False)
    searched = False

    @classmethod
    def shown(cls, answers: Any, file: Preadmission) -> dict[str, Any]:
        if answers is None:
            return {}
        return dict(answers) | {"has_one": "yes" if answers.has_one else "no", "chosen": answers.rpps}

    def prepare(self, facts: Facts) -> None:
        """Somebody chosen before stays proposed."""
        known = register.one(self.chosen.data or "", text(self.town))
        self._propose([known] if known else [])

    def helps(self) -> bool:
        """“Find my doctor”: those of the register whose name begins like this."""
        if "find" not in request.form:
            return False
        self.searched = True
        self._propose(register.found(text(self.name), text(self.town)))
        return True

    def _propose(self, found: Any) -> None:
        """One choice a doctor, at the first of their places, then none of them."""
        lines: dict[str, str] = {}
        for each in found:
            lines.setdefault(each.rpps, _line(each))
        self.chosen.choices = choices([*lines.items(), (_NONE_OF_THEM, _("None of them: keep what I wrote"))])
        self.proposed = bool(lines)

    def validate_name(self, field: Any) -> None:
        if self.has_one.data == "yes" and not text(field):
            raise ValidationError(_("Write the name of your doctor"))

    def validate_chosen(self, field: Any) -> None:
        if field.data in (None, "", _NONE_OF_THEM):
            return
        if register.one(field.data) is None:
            raise ValidationError(_("This doctor is not in the register any more: write their name and town"))

    def answers(self) -> Doctor:
        if self.has_one.data != "yes":
            return Doctor(has_one=False)
        known = register.one(self.chosen.data or "", text(self.town))
        if known is None:
            return Doctor(has_one=True, name=text(self.name), town=text(self.town))
        return Doctor(has_one=True, name=known.full_name, town=known.town, rpps=known.rpps)


def _line(doctor: Registered) -> str:
    return ", ".join(filter(None, (f"Dr {doctor.full_name}", doctor.speciality, doctor.town)))


def _rows(answers: Doctor) -> Rows:
    if not answers.has_one:
        return told((_("Médecin traitant"), _("None")))
    return told((_("Médecin traitant"), ", ".join(filter(None, (answers.name, answers.town)))), ("RPPS", answers.rpps))


STEP = Step("doctor", "medecin", _l("Your doctor"), _l("Doctor"), DoctorForm, _rows)
