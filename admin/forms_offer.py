"""What editors of the directory type."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    FileField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import AnyOf, InputRequired, Length, NumberRange, Optional, Regexp, ValidationError

from portal.web.fields import DateParts, choices
from portal.web.forms import EmailAddress, Form, OnceForm, Required
from services.offer import openings, specialities, wording
from services.offer.models import ACTIVITY_KINDS, AUDIENCES, CONTACT_KINDS
from services.offer.openings import NotHours

_NO_CONTROLS = Regexp(r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$")
_TELEPHONE = Regexp(r"^[0-9+(). ]{2,30}$", message=_l("Write a telephone number: digits, spaces and + only."))
_COORDINATES = (
    r"^\s*(?P<latitude>[+-]?[0-9]{1,2}(?:[.][0-9]{1,9})?)"
    r"\s*[,;\s]\s*(?P<longitude>[+-]?[0-9]{1,3}(?:[.][0-9]{1,9})?)\s*$"
)


def _plain(text: str | None) -> str:
    return (text or "").strip().replace("\r\n", "\n")


def _line(label: Any, most: int, *validators: Any, description: Any = "") -> StringField:
    return StringField(label, [*validators, Length(max=most), _NO_CONTROLS], filters=[_plain], description=description)


def _text(label: Any, most: int, description: Any = "") -> TextAreaField:
    return TextAreaField(label, [Length(max=most), _NO_CONTROLS], filters=[_plain], description=description)


class _DaysForm(Form):
    """Since when, and until when."""

    opens_on = DateParts(_l("First day, if it is not open yet"), [Optional()])
    closes_on = DateParts(_l("Last day, if it will close"), [Optional()])

    def validate_closes_on(self, field: DateParts) -> None:
        """Not before the first day."""
        if field.data and self.opens_on.data and field.data < self.opens_on.data:
            raise ValidationError(_l("The last day comes before the first one."))


class SiteForm(_DaysForm):
    """The place of a site, and how to come."""

    coordinates = StringField(
        _l("Latitude and longitude of the main door"),
        [Optional(), Regexp(_COORDINATES, message=_l("Write two numbers in degrees, such as 48.5962, 2.2471"))],
        filters=[_plain],
        description=_l("In degrees, such as 48.5962, 2.2471: the plan of the sites is drawn from it"),
    )
    transport = _text(_l("Public transport"), 1000)
    parking = _text(_l("By car"), 1000)
    on_foot = _text(_l("On foot"), 1000)
    ror = _line(_l("ROR code"), 60)

    def validate_coordinates(self, field: StringField) -> None:
        """On this planet."""
        if self.place and (abs(self.place[0]) > 90 or abs(self.place[1]) > 180):
            raise ValidationError(_l("Latitude goes from -90 to 90, longitude from -180 to 180."))

    @property
    def place(self) -> tuple[float, float] | None:
        """Latitude and longitude, when they are written."""
        found = re.match(_COORDINATES, self.coordinates.data or "")
        return (float(found["latitude"]), float(found["longitude"])) if found else None

    @property
    def facts(self) -> Mapping[str, Any]:
        latitude, longitude = self.place or (None, None)
        names = ("transport", "parking", "on_foot", "ror", "opens_on", "closes_on")
        return {name: self[name].data for name in names} | {"latitude": latitude, "longitude": longitude}


class UnitForm(_DaysForm):
    """A unit, as patients read it."""

    presentation = _text(_l("What the unit does, in plain words"), 1000)
    phone = StringField(
        _l("Telephone for patients"), [Optional(), _TELEPHONE], filters=[_plain],
        description=_l("Shown when no other contact is written"),
    )  # fmt: skip
    floor = _line(_l("Building and floor"), 120)
    ror = _line(_l("ROR code"), 60)

    @property
    def facts(self) -> Mapping[str, Any]:
        return {name: self[name].data for name in ("presentation", "phone", "floor", "ror", "opens_on", "closes_on")}


class ActivityForm(_DaysForm):
    """What a unit offers."""

    name = _line(_l("Name"), 150, Required(_l("Give it a name that patients understand.")))
    kind = SelectField(
        _l("Kind"),
        [Required(), AnyOf(ACTIVITY_KINDS)],
        choices=choices((code, wording.KINDS[code]) for code in ACTIVITY_KINDS),
    )
    speciality = SelectField(_l("Speciality"), choices=choices([("", _l("None in particular")), *specialities.every()]))
    presentation = _text(_l("In plain words"), 2000)
    age_from = IntegerField(_l("From this age, in years"), [Optional(), NumberRange(0, 130)])
    age_to = IntegerField(_l("Up to this age, in years"), [Optional(), NumberRange(0, 130)])
    equipment = _text(_l("Equipment"), 1000, _l("One a line"))
    languages = SelectMultipleField(_l("Languages spoken beside French"), [Optional()], validate_choice=False)
    ror = _line(_l("ROR code"), 60)
    position = IntegerField(_l("Order in the list"), [Optional(), NumberRange(0, 999)])
    is_public = BooleanField(_l("On public pages"), description=_l("Otherwise only professionals see it"))

    def offer(self, names: Iterable[tuple[str, str]]) -> None:
        """names: (code, name in the reader's language)."""
        self.languages.choices = choices(names)

    def validate_age_to(self, field: IntegerField) -> None:
        """Not below the other bound."""
        if field.data is not None and self.age_from.data is not None and field.data < self.age_from.data:
            raise ValidationError(_l("The ages are the wrong way round."))

    def validate_languages(self, field: SelectMultipleField) -> None:
        """Codes that were offered."""
        if not set(field.data or []) <= {value for value, *_rest in field.iter_choices()}:
            raise ValidationError(_l("Choose among the languages listed"))

    @property
    def facts(self) -> Mapping[str, Any]:
        names = (
            "name", "kind", "speciality", "presentation", "age_from", "age_to", "ror", "opens_on", "closes_on",
            "is_public",
        )  # fmt: skip
        equipment = [line.strip() for line in (self.equipment.data or "").splitlines() if line.strip()]
        kept = {name: self[name].data for name in names}
        languages = sorted(self.languages.data or [])
        return kept | {"equipment": equipment, "languages": languages, "position": self.position.data or 0}


class NewActivityForm(ActivityForm, OnceForm):
    """The same, sent once."""


def _day(label: Any) -> StringField:
    return StringField(label, [Length(max=200)], filters=[_plain])


class HoursForm(Form):
    """A week, one line a day."""

    day_0 = _day(_l("Monday"))
    day_1 = _day(_l("Tuesday"))
    day_2 = _day(_l("Wednesday"))
    day_3 = _day(_l("Thursday"))
    day_4 = _day(_l("Friday"))
    day_5 = _day(_l("Saturday"))
    day_6 = _day(_l("Sunday"))
    on_holidays = BooleanField(_l("The same on public holidays"))

    @property
    def days(self) -> list[StringField]:
        return [self[f"day_{number}"] for number in range(7)]

    def validate(self, extra_validators: Any = None) -> bool:
        """Each line is hours."""
        fine = super().validate(extra_validators)
        for field in self.days:
            try:
                openings.parsed(field.data or "")
            except NotHours:
                field.errors = [*field.errors, _l("Write hours such as 8:30-12:30, 13:30-17:00")]
                fine = False
        return bool(fine)

    @property
    def week(self) -> Mapping[int, Sequence[tuple[time, time]]]:
        return {number: openings.parsed(field.data or "") for number, field in enumerate(self.days)}


class ClosureForm(OnceForm):
    """Days that do not follow the week."""

    starts_on = DateParts(_l("First day"), [InputRequired(_l("Give the first day."))])
    ends_on = DateParts(_l("Last day"), [Optional()], description=_l("The same day when left empty"))
    hours = StringField(
        _l("Open at other hours"), [Length(max=50)], filters=[_plain],
        description=_l("Such as 9:00-12:00; empty when it is closed"),
    )  # fmt: skip
    reason = _line(_l("Why, for everybody to read"), 150)

    def validate_ends_on(self, field: DateParts) -> None:
        """Not before the first day."""
        if field.data and self.starts_on.data and field.data < self.starts_on.data:
            raise ValidationError(_l("The last day comes before the first one."))

    def validate_hours(self, field: StringField) -> None:
        """One stretch of a day."""
        try:
            found = openings.parsed(field.data or "")
        except NotHours as error:
            raise ValidationError(_l("Write hours such as 9:00-12:00")) from error
        if len(found) > 1:
            raise ValidationError(_l("One stretch of the day only"))

    @property
    def last_day(self) -> date:
        found: date = self.ends_on.data or self.starts_on.data
        return found

    @property
    def other_hours(self) -> tuple[time, time] | None:
        return next(iter(openings.parsed(self.hours.data or "")), None)


class ContactForm(OnceForm):
    """How to reach a place."""

    audience = RadioField(
        _l("For whom"), [Required(_l("Choose for whom.")), AnyOf(AUDIENCES, _l("Choose for whom."))],
        choices=choices((code, wording.AUDIENCES[code]) for code in AUDIENCES), validate_choice=False,
    )  # fmt: skip
    kind = SelectField(
        _l("Kind"),
        [Required(), AnyOf(CONTACT_KINDS)],
        choices=choices((code, wording.CONTACTS[code]) for code in CONTACT_KINDS),
    )
    value = _line(_l("Number or address"), 200, Required(_l("Write the number or the address.")))
    label = _line(_l("Who answers"), 100)
    hours = _line(_l("When somebody answers"), 100)

    def validate_value(self, field: StringField) -> None:
        """As its kind wants it."""
        kind, given = self.kind.data, field.data or ""
        if kind in ("phone", "fax"):
            _TELEPHONE(self, field)
        elif kind in ("mail", "mssante"):
            EmailAddress()(self, field)
        elif not given.startswith("https://") or any(sign.isspace() for sign in given):
            raise ValidationError(_l("Write an address that begins with https://"))

    def validate_kind(self, field: SelectField) -> None:
        """Patients have no MSSanté."""
        if field.data == "mssante" and self.audience.data != "professional":
            raise ValidationError(_l("A secure box is for professionals only."))

    @property
    def facts(self) -> Mapping[str, Any]:
        return {name: self[name].data or "" for name in ("audience", "kind", "value", "label", "hours")}


class PlanForm(Form):
    """A picture of the way inside."""

    picture = FileField(_l("Picture, PNG or JPEG"))
    text = _text(_l("What the picture says, for those who do not see it"), 1000)


class AnswerForm(Form):
    """What is said to whoever reported an error."""

    words = _text(_l("A word to whoever reported it"), 500, _l("Sent by plain mail: nothing about anybody’s health."))
