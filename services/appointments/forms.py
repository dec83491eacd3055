"""What people type or choose."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import EmailField, HiddenField, RadioField, SelectField, StringField, TelField
from wtforms.validators import AnyOf, InputRequired, Length, Optional, Regexp, StopValidation, ValidationError

from portal import calendar, db
from portal.web.fields import DateParts, choices
from portal.web.forms import EmailAddress, Form, OnceForm, Required
from services.appointments import states
from services.appointments.queries.finding import NEEDS, Search
from services.appointments.wording import CANCEL_REASONS

_MOBILE = r"^\s*(\+?[0-9][0-9 .\-()]{7,20})\s*$"
_LONGEST_WORDS = 100
_OLDEST_DAYS = 125 * 365


def day_asked(text: str) -> date | None:
    """A day of an address (`2026-11-23`); None when it is not one, or not of this century."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None


def uuid_asked(text: str) -> UUID | None:
    """An identifier of an address; None when it is not one."""
    try:
        return UUID(text)
    except ValueError:
        return None


def search_asked(given: MultiDict[str, str]) -> Search:
    """What the address of the search asks for; what makes no sense is left aside."""
    page = given.get("page", "")
    return Search(
        words=_short(given, "q"),
        finess=_short(given, "establishment"),
        town=_short(given, "town"),
        speciality=_short(given, "speciality"),
        language=_short(given, "language"),
        needs=tuple(each for each in NEEDS if each in given.getlist("need")),
        practitioner_id=uuid_asked(given.get("practitioner", "")),
        never_came=given.get("visit") == "first",
        by_video=given.get("video") == "1",
        soonest=given.get("order") == "soonest",
        page=int(page) if page.isascii() and page.isdecimal() and len(page) < 5 else 1,
    )


def _short(given: MultiDict[str, str], name: str) -> str:
    return given.get(name, "").replace("\0", "").strip()[:_LONGEST_WORDS]


def _one_of(label: Any, codes: Sequence[str], message: Any) -> RadioField:
    """Radio buttons whose one error is ours."""
    return RadioField(
        label,
        [Required(message), AnyOf(codes, message)],
        choices=choices((code, CANCEL_REASONS[code]) for code in codes),
        validate_choice=False,
    )


class KeepForm(Form):
    """A time to keep while the person checks and confirms; for whom, when they may act for several people."""

    slot = HiddenField()
    patient_id = RadioField(
        _l("Who is the appointment for?"), [Required(_l("Choose who the appointment is for"))], validate_choice=False
    )

    allowed: Collection[UUID] = ()

    def name(self, people: Mapping[UUID, str]) -> None:
        """people: id → name of those for whom the person may book."""
        self.allowed = people.keys()
        self.patient_id.choices = choices([(str(each), name) for each, name in people.items()])

    def validate_patient_id(self, field: Any) -> None:
        if field.data not in map(str, self.allowed):
            raise ValidationError(_l("Choose who the appointment is for"))


class BookForm(OnceForm, KeepForm):
    """The last step: book what was kept, for whom it was kept."""

    reason = HiddenField()


class MoveForm(OnceForm):
    """Another time for an appointment."""

    slot = StringField(_l("Time"), [Required(_l("Choose a time"))])


class CancelForm(Form):
    """Why a patient gives a slot back."""

    why = _one_of(_l("Why are you cancelling?"), states.CANCELLED_BY_PATIENT, _l("Choose why you are cancelling"))


class CancelForPatientForm(Form):
    """Why an agent cancels."""

    why = _one_of(_l("Why is it cancelled?"), states.CANCELLED_BY_HOSPITAL, _l("Choose why it is cancelled"))


class FindPatientForm(Form):
    """A person on the phone: by their number at the hospital, or by birth name and birth date."""

    establishment = SelectField(_l("Hospital"))
    ipp = StringField(_l("Patient number (IPP)"), [Optional(), Length(max=30)])
    birth_name = StringField(_l("Birth name"), [Length(max=100)])
    birth_on = DateParts(_l("Birth date"))

    def offer(self, hospitals: Mapping[str, str]) -> None:
        """hospitals: id → name of those where the agent takes appointments."""
        self.hospitals = hospitals
        self.establishment.choices = choices(hospitals.items())

    def validate_birth_name(self, field: Any) -> None:
        if not self.ipp.data and not (field.data or "").strip():
            raise StopValidation(_l("Give a patient number, or a birth name and a birth date"))

    def validate_birth_on(self, field: Any) -> None:
        if not self.ipp.data and (self.birth_name.data or "").strip() and field.data is None and not field.errors:
            raise StopValidation(_l("Give the birth date too"))


class NewPatientForm(OnceForm):
    """Somebody the hospital does not know yet: the strict traits an agent can ask on the phone (RNIV, 2.2)."""

    establishment = HiddenField()
    birth_name = StringField(_l("Birth name"), [Required(_l("Give the birth name")), Length(max=100)])
    first_name = StringField(_l("First name at birth"), [Required(_l("Give the first name")), Length(max=100)])
    birth_on = DateParts(_l("Birth date"), [InputRequired(_l("Give the birth date"))])
    sex = RadioField(
        _l("Sex"),
        [Required(_l("Choose the sex")), AnyOf(("F", "M"), _l("Choose the sex"))],
        choices=choices([("F", _l("Female")), ("M", _l("Male"))]),
        validate_choice=False,
    )
    mobile = TelField(_l("Mobile phone"), [Optional(), Regexp(_MOBILE, message=_l("Check this phone number"))])
    email = EmailField(_l("E-mail"), [Optional(), EmailAddress()])

    def validate_birth_on(self, field: Any) -> None:
        age_days = (calendar.latest_day(db.now()) - field.data).days if field.data else 0
        if not 0 <= age_days < _OLDEST_DAYS:
            raise ValidationError(_l("Check the birth date"))
