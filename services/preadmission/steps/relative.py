"""Whom to call if needed."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField, TelField
from wtforms.validators import Length

from portal.web.fields import choices
from portal.web.forms import Required
from services.preadmission.answers import Relative
from services.preadmission.steps.step import Rows, Step, StepForm, check_phone, phone_number, spelled_phone, text, told

LINKS = {
    "spouse": _l("Husband, wife or partner"),
    "parent": _l("Parent"),
    "child": _l("Daughter or son"),
    "sibling": _l("Sister or brother"),
    "friend": _l("Friend or neighbour"),
    "other": _l("Other"),
}


class RelativeForm(StepForm):
    name = StringField(
        _l("Full name"), validators=[Required(_l("Write the name of the person to notify.")), Length(max=200)]
    )
    link = SelectField(
        _l("Who are they to you?"),
        choices=choices([("", _l("Choose…")), *LINKS.items()]),
        validators=[Required(_l("Say who this person is to you."))],
    )
    phone = TelField(_l("Telephone"), validators=[Required(_l("Write their telephone number.")), check_phone])

    def answers(self) -> Relative:
        return Relative(name=text(self.name), link=self.link.data, phone=phone_number(self.phone.data))


def _rows(answers: Relative) -> Rows:
    return told(
        (_("Name"), answers.name),
        (_("Link"), LINKS.get(answers.link, "")),
        (_("Telephone"), spelled_phone(answers.phone)),
    )


STEP = Step(
    "relative",
    "personne-a-prevenir",
    _l("Person to notify"),
    _l("Person to notify"),
    RelativeForm,
    _rows,
    _l("Whom should the hospital call if needed, during your stay?"),
)
