"""How the person is called and reached. Strict identity traits are shown, never typed."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from wtforms import EmailField, StringField, TelField
from wtforms.validators import Length, Optional

from portal.web.forms import EmailAddress, Required
from services.preadmission.answers import Identity
from services.preadmission.models import Preadmission
from services.preadmission.steps.base import Rows, Step, StepForm, check_phone, phone_number, text, told


class IdentityForm(StepForm):
    used_name = StringField(
        _l("Name you use"),
        validators=[Length(max=100)],
        description=_l("If it is not your birth name: your married name, for example."),
    )
    phone = TelField(_l("Telephone"), validators=[Required(_l("Write your telephone number.")), check_phone])
    email = EmailField(
        _l("E-mail"),
        validators=[Optional(), EmailAddress()],
        description=_l("We write to it when there is something new. Nothing about your health is in the message."),
    )
    street = StringField(
        _l("Number and street"), validators=[Required(_l("Write your postal address.")), Length(max=200)]
    )
    complement = StringField(_l("Building, floor, at whose home"), validators=[Length(max=200)])
    postcode = StringField(_l("Postcode"), validators=[Required(_l("Write your postcode.")), Length(max=12)])
    town = StringField(_l("Town"), validators=[Required(_l("Write your town.")), Length(max=100)])

    @classmethod
    def shown(cls, answers: Any, file: Preadmission) -> dict[str, Any]:
        """A first visit starts from what the account says."""
        if answers is not None:
            return dict(answers)
        return {"used_name": file.patient.used_name, "phone": file.patient.mobile, "email": file.patient.email}

    def answers(self) -> Identity:
        return Identity(
            used_name=text(self.used_name),
            phone=phone_number(self.phone.data),
            email=text(self.email),
            street=text(self.street),
            complement=text(self.complement),
            postcode=text(self.postcode),
            town=text(self.town),
        )


def _rows(answers: Identity) -> Rows:
    return told(
        (_("Name you use"), answers.used_name),
        (_("Telephone"), answers.phone),
        (_("E-mail"), answers.email),
        (_("Postal address"), Markup("<br>").join(answers.address)),
    )


STEP = Step("identity", "identite", _l("You"), _l("Contact"), IdentityForm, _rows)
