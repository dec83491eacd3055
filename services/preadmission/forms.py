"""The forms of pre-admission: shape and wording of what is typed."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from stdnum.exceptions import ValidationError as NotANumber
from stdnum.fr import nir as french_nir
from wtforms import EmailField, RadioField, SelectField, StringField, TelField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from portal.establishments import Unit
from portal.web.fields import DateParts, choices
from portal.web.forms import EmailAddress, Form, OnceForm, Required
from services.preadmission.actions import Contact, Coverage, Relative, Stay
from services.preadmission.wording import AMC_KINDS, AMO_KINDS, RELATIVE_LINKS, STAY_KINDS

_PHONE = re.compile(r"\+?[0-9]{6,15}", re.ASCII)


def _phone(value: str | None) -> str:
    return re.sub(r"[ .\-()\u00a0\u202f]", "", value or "")


def _check_phone(_form: Any, field: Any) -> None:
    if not _PHONE.fullmatch(_phone(field.data)):
        raise ValidationError(_("Write a telephone number, such as 06 12 34 56 78"))


class StayForm(OnceForm):
    """Where, when and for what kind of stay."""

    unit_id = SelectField(
        _l("Which unit are you expected in?"),
        validators=[Required(_l("Choose the unit written on your convocation."))],
        description=_l("It is written on your convocation or on your doctor's letter."),
    )
    planned_on = DateParts(
        _l("Which day do you arrive?"), validators=[InputRequired(_l("Write the day you are expected."))]
    )
    stay_kind = RadioField(
        _l("What is planned?"),
        choices=choices(STAY_KINDS.items()),
        validators=[Required(_l("Choose what is planned."))],
    )

    def offer(self, units: Sequence[Unit]) -> None:
        """Let the person choose among these units, grouped by hospital."""
        offered = choices((str(unit.id), unit.name) for unit in units)
        for choice, unit in zip(offered, units, strict=True):
            choice.optgroup = unit.establishment.name
        self.unit_id.choices = choices([("", _("Choose…"))]) + offered

    def answers(self) -> Stay:
        assert self.planned_on.data is not None, "the form is valid"
        return Stay(UUID(self.unit_id.data), self.planned_on.data, self.stay_kind.data)


class ContactForm(Form):
    """How to call the person and reach them."""

    used_name = StringField(
        _l("Name you use"),
        validators=[Length(max=100)],
        description=_l("If it is not your birth name: your married name, for example."),
    )
    phone = TelField(_l("Telephone"), validators=[Required(_l("Write your telephone number.")), _check_phone])
    email = EmailField(
        _l("E-mail"),
        validators=[Optional(), EmailAddress()],
        description=_l("We write to it when there is something new. Nothing about your health is in the message."),
    )
    address = TextAreaField(
        _l("Postal address"),
        validators=[Required(_l("Write your postal address.")), Length(max=500)],
        description=_l("Number and street, postcode, town, and country if it is not France."),
    )

    def answers(self) -> Contact:
        return Contact(
            (self.used_name.data or "").strip(),
            _phone(self.phone.data),
            (self.email.data or "").strip(),
            (self.address.data or "").strip(),
        )


class CoverageForm(Form):
    """Compulsory and complementary health cover."""

    amo_kind = RadioField(
        _l("Do you have health insurance?"),
        choices=choices(AMO_KINDS.items()),
        validators=[Required(_l("Say whether you have health insurance."))],
    )
    nir = StringField(
        _l("Social security number"),
        description=_l("15 digits, on your carte Vitale. For a child, the number of the parent who covers them."),
    )
    amc_kind = RadioField(
        _l("Do you have complementary cover?"),
        choices=choices(AMC_KINDS.items()),
        validators=[Required(_l("Say whether you have complementary cover."))],
    )
    amc_name = StringField(_l("Name of your mutuelle or insurer"), validators=[Length(max=200)])
    amc_number = StringField(_l("Your member number"), validators=[Length(max=50)])

    def validate_nir(self, field: Any) -> None:
        """The key of the number is 97 - (13 digits mod 97); Corsica's 2A and 2B count as 19 and 18."""
        if not field.data or self.amo_kind.data != "french":
            return
        try:
            french_nir.validate(field.data)
        except NotANumber as wrong:
            raise ValidationError(_("This number does not exist: check its 15 digits, key included")) from wrong

    def validate_amc_name(self, field: Any) -> None:
        if self.amc_kind.data == "private" and not (field.data or "").strip():
            raise ValidationError(_("Write the name of your mutuelle or insurer"))

    def answers(self) -> Coverage:
        """What belongs to a choice that was not made is dropped."""
        french, private = self.amo_kind.data == "french", self.amc_kind.data == "private"
        return Coverage(
            self.amo_kind.data,
            french_nir.compact(self.nir.data or "") if french else "",
            self.amc_kind.data,
            (self.amc_name.data or "").strip() if private else "",
            (self.amc_number.data or "").strip() if private else "",
        )


class RelativeForm(Form):
    """Whom to call if needed."""

    relative_name = StringField(
        _l("Full name"), validators=[Required(_l("Write the name of the person to notify.")), Length(max=200)]
    )
    relative_link = SelectField(
        _l("Who are they to you?"),
        choices=choices([("", _l("Choose…")), *RELATIVE_LINKS.items()]),
        validators=[Required(_l("Say who this person is to you."))],
    )
    relative_phone = TelField(_l("Telephone"), validators=[Required(_l("Write their telephone number.")), _check_phone])

    def answers(self) -> Relative:
        name = (self.relative_name.data or "").strip()
        return Relative(name, self.relative_link.data, _phone(self.relative_phone.data))


class SendForm(OnceForm):
    """One button: the file leaves for the hospital."""


class CancelForm(Form):
    """One button: the patient gives the file up."""


class AskAgainForm(Form):
    """The agent sends the file back for its refused pieces."""

    complete_by = DateParts(
        _l("The patient answers by"), validators=[InputRequired(_l("Write the day by which you expect an answer."))]
    )
    today: date

    def validate_complete_by(self, field: DateParts) -> None:
        if field.data is not None and field.data < self.today:
            raise ValidationError(_("This day has passed: choose today or a later day"))


class RefuseForm(Form):
    """The agent refuses the whole file."""

    reason = TextAreaField(
        _l("What the patient will read"),
        validators=[Required(_l("Say why and what to do: the patient will read it.")), Length(max=1000)],
        description=_l("Why the file is refused and what to do instead. No medical detail."),
    )
