"""What agents type or choose to answer a practitioner's request."""

from datetime import date, time
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField, TimeField
from wtforms.validators import AnyOf, InputRequired, Length, Optional

from portal.web.fields import DateParts, choices
from portal.web.forms import Form, OnceForm, Required
from services.documents.forms import UploadForm
from services.preadmission.kinds import STAY_KINDS
from services.preadmission.wording import STAY_KINDS as STAY_WORDS
from services.referrals.actions.answering import WHY_REFUSED
from services.referrals.wording import WHY_REFUSED as WHY_WORDS

LONGEST = 4000
_WORDS = Length(max=LONGEST, message=_l("4,000 characters at most."))


def _text(label: Any, *, needed: Any = None, hint: Any = "") -> TextAreaField:
    return TextAreaField(label, [Required(needed) if needed else Optional(), _WORDS], description=hint)


class SearchForm(Form):
    """A request by its reference, or by whom it is about. A post: names stay out of addresses."""

    words = StringField(_l("Reference, or birth name"), [Optional(), Length(max=100)])
    born_on = DateParts(_l("Born on"), [Optional()])

    @property
    def is_empty(self) -> bool:
        return not (self.words.data or "").strip() and self.born_on.data is None


class WriteForm(UploadForm):
    """A message to the practitioner."""

    text = _text(_l("Message"))
    for_patient = BooleanField(_l("The patient reads this message too"))

    @property
    def words(self) -> str:
        return (self.text.data or "").strip()


class AskForm(UploadForm):
    """What the unit still needs to decide."""

    text = _text(_l("What do you need?"), needed=_l("Write what you need to answer."))


class OpinionForm(UploadForm):
    """What the unit thinks."""

    text = _text(_l("Your opinion"), hint=_l("Leave it empty if the joined letter says everything."))


class RefuseForm(OnceForm):
    """Why not, and what to do instead."""

    why = RadioField(
        _l("Why?"),
        [Required(_l("Choose why.")), AnyOf(WHY_REFUSED, _l("Choose why."))],
        choices=choices((code, WHY_WORDS[code]) for code in WHY_REFUSED),
        validate_choice=False,
    )
    advice = _text(
        _l("What do you advise?"),
        needed=_l("Write what the practitioner may do instead."),
        hint=_l("The practitioner reads it. The next unit of their list is asked at once."),
    )


class RedirectForm(OnceForm):
    """Another unit that would suit better."""

    offer_id = SelectField(_l("Which unit?"), [Required(_l("Choose a unit."))], validate_choice=False)
    text = _text(
        _l("Why this one?"),
        needed=_l("Write why this unit suits better."),
        hint=_l("The practitioner decides: nothing is sent there without them."),
    )


class DateForm(OnceForm):
    """Accepted, at a day that is written down and not booked, or without one."""

    kind = RadioField(
        _l("What will it be?"),
        [Required(_l("Choose what it will be."))],
        choices=choices([("appointment", _l("A visit or an examination")), ("stay", _l("A stay"))]),
    )
    day = DateParts(_l("On which day?"), [Optional()])
    at = TimeField(_l("At what time?"), [Optional()])
    text = _text(_l("A word to the practitioner"))

    def check(self, today: date) -> bool:
        """Whether the day, if there is one, is still to come; an hour needs a day."""
        if self.day.data is not None and self.day.data < today:
            self.day.errors = [*self.day.errors, _l("This day has passed: write a day to come.")]
        if self.at.data is not None and self.day.data is None:
            self.day.errors = [*self.day.errors, _l("Write the day of this hour.")]
        return not self.day.errors

    @property
    def hour(self) -> time:
        return self.at.data or time()


class TimeForm(OnceForm):
    """A free time of the unit."""

    slot = StringField(_l("Time"), [Required(_l("Choose a time."))])
    text = _text(_l("A word to the practitioner"))


class StayForm(OnceForm):
    """A stay that the patient is invited to prepare."""

    unit_id = SelectField(_l("Unit"), [Required()])
    stay_kind = RadioField(
        _l("What is planned"),
        [Required(), AnyOf(STAY_KINDS)],
        choices=choices((kind, STAY_WORDS[kind]) for kind in STAY_KINDS),
    )
    planned_on = DateParts(_l("Day of the stay"), [InputRequired(_l("Write the day of the stay."))])
    visit_number = StringField(_l("Visit number, if there is one"), [Optional(), Length(max=40)])
    text = _text(_l("A word to the practitioner"))

    def offer(self, units: Any) -> None:
        self.unit_id.choices = choices((str(each.id), each.name) for each in units)


class RecogniseForm(Form):
    """The number under which the hospital knows this person."""

    ipp = StringField(_l("Patient number (IPP)"), [Required(_l("Choose or write a number.")), Length(max=40)])
