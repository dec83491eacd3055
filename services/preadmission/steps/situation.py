"""What decides what else is asked: accident, protected adult, parents of a child."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField

from portal.web.fields import choices
from portal.web.forms import Required
from services.preadmission.answers import Situation
from services.preadmission.asked import Facts
from services.preadmission.steps.step import Rows, Step, StepForm, told

ACCIDENTS = {
    "none": _l("No"),
    "work": _l("Yes, an accident at work or on the way to work, or an occupational disease"),
    "road": _l("Yes, on the road"),
    "other": _l("Yes, another accident"),
}
PROTECTIONS = {
    "none": _l("No"),
    "guardianship": _l("Yes, a guardianship (tutelle)"),
    "curatorship": _l("Yes, a curatorship (curatelle)"),
    "family": _l("Yes, a family authorisation or a mandate for future protection"),
    "safeguard": _l("Yes, a protection by the court for a short time (sauvegarde de justice)"),
}
AUTHORITIES = {
    "both": _l("Both parents"),
    "sole": _l("One parent alone (judgement, death, or only one parent recognised the child)"),
    "third": _l("Somebody else (child welfare services, a guardian…)"),
}


class SituationForm(StepForm):
    """An adult is asked about protection, a child about parents: never both."""

    accident = RadioField(
        _l("Is this stay because of an accident?"),
        choices=choices(ACCIDENTS.items()),
        validators=[Required(_l("Say whether an accident is the cause of this stay."))],
    )
    protection = RadioField(
        _l("Are you protected by a judge’s decision?"),
        choices=choices(PROTECTIONS.items()),
        validators=[Required(_l("Say whether a judge protects you."))],
    )
    authority = RadioField(
        _l("Who decides for this child?"),
        choices=choices(AUTHORITIES.items()),
        validators=[Required(_l("Say who decides for this child."))],
    )

    def prepare(self, facts: Facts) -> None:
        if facts.is_minor:
            del self.protection
        else:
            del self.authority

    def answers(self) -> Situation:
        return Situation(
            accident=self.accident.data,
            protection=self.protection.data or "none" if "protection" in self else "none",
            authority=self.authority.data or "" if "authority" in self else "",
        )


def _rows(answers: Situation) -> Rows:
    return told(
        (_("Accident"), ACCIDENTS[answers.accident]),
        (_("Protected by a judge"), PROTECTIONS[answers.protection] if answers.protection != "none" else ""),
        (_("Who decides for the child"), AUTHORITIES.get(answers.authority, "")),
    )


STEP = Step(
    "situation",
    "situation",
    _l("Your situation"),
    _l("Situation"),
    SituationForm,
    _rows,
    _l("Two questions, to ask you only what concerns you."),
)
