"""Three choices that are told apart, each with its legal nature, and the secret of the stay."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, TextAreaField
from wtforms.validators import Length, Optional, ValidationError

from portal.web.fields import choices
from services.preadmission.answers import Choices
from services.preadmission.choices import texts
from services.preadmission.models import Preadmission
from services.preadmission.steps.step import Rows, Step, StepForm, text, told

TEXT_VERSION = texts.IN_FORCE.code


class ChoicesForm(StepForm):
    """Nothing is ticked beforehand; what was chosen is shown again as it was."""

    record_opposed = BooleanField(_l("I object, for a legitimate reason"))
    record_reason = TextAreaField(
        _l("Your reason"),
        validators=[Length(max=500)],
        description=_l("The admissions office reads it and answers you. No medical detail is needed."),
    )
    outside_team = RadioField(
        _l("May professionals outside your care team look at your record?"),
        choices=choices([("yes", _l("Yes, I agree")), ("no", _l("No"))]),
        validators=[Optional()],
    )
    by_text = BooleanField(_l("I agree to receive them by text message"))
    by_mail = BooleanField(_l("I agree to receive them by e-mail"))
    confidential = BooleanField(_l("I ask that nobody be told that I am at the hospital"))

    explained = texts.IN_FORCE.by_code
    """What each choice means, in the version that is kept with the answers."""

    @classmethod
    def shown(cls, answers: Any, file: Preadmission) -> dict[str, Any]:
        if answers is None:
            return {}
        return dict(answers) | {"outside_team": {True: "yes", False: "no"}.get(answers.outside_team, "")}

    def validate_record_reason(self, field: Any) -> None:
        if self.record_opposed.data and not text(field):
            raise ValidationError(_("Write your reason: the hospital has to look at it"))

    def answers(self) -> Choices:
        return Choices(
            record_opposed=self.record_opposed.data,
            record_reason=text(self.record_reason) if self.record_opposed.data else "",
            outside_team={"yes": True, "no": False}.get(self.outside_team.data or ""),
            by_text=self.by_text.data,
            by_mail=self.by_mail.data,
            confidential=self.confidential.data,
            text_version=TEXT_VERSION,
        )


def rows(answers: Choices) -> Rows:
    """What was chosen, in words."""
    outside = {True: _("Agreed"), False: _("Refused"), None: _("No answer")}[answers.outside_team]
    means = [word for word, agreed in ((_("text message"), answers.by_text), (_("e-mail"), answers.by_mail)) if agreed]
    return told(
        (
            _("Mon espace santé"),
            _("Objection: %(reason)s", reason=answers.record_reason) if answers.record_opposed else _("Informed"),
        ),
        (_("Outside the care team"), outside),
        (_("Messages agreed to"), ", ".join(means) or _("None")),
        (_("Secret of the stay"), _("Asked for") if answers.confidential else ""),
    )


STEP = Step(
    "choices",
    "choix",
    _l("Your choices"),
    _l("Choices"),
    ChoicesForm,
    rows,
    _l("Three choices that the law does not treat alike, and a request. You can change them until your stay."),
)
