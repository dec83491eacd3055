"""How the person is called and reached. Strict identity traits are shown, never typed."""

from collections.abc import Sequence
from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import EmailField, SelectField, StringField, TelField
from wtforms.validators import Length, Optional, ValidationError

from portal.web.forms import EmailAddress, Required
from services.preadmission import towns
from services.preadmission.answers import Identity
from services.preadmission.asked import Facts
from services.preadmission.models import Preadmission
from services.preadmission.steps import names
from services.preadmission.steps.step import Rows, Step, StepForm, check_phone, phone_number, spelled_phone, text, told


class IdentityForm(StepForm):
    """Fields in the order of the page, which is that of what is told to be corrected. towns: those of the postcode."""

    used_name = StringField(
        _l("Name you use"),
        validators=[Length(max=100)],
        description=_l("If it is not your birth name: your married name, for example."),
    )
    used_first_name = StringField(
        _l("First name you use"),
        validators=[Length(max=100)],
        description=_l("If it is not the first of those on your identity document."),
    )
    phone = TelField(_l("Telephone"), validators=[Required(_l("Write your telephone number.")), check_phone])
    email = EmailField(
        _l("E-mail"),
        validators=[Optional(), EmailAddress()],
        description=_l("We write to it when there is something new. Nothing about your health is in the message."),
    )
    country = SelectField(_l("Country"), choices=names.countries, default="FR")
    postcode = StringField(_l("Postcode"), validators=[Length(max=12)])
    town = StringField(_l("Town"), validators=[Required(_l("Write your town.")), Length(max=100)])
    street = StringField(
        _l("Number and street"), validators=[Required(_l("Write your postal address.")), Length(max=200)]
    )
    complement = StringField(_l("Building, floor, at whose home"), validators=[Length(max=200)])
    interpreter = SelectField(
        _l("Do you need an interpreter?"),
        choices=names.languages,
        default="",
        description=_l("If you are more at ease in another language, the hospital can prepare for it."),
    )
    towns: Sequence[str] = ()

    @classmethod
    def shown(cls, answers: Any, file: Preadmission) -> dict[str, Any]:
        """A first visit starts from what the account says."""
        if answers is not None:
            return dict(answers)
        return {"used_name": file.patient.used_name, "phone": file.patient.mobile, "email": file.patient.email}

    def prepare(self, facts: Facts) -> None:
        self.towns = towns.at(text(self.postcode)) if self.country.data == "FR" else ()

    def helps(self) -> bool:
        """“Find the town”: the only one is written, several are proposed."""
        if "find" not in request.form:
            return False
        if len(self.towns) == 1:
            self.town.data = self.towns[0]
        if not self.towns:
            self.postcode.errors = [_("We know no town with this postcode: check it, or write the town yourself")]
        return True

    def validate_postcode(self, field: Any) -> None:
        if self.country.data == "FR" and not towns.is_postcode(text(field)):
            raise ValidationError(_("Write the five digits of your postcode"))

    def answers(self) -> Identity:
        return Identity(
            used_name=text(self.used_name),
            used_first_name=text(self.used_first_name),
            phone=phone_number(self.phone.data),
            email=text(self.email),
            street=text(self.street),
            complement=text(self.complement),
            postcode=text(self.postcode),
            town=text(self.town),
            country=self.country.data,
            interpreter=self.interpreter.data,
        )


def _rows(answers: Identity) -> Rows:
    lines = list(answers.address)
    if answers.country != "FR" and lines:
        lines[-1] = names.country(answers.country)
    return told(
        (_("Name you use"), answers.used_name),
        (_("First name you use"), answers.used_first_name),
        (_("Telephone"), spelled_phone(answers.phone)),
        (_("E-mail"), answers.email),
        (_("Postal address"), ", ".join(lines)),
        (_("Interpreter"), names.language(answers.interpreter) if answers.interpreter else ""),
    )


STEP = Step("identity", "identite", _l("You"), _l("Contact"), IdentityForm, _rows)
