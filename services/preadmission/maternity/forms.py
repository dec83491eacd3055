"""What a patient answers to a place that is kept, and what a unit decides."""

from collections.abc import Collection
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import IntegerField, RadioField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, ValidationError

from portal.web.fields import DateParts, choices
from portal.web.forms import Form, OnceForm, Required
from services.preadmission.maternity.models import LEVELS
from services.preadmission.maternity.wording import LEVELS as LEVEL_WORDS

DECISIONS = {
    "offered": _l("Offer a place"),
    "waiting_list": _l("Put on the waiting list"),
    "studied": _l("Study the request"),
    "refused": _l("No place here: say where else to ask"),
    "cancelled": _l("Close the request"),
    "born_elsewhere": _l("The birth took place elsewhere"),
}
NEEDS_WORDS, NEEDS_LEVEL = ("refused",), ("offered", "waiting_list")


class AskForm(OnceForm):
    """The sites are those that the patient wrote in the file."""


class AnswerForm(OnceForm):
    """To a place that is kept."""


class WithdrawForm(Form):
    why = RadioField(
        _l("Why?"),
        choices=choices([("no_need", _l("I no longer need a place")), ("born", _l("The birth took place elsewhere"))]),
        validators=[Required(_l("Choose why you no longer need a place."))],
    )


class DecideForm(OnceForm):
    """What the unit answers. Only what may follow the state is offered."""

    decision = RadioField(_l("Your answer"), validators=[Required(_l("Choose an answer."))])
    # Neither is needed by every answer: what is missing is said below, where the answer is known.
    level = RadioField(
        _l("Level of care"),
        choices=choices((each, LEVEL_WORDS[each]) for each in LEVELS),
        validate_choice=False,
        description=_l("For a place, or for the waiting list."),
    )
    answer_by = DateParts(_l("Last day to accept"), description=_l("For a place."))
    words = TextAreaField(
        _l("Words to the patient"),
        validators=[Length(max=1000)],
        description=_l("No health information. If there is no place, write where else to ask."),
    )

    def offer(self, possible: Collection[str], levels: Collection[str], today: date) -> None:
        """possible: states that may follow. levels: those with places in that month."""
        self.today = today
        self.decision.choices = choices((code, words) for code, words in DECISIONS.items() if code in possible)
        self.level.choices = choices((each, LEVEL_WORDS[each]) for each in levels)

    def validate_level(self, field: Any) -> None:
        known = {choice.value for choice in field.iter_choices()}
        if self.decision.data in NEEDS_LEVEL and field.data not in known:
            raise ValidationError(_("Choose the level of care."))

    def validate_answer_by(self, field: Any) -> None:
        if self.decision.data == "offered" and not field.errors:
            if field.data is None:
                raise ValidationError(_("Write the last day on which the place may be accepted."))
            if field.data < self.today:
                raise ValidationError(_("That day is over."))

    def validate_words(self, field: Any) -> None:
        if self.decision.data in NEEDS_WORDS and not (field.data or "").strip():
            raise ValidationError(_("Write where else the patient may ask."))


class PlacesForm(Form):
    """How many births a site takes."""

    site_id = SelectField(_l("Site"), validators=[Required(_l("Choose the site."))])
    month = SelectField(_l("Month of the births"), validators=[Required(_l("Choose the month."))])
    level = RadioField(
        _l("Level of care"),
        choices=choices((each, LEVEL_WORDS[each]) for each in LEVELS),
        validators=[Required(_l("Choose the level of care."))],
    )
    places = IntegerField(
        _l("Places"),
        validators=[
            InputRequired(_l("Write a whole number.")),
            NumberRange(0, 2000, _l("Write a number from 0 to 2,000.")),
        ],
    )
