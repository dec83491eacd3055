"""What patients ask and what agents answer: shape and wording."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import FileField, HiddenField, RadioField, SelectField, SelectMultipleField, TelField, TextAreaField
from wtforms.validators import AnyOf, InputRequired, Length, Optional, Regexp, ValidationError

from portal import calendar, db, files
from portal.file_sniffing import FileRefused
from portal.files import StoredFile
from portal.web import uploads
from portal.web.fields import DateParts, choices
from portal.web.forms import Form, OnceForm, Required
from services.appointments import wishes
from services.appointments.models import Reason
from services.appointments.requests import states
from services.appointments.requests.actions import ANSWER_DAYS
from services.appointments.requests.wording import REFUSALS
from services.appointments.wishes import Wishes
from services.appointments.wishes.wording import HALVES, WEEKDAYS
from services.pieces.wording import words_for

TEXT_LENGTH = 500
_TOO_LONG = Length(max=TEXT_LENGTH, message=_l("Write 500 characters at most."))
_PHONE = r"^\s*\+?[0-9][0-9 .\-()]{7,20}\s*$"
_FURTHEST = timedelta(days=366)
_ADDRESS = re.compile(r"https?:|www\.|[^\s@]+@[^\s@]+\.[^\s@]+", re.IGNORECASE)
_NUMBER = re.compile(r"\d(?:[ .\-]?\d){12,}")


def plain_words(_form: Any, field: Any) -> None:
    """Words a person reads, and nothing to click or to copy elsewhere: no link, no address, no number of health
    insurance, no control character."""
    text = field.data or ""
    if any(ord(character) < 32 and character not in "\r\n\t" for character in text):
        raise ValidationError(_("Write plain text."))
    if _ADDRESS.search(text):
        raise ValidationError(_("Write no link and no mail address: the person could not tell a true one."))
    if _NUMBER.search(text):
        raise ValidationError(_("Write no social security number here."))


def _id(value: str | None) -> UUID | None:
    try:
        return UUID(value or "")
    except ValueError:
        return None


class LetterForm(OnceForm):
    """A form that a letter may come with. `received` keeps an upload that arrived with a form refused otherwise."""

    received = HiddenField()
    file = FileField(
        _l("Letter or prescription"), description=_l("Photo (JPEG, PNG) or PDF, 25 MB at most. Only the unit opens it.")
    )

    def take_letter(self) -> StoredFile | None:
        """Register the file that came with this post, or find the one kept from the former attempt.

        To call before any write, and after `validate`, which forgets errors. A refused file is among them.
        """
        arriving = uploads.arriving(self.file.data)
        try:
            if arriving is not None:
                stored = files.receive(arriving, self.file.data.filename)
                self.received.data = str(stored.id)
                return stored
        except FileRefused as refused:
            self.file.errors = [*self.file.errors, words_for(refused)]
            return None
        return self.kept_letter()

    def kept_letter(self) -> StoredFile | None:
        """The upload that waits for this form to be corrected."""
        kept_id = _id(self.received.data)
        return files.unattached(kept_id) if kept_id else None


class RequestForm(LetterForm):
    """What a patient wishes, and how to reach them. about: `reason:<id>` or `unit:<id>`."""

    patient_id = RadioField(_l("Who is it for?"), [Required(_l("Choose who it is for"))], validate_choice=False)
    about = SelectField(_l("What do you ask for?"), [Required(_l("Choose what you ask for"))])
    first_on = DateParts(_l("From which day?"), [InputRequired(_l("Give the first day that suits you"))])
    last_on = DateParts(_l("Until which day?"), [InputRequired(_l("Give the last day that suits you"))])
    second_first_on = DateParts(_l("Or from which day?"), [Optional()])
    second_last_on = DateParts(_l("Until which day?"), [Optional()])
    weekdays = SelectMultipleField(
        _l("Which days of the week?"),
        choices=choices((str(day), WEEKDAYS[day]) for day in wishes.WEEKDAYS if day < 6),
        description=_l("Choose none if any day suits you."),
    )
    half = RadioField(
        _l("At what time of the day?"),
        [AnyOf(wishes.HALVES)],
        choices=choices(HALVES.items()),
        default="",
        validate_choice=False,
    )
    phone = TelField(
        _l("Phone number where the hospital may call you back"),
        [Required(_l("Give a phone number")), Regexp(_PHONE, message=_l("Check this phone number"))],
    )
    text = TextAreaField(
        _l("Anything the unit must know to find a time"),
        [_TOO_LONG, plain_words],
        description=_l("For example: I need an ambulance, I come from far away. For your health, join the letter."),
    )

    allowed: Collection[UUID] = ()

    def offer(self, people: Mapping[str, str], reasons: Sequence[Reason]) -> None:
        """people: id → name of those for whom the person may ask."""
        self.patient_id.choices = choices(people.items())
        self.allowed = [UUID(each) for each in people]
        self.reasons = {f"reason:{each.id}": each for each in reasons}
        self.units = {f"unit:{each.unit_id}": each.unit for each in reasons}
        offered = [("", _("Choose…"), "")]
        for code, unit in self.units.items():
            group = f"{unit.name} – {unit.establishment.name}"
            offered += [(key, each.name, group) for key, each in self.reasons.items() if each.unit_id == unit.id]
            offered.append((code, _("Something else, or I do not know"), group))
        made = choices((value, words) for value, words, _group in offered)
        for choice, (_value, _words, group) in zip(made, offered, strict=True):
            choice.optgroup = group or None
        self.about.choices = made

    @property
    def has_second_dates(self) -> bool:
        """Whether something was typed there: the page shows it."""
        return any((*self.second_first_on.typed.values(), *self.second_last_on.typed.values()))

    @property
    def reason(self) -> Reason | None:
        return self.reasons.get(self.about.data)

    @property
    def unit(self) -> Any:
        reason = self.reason
        return reason.unit if reason else self.units[self.about.data]

    @property
    def wishes(self) -> Wishes:
        spans = [(self.first_on.data, self.last_on.data)]
        if self.second_first_on.data and self.second_last_on.data:
            spans.append((self.second_first_on.data, self.second_last_on.data))
        return Wishes(spans, [int(day) for day in self.weekdays.data or []], self.half.data or "")

    def validate_patient_id(self, field: Any) -> None:
        if field.data not in map(str, self.allowed):
            raise ValidationError(_("Choose who it is for"))

    def validate_first_on(self, field: Any) -> None:
        _check_day(field)

    def validate_last_on(self, field: Any) -> None:
        _check_span(self.first_on.data, field)

    def validate_second_last_on(self, field: Any) -> None:
        _check_span(self.second_first_on.data, field)

    def validate_second_first_on(self, field: Any) -> None:
        _check_day(field)


def _check_day(field: Any) -> None:
    now = db.now()
    if field.data and not calendar.earliest_day(now) <= field.data <= calendar.latest_day(now) + _FURTHEST:
        raise ValidationError(_("Give a day to come, within a year"))


def _check_span(first: date | None, field: Any) -> None:
    _check_day(field)
    if first and field.data and field.data < first:
        raise ValidationError(_("The last day comes before the first one"))


class AnswerForm(LetterForm):
    """What the hospital asked for."""

    text = TextAreaField(_l("Your answer"), [_TOO_LONG, plain_words])

    def explain_empty(self) -> None:
        self.text.errors = [*self.text.errors, _l("Write an answer, or join a letter")]


class AcceptForm(Form):
    """One of the times proposed."""

    proposal = RadioField(_l("Which time do you take?"), [Required(_l("Choose a time"))], validate_choice=False)

    @property
    def chosen(self) -> UUID | None:
        return _id(self.proposal.data)


class DeclineForm(Form):
    """None of them."""

    text = TextAreaField(
        _l("What would suit you better?"),
        [Required(_l("Say what would suit you better")), _TOO_LONG, plain_words],
        description=_l("For example: not on Mondays, or after 15 January"),
    )


# -- the hospital's side -----------------------------------------------------------------------------------------


class VersionForm(Form):
    """Says on which state of the request the agent decided."""

    version = HiddenField()


class AskMoreForm(VersionForm):
    text = TextAreaField(
        _l("What is missing?"),
        [Required(_l("Write what is missing")), _TOO_LONG, plain_words],
        description=_l("The patient reads it in their account."),
    )


class RefuseForm(VersionForm):
    """Why, in a code, and what to do instead."""

    why = SelectField(
        _l("Why?"),
        [Required(_l("Choose a reason: the patient reads it."))],
        choices=choices([("", _l("Choose…")), *((code, REFUSALS[code][0]) for code in states.REFUSED_BECAUSE)]),
    )
    advice = TextAreaField(
        _l("What the patient can do now"),
        [_TOO_LONG, plain_words],
        description=_l("Optional. No medical details, no link."),
    )


class TransferForm(VersionForm):
    unit_id = SelectField(_l("To which unit?"), [Required(_l("Choose a unit"))])

    def offer(self, units: Sequence[Any]) -> None:
        self.units = {str(each.id): each for each in units}
        self.unit_id.choices = choices([("", _("Choose…")), *((key, each.name) for key, each in self.units.items())])


class ProposeForm(VersionForm):
    """Times chosen among the free ones; `days`: business days that the patient has to answer."""

    slot = SelectMultipleField(_l("Times"), validate_choice=False)
    days = SelectField(
        _l("The patient may answer until"),
        [Required(_l("Choose until when"))],
        choices=choices((str(days), "") for days in ANSWER_DAYS),
        default="3",
    )

    def tell_days(self, words: Mapping[int, str]) -> None:
        """words: the day when each delay ends, as people say it."""
        self.days.choices = choices((str(days), words[days]) for days in ANSWER_DAYS)
