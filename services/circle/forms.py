"""Forms of the circle: looking for somebody, what they may see, a code, a practitioner's request."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from auth.practice.national import Known
from portal import calendar, db
from portal.web.fields import DateParts, choices
from portal.web.forms import Form, OnceForm, Required
from services.circle import states, wording
from services.circle.actions import Sharing
from services.circle.actions.proposals import Described
from services.circle.telling import ZONE

_TOO_LONG = _l("This is too long.")
_A_YEAR = timedelta(days=365)
_FURTHEST = timedelta(days=3 * 366)
BY_HAND = "by-hand"
"""Chosen instead of somebody of the directory: they are only named."""


def today() -> date:
    return calendar.civil_day(db.now(), ZONE)


class Boxes(SelectMultipleField):
    """Several boxes to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class LookForm(Form):
    """Whom one looks for; posted, so that names stay out of addresses."""

    name = StringField(
        _l("Name of the professional"),
        [Required(_l("Write the name, or its beginning.")), Length(max=100, message=_TOO_LONG)],
    )
    place = StringField(_l("Town or postcode"), [Optional(), Length(max=60, message=_TOO_LONG)])


class AddForm(OnceForm):
    """Somebody found, or only named, and who they are for the patient."""

    name = HiddenField(validators=[Length(max=100)])
    place = HiddenField(validators=[Length(max=60)])
    identity = RadioField(_l("Who is it?"), [InputRequired(_l("Choose the professional."))], validate_choice=False)
    named = StringField(_l("Their name"), [Optional(), Length(max=120, message=_TOO_LONG)])
    role = SelectField(_l("Their role"), [InputRequired(_l("Choose their role."))])
    standing = RadioField(
        _l("Do they treat you?"),
        [InputRequired(_l("Say whether they treat you."))],
        choices=choices(wording.STANDINGS.items()),
    )

    def offer(self, found: Sequence[Known]) -> None:
        self.identity.choices = choices(
            [*((each.identity, each.name) for each in found), (BY_HAND, _l("Somebody who is not in this list"))]
        )
        self.role.choices = choices([("", _l("Choose…")), *wording.ROLES.items()])

    def validate(self, extra_validators: Any = None) -> bool:
        valid = bool(super().validate(extra_validators))
        # Needed only for somebody who is not in the list.
        if self.identity.data == BY_HAND and not (self.named.data or "").strip():
            self.named.errors = [_l("Write their name.")]
            valid = False
        return valid


class SharingForm(OnceForm):
    """What somebody may see, and until when. Nothing is ticked before the patient does."""

    scopes = Boxes(_l("What they may see"), choices=choices(wording.SCOPES.items()))
    until_on = DateParts(_l("Until this day included"), validators=[Optional()])
    is_agreement = False
    """Whether it is for somebody outside the team: then both answers are needed."""

    def validate(self, extra_validators: Any = None) -> bool:
        valid = bool(super().validate(extra_validators))
        if self.is_agreement and not self.scopes.data:
            self.scopes.errors = [_l("Tick what they may see.")]
            valid = False
        if self.is_agreement and self.until_on.data is None and not self.until_on.errors:
            self.until_on.errors = [_l("Write until which day.")]
            valid = False
        return valid

    def validate_until_on(self, field: DateParts) -> None:
        if field.data is None:
            return
        if field.data < today():
            raise ValidationError(_l("This day is over: choose another one."))
        if field.data > today() + _FURTHEST:
            raise ValidationError(_l("Choose a day within three years."))

    @property
    def sharing(self) -> Sharing:
        return Sharing.of(self.scopes.data or (), end_of(self.until_on.data))


def end_of(day: date | None) -> datetime | None:
    """The moment when this day is over."""
    return calendar.to_utc_or_after(day + timedelta(days=1), time(), ZONE) if day else None


def last_day(until_at: datetime | None) -> date | None:
    """The last day of an agreement that ends at this moment."""
    return calendar.civil_day(until_at - timedelta(seconds=1), ZONE) if until_at else None


def in_a_year() -> date:
    return today() + _A_YEAR


class AnswerForm(SharingForm):
    """The patient's answer to somebody who asks: who they are for them, and what they may see."""

    standing = RadioField(
        _l("Do they treat you?"),
        [InputRequired(_l("Say whether they treat you."))],
        choices=choices(wording.STANDINGS.items()),
    )

    def validate(self, extra_validators: Any = None) -> bool:
        self.is_agreement = self.standing.data == states.OUTSIDE
        return super().validate(extra_validators)


class CodeForm(AnswerForm):
    """What whoever types the code will be, and see."""

    role = SelectField(
        _l("Their role"), [InputRequired(_l("Choose their role."))],
        choices=choices([("", _l("Choose…")), *wording.ROLES.items()]),
    )  # fmt: skip

    def validate(self, extra_validators: Any = None) -> bool:
        valid = super().validate(extra_validators)
        if not self.scopes.data and not self.scopes.errors:
            self.scopes.errors = [_l("Tick what they may see.")]
            valid = False
        return valid


class TypedCodeForm(OnceForm):
    """The code that the patient shows."""

    code = StringField(
        _l("Code shown by the patient"), [Required(_l("Type the code.")), Length(max=20, message=_TOO_LONG)]
    )


class ProposalForm(OnceForm):
    """Somebody in the practitioner's words."""

    birth_name = StringField(
        _l("Birth name"), [Required(_l("Write the birth name.")), Length(max=100, message=_TOO_LONG)]
    )
    first_name = StringField(
        _l("First given name"), [Required(_l("Write the first given name.")), Length(max=100, message=_TOO_LONG)]
    )
    birth_on = DateParts(_l("Date of birth"), validators=[InputRequired(_l("Write the date of birth."))])
    sex = RadioField(
        _l("Sex on their identity document"), [InputRequired(_l("Choose the sex."))],
        choices=choices([("F", _l("Female")), ("M", _l("Male"))]),
    )  # fmt: skip
    role = SelectField(
        _l("Your role for this patient"), [InputRequired(_l("Choose your role."))],
        choices=choices([("", _l("Choose…")), *wording.ROLES.items()]),
    )  # fmt: skip
    why = TextAreaField(
        _l("A word for the patient"), [Optional(), Length(max=300, message=_TOO_LONG)],
        description=_l("They alone read it. Nothing about their health."),
    )  # fmt: skip

    def validate_birth_on(self, field: DateParts) -> None:
        if field.data is not None and (field.data > today() or field.data.year < 1890):
            raise ValidationError(_l("Check the date of birth."))

    @property
    def told(self) -> Described:
        assert self.birth_on.data is not None, "validated"
        return Described(self.birth_name.data or "", self.first_name.data or "", self.birth_on.data, self.sex.data)
