"""Advance directives (CSP L1111-11): whether there are any and where they are kept. Never required."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, StringField
from wtforms.validators import Length, Optional, ValidationError

from portal.web.fields import choices
from services.preadmission.answers import Directives
from services.preadmission.steps.step import Rows, Step, StepForm, text, told

EXIST: Mapping[str, Any] = {
    "yes": _l("Yes, I have written some"),
    "no": _l("No"),
    "unsaid": _l("I would rather not say"),
}
KEPT: Mapping[str, Any] = {
    "record": _l("In Mon espace santé"),
    "doctor": _l("With a doctor"),
    "relative": _l("With somebody close to me"),
    "here": _l("I send a copy with my documents"),
}


class DirectivesForm(StepForm):
    """Nothing has to be answered: saving the page as it is means that nothing is said."""

    exist = RadioField(
        _l("Have you written advance directives?"), choices=choices(EXIST.items()), validators=[Optional()]
    )
    kept = RadioField(_l("Where are they kept?"), choices=choices(KEPT.items()), validators=[Optional()])
    holder = StringField(_l("Name and telephone of who keeps them"), validators=[Length(max=200)])

    def validate_holder(self, field: Any) -> None:
        if self.exist.data == "yes" and self.kept.data in ("doctor", "relative") and not text(field):
            raise ValidationError(_("Write who keeps them, so that they are found if needed"))

    def answers(self) -> Directives:
        said: Any = {"exist": self.exist.data or "unsaid"}
        if said["exist"] == "yes":
            said["kept"] = self.kept.data or ""
            said["holder"] = text(self.holder) if said["kept"] in ("doctor", "relative") else ""
        return Directives.model_validate(said)


def _rows(answers: Directives) -> Rows:
    return told(
        (_("Advance directives"), EXIST[answers.exist]),
        (_("Where they are kept"), KEPT.get(answers.kept, "")),
        (_("Who keeps them"), answers.holder),
    )


STEP = Step(
    "directives",
    "directives-anticipees",
    _l("Advance directives"),
    _l("Advance directives"),
    DirectivesForm,
    _rows,
    _l("What you want, or refuse, for the end of your life, if one day you can no longer say it. Nothing obliges you."),
)
