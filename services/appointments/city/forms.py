"""What a practitioner of the city types or chooses."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, cast
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, HiddenField, RadioField, StringField, TelField
from wtforms.validators import AnyOf, InputRequired, Length, Optional, Regexp, StopValidation, ValidationError

from portal import calendar, db
from portal.web.fields import DateParts, choices
from portal.web.forms import EmailAddress, Form, OnceForm, Required
from services.appointments.city.wording import CANCEL_REASONS
from services.appointments.slots import Slot
from services.sent_patients.actions import Described

NEW = "new"
_MOBILE = r"^\s*(\+?[0-9][0-9 .\-()]{7,20})\s*$"
_OLDEST_DAYS = 125 * 365
_WHY = _l("Choose why you are cancelling")


class _OfNewPatient:
    """The answers that follow matter only for somebody who is described now."""

    def __call__(self, form: Any, field: Any) -> None:
        if form.patient.data != NEW:
            field.errors = []
            raise StopValidation


class BookForPatientForm(OnceForm):
    """The last step: for whom. Reason and slot come from the step before."""

    reason = HiddenField()
    slot = StringField(_l("Time"), [Required(_l("Choose a time"))])
    patient = RadioField(
        _l("Who is the appointment for?"), [Required(_l("Choose who the appointment is for"))], validate_choice=False
    )
    birth_name = StringField(_l("Birth name"), [_OfNewPatient(), Required(_l("Give the birth name")), Length(max=100)])
    first_name = StringField(
        _l("First name at birth"), [_OfNewPatient(), Required(_l("Give the first name")), Length(max=100)]
    )
    birth_on = DateParts(_l("Birth date"), [_OfNewPatient(), InputRequired(_l("Give the birth date"))])
    sex = RadioField(
        _l("Sex"),
        [_OfNewPatient(), Required(_l("Choose the sex")), AnyOf(("F", "M"), _l("Choose the sex"))],
        choices=choices([("F", _l("Female")), ("M", _l("Male"))]),
        validate_choice=False,
    )
    mobile = TelField(
        _l("Mobile phone"), [_OfNewPatient(), Optional(), Regexp(_MOBILE, message=_l("Check this phone number"))]
    )
    email = EmailField(
        _l("E-mail"),
        [_OfNewPatient(), Optional(), EmailAddress()],
        description=_l("The patient’s own: they are told there that an appointment exists, nothing more."),
    )

    def offer(self, known: Mapping[str, str]) -> None:
        """known: id → name of those booked for before."""
        self.known = known
        self.patient.choices = choices([*known.items(), (NEW, _l("Another patient"))])
        if not known and not self.patient.data:
            self.patient.data = NEW

    def validate_patient(self, field: Any) -> None:
        if field.data != NEW and field.data not in self.known:
            raise ValidationError(_l("Choose who the appointment is for"))

    def validate_birth_on(self, field: Any) -> None:
        if self.patient.data == NEW and field.data:
            age_days = (calendar.latest_day(db.now()) - field.data).days
            if not 0 <= age_days < _OLDEST_DAYS:
                raise ValidationError(_l("Check the birth date"))

    @property
    def parsed_slot(self) -> Slot | None:
        try:
            return Slot.parse(self.slot.data or "")
        except ValueError:
            return None

    @property
    def sent_patient_id(self) -> UUID | None:
        """Of somebody booked for before; None for somebody described now."""
        return None if self.patient.data == NEW else UUID(self.patient.data)

    def described(self) -> Described:
        return Described(
            self.birth_name.data or "",
            self.first_name.data or "",
            cast(date, self.birth_on.data),
            self.sex.data or "",
            (self.mobile.data or "").strip(),
            (self.email.data or "").strip(),
        )


class CancelSentForm(Form):
    """Why a practitioner gives a time back."""

    why = RadioField(
        _l("Why are you cancelling?"),
        [
            Required(_l("Choose why you are cancelling")),
            AnyOf(tuple(CANCEL_REASONS), _l("Choose why you are cancelling")),
        ],
        choices=choices(cast(Sequence[tuple[str, Any]], tuple(CANCEL_REASONS.items()))),
        validate_choice=False,
    )


class MoveSentForm(OnceForm):
    """Another time."""

    slot = StringField(_l("Time"), [Required(_l("Choose a time"))])
