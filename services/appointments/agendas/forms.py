"""What agents say of agendas."""

from collections.abc import Collection, Sequence
from datetime import time
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, IntegerField, RadioField, SelectField, StringField, TimeField
from wtforms import SelectMultipleField as ManyField
from wtforms.validators import AnyOf, InputRequired, Length, NumberRange, Optional, StopValidation, ValidationError

from portal import calendar, db
from portal.web.fields import choices
from portal.web.forms import Form, OnceForm, Required
from services.appointments import slots
from services.appointments.agendas import rules
from services.appointments.agendas.models import ABSENCES, CALLS, SessionTemplate
from services.appointments.agendas.rules import Rule
from services.appointments.agendas.wording import (
    CALL_STATES,
    HOLIDAYS,
    PARTS,
    RHYTHMS,
    SCHOOL,
    WEEKDAYS,
    WHY_AWAY,
    ZONES,
    rhythm,
)
from services.appointments.states import CANCELLED_BY_HOSPITAL
from services.appointments.wording import CANCEL_REASONS

_A_TIME = _l("Give a time such as 09:00")
_A_DAY = _l("Give a day")
MOST = "most-"
"""Prefix of the boxes that say how many of a reason a session takes at most; its id follows."""


Value = TypeVar("Value")


def given(value: Value | None) -> Value:
    """The answer to a question that the form does not let go without."""
    assert value is not None, "the form was checked"
    return value


def _choose(label: Any, pairs: Any, default: str = "", **facts: Any) -> SelectField:
    return SelectField(label, choices=choices(pairs), default=default, **facts)


def _time(label: Any) -> TimeField:
    return TimeField(label, [InputRequired(_A_TIME)])


class TemplateForm(OnceForm):
    """When a practitioner receives, for what, and who may take it."""

    practitioner = SelectField(_l("Practitioner"), [Required(_l("Choose the practitioner"))])
    weekday = _choose(_l("Day of the week"), [(str(n), day) for n, day in enumerate(WEEKDAYS)], "0")
    opens = _time(_l("Opens at"))
    closes = TimeField(
        _l("Closes at"), [InputRequired(_A_TIME)], description=_l("Before it opens: the next day, for a night")
    )
    step = _choose(_l("Step"), [(str(each), _l("%(minutes)d minutes", minutes=each)) for each in slots.STEPS_MIN], "15")
    rhythm = _choose(_l("How often"), RHYTHMS.items(), "w1")
    first_on = DateField(_l("From"), [InputRequired(_A_DAY)], description=_l("Weeks are counted from this one"))
    last_on = DateField(_l("Until"), [Optional()], description=_l("Empty: no end"))
    capacity = IntegerField(
        _l("Patients at once"),
        [InputRequired(_l("Give a number from 1 to 99")), NumberRange(1, 99, _l("Give a number from 1 to 99"))],
        default=1,
        description=_l("More than 1 for a group"),
    )
    room = SelectField(_l("Room"))
    reasons = ManyField(_l("Reasons taken"), [Required(_l("Choose one reason at least"))])
    on_public_holidays = BooleanField(_l("Open on public holidays too"))
    school_holidays = _choose(_l("School holidays"), SCHOOL.items(), "any")
    online = _choose(_l("Open to patients online"), PARTS.items(), "all")
    online_from = TimeField(_l("Online from"), [Optional()])
    online_until = TimeField(_l("Online until"), [Optional()])
    city = _choose(_l("Open to practitioners of the city"), PARTS.items(), "all")
    city_from = TimeField(_l("City from"), [Optional()])
    city_until = TimeField(_l("City until"), [Optional()])
    release_days = IntegerField(
        _l("Given to everybody, days before"),
        [Optional(), NumberRange(0, 365, _l("Give a number of days from 0 to 365"))],
        description=_l("What is left is then open online and to the city; empty: never"),
    )

    most: dict[str, int | None]

    def offer(self, practitioners: Sequence[Any], reasons: Sequence[Any], rooms: Sequence[Any]) -> None:
        """Who, what and where may be chosen."""
        self.practitioner.choices = choices((str(each.id), each.full_name) for each in practitioners)
        self.reasons.choices = choices((str(each.id), each.name) for each in reasons)
        self.room.choices = choices([("", _l("No room of its own")), *((str(each.id), each.name) for each in rooms)])

    def read_most(self, posted: Any) -> bool:
        """How many of each reason at most; False when what was typed is not a number."""
        typed = {each: str(posted.get(f"{MOST}{each}", "")).strip() for each in self.reasons.data or []}
        right = all(
            not text or (text.isascii() and text.isdecimal() and 0 < int(text) < 100) for text in typed.values()
        )
        self.most = {each: int(text) if text else None for each, text in typed.items()} if right else {}
        if not right:
            self.reasons.errors = [_l("Give how many at most as a number from 1 to 99, or nothing")]
        return right

    @property
    def rule(self) -> Rule:
        how, number = self.rhythm.data[0], int(self.rhythm.data[1:])
        return Rule(
            int(self.weekday.data),
            given(self.opens.data),
            given(self.closes.data),
            given(self.first_on.data),
            self.last_on.data,
            int(self.step.data),
            self.capacity.data or 1,
            number if how == "w" else 1,
            number if how == "m" else None,
            bool(self.on_public_holidays.data),
            self.school_holidays.data,
            *self._part("online"),
            *self._part("city"),
            self.release_days.data,
        )

    def _part(self, channel: str) -> tuple[str, time | None, time | None]:
        how = str(self[channel].data)
        if how != "part":
            return how, None, None
        return how, self[f"{channel}_from"].data, self[f"{channel}_until"].data

    def validate_closes(self, field: Any) -> None:
        """A whole number of steps, and no more than a session holds."""
        opens, step = self.opens.data, int(self.step.data or 15)
        if opens is None or field.data is None:
            return
        if opens.minute % slots.CLAIM_MIN or field.data.minute % slots.CLAIM_MIN:
            raise ValidationError(_l("Times are multiples of five minutes"))
        lasts = rules.minutes(opens, field.data)
        if lasts % step:
            raise ValidationError(_l("From opening to closing there must be a whole number of steps"))
        if lasts // step > slots.MAX_CELLS:
            raise ValidationError(_l("A session holds 60 steps at most: choose a longer step or two templates"))

    def validate_last_on(self, field: Any) -> None:
        if self.first_on.data and field.data < self.first_on.data:
            raise ValidationError(_l("It must not end before it begins"))

    def validate_online(self, _field: Any) -> None:
        self._check_part("online")

    def validate_city(self, _field: Any) -> None:
        self._check_part("city")

    def _check_part(self, channel: str) -> None:
        how, begins, ends = self._part(channel)
        if how == "part" and (begins is None or ends is None or begins == ends):
            raise StopValidation(_l("Give the two times between which it is open"))


def template_facts(template: SessionTemplate) -> dict[str, Any]:
    """A template as its form shows it."""
    rule = template.rule
    names = ("opens", "closes", "first_on", "last_on", "capacity", "on_public_holidays", "school_holidays", "online",
             "online_from", "online_until", "city", "city_from", "city_until", "release_days")  # fmt: skip
    return {name: getattr(rule, name) for name in names} | {
        "practitioner": str(template.practitioner_id),
        "weekday": str(rule.weekday),
        "step": str(rule.step_min),
        "rhythm": rhythm(rule),
        "room": str(template.room_id or ""),
        "reasons": [str(each.reason_id) for each in template.reasons],
    }


class DayForm(OnceForm):
    """One day of a template that does not follow its rule."""

    day = DateField(_l("Day"), [InputRequired(_A_DAY)])
    how = RadioField(
        _l("On that day"),
        [Required(_l("Choose whether it opens or stays closed"))],
        choices=choices([("closed", _l("It stays closed")), ("open", _l("It opens"))]),
    )
    opens = TimeField(_l("Opens at"), [Optional()], description=_l("Empty: as usual"))
    closes = TimeField(_l("Closes at"), [Optional()], description=_l("Empty: as usual"))

    template: SessionTemplate

    def validate_day(self, field: Any) -> None:
        today = calendar.civil_day(db.now(), self.template.unit.establishment.tz)
        if field.data < today:
            raise ValidationError(_l("This day has passed"))

    def validate_opens(self, field: Any) -> None:
        self._check_hours(field)

    def validate_closes(self, field: Any) -> None:
        self._check_hours(field)

    def _check_hours(self, field: Any) -> None:
        rule = self.template.rule
        opens, closes = self.opens.data or rule.opens, self.closes.data or rule.closes
        if field.data.minute % slots.CLAIM_MIN:
            raise ValidationError(_l("Times are multiples of five minutes"))
        if rules.minutes(opens, closes) < rule.step_min:
            raise ValidationError(_l("It must be open for one step at least"))


class AbsenceForm(OnceForm):
    """Who is away or what is closed, from when until when, and why."""

    whom = SelectField(_l("Who is away, or what is closed"), [Required(_l("Choose who is away or what is closed"))])
    first_on = DateField(_l("First day"), [InputRequired(_A_DAY)])
    begins = TimeField(_l("First hour"), [Optional()], description=_l("Empty: all day"))
    last_on = DateField(_l("Last day"), [InputRequired(_A_DAY)])
    ends = TimeField(_l("Last hour"), [Optional()], description=_l("Empty: all day"))
    why = RadioField(
        _l("Reason"),
        [Required(_l("Choose a reason"))],
        choices=choices((code, WHY_AWAY[code]) for code in ABSENCES),
        description=_l("Patients never see it"),
    )

    def validate_last_on(self, field: Any) -> None:
        if self.first_on.data and field.data < self.first_on.data:
            raise ValidationError(_l("It must not end before it begins"))

    def validate_ends(self, field: Any) -> None:
        if (
            field.data
            and self.begins.data
            and self.first_on.data == self.last_on.data
            and field.data <= self.begins.data
        ):
            raise ValidationError(_l("It must not end before it begins"))

    def span(self, tz: ZoneInfo) -> rules.Span:
        """By the hospital's clock; whole days unless hours are given."""
        first, last = given(self.first_on.data), given(self.last_on.data)
        begins = calendar.to_utc_or_after(first, self.begins.data or time(), tz)
        if self.ends.data is None:
            return begins, calendar.to_utc_or_after(last + rules.DAY, time(), tz)
        return begins, calendar.to_utc_or_after(last, self.ends.data, tz)


class EndForm(Form):
    """When somebody is back, or something opens again."""

    day = DateField(_l("Back on"), [InputRequired(_A_DAY)])
    at = TimeField(_l("At"), [Optional()], description=_l("Empty: from the morning"))


class CallForm(Form):
    """What came of a call."""

    state = RadioField(
        _l("What came of it"),
        [AnyOf(CALLS[1:])],
        choices=choices((code, CALL_STATES[code]) for code in CALLS[1:]),
        validate_choice=False,
    )


class PlaceAgainForm(Form):
    """What to do for the patients ticked on the list."""

    what = StringField(validators=[AnyOf(("move", "call", "cancel"))])
    who = ManyField(_l("Patients"), [Required(_l("Tick one patient at least"))], validate_choice=False)
    why = RadioField(
        _l("Why is it cancelled?"),
        choices=choices((code, CANCEL_REASONS[code]) for code in CANCELLED_BY_HOSPITAL),
        default="practitioner_absent",
    )

    @property
    def ids(self) -> Collection[UUID]:
        """The appointments ticked. Raises ValueError."""
        return [UUID(each) for each in self.who.data or []]


_LEAST_OFFICE_MIN = 60


def _minutes(at: time) -> int:
    """Since midnight."""
    return 60 * at.hour + at.minute


class CalendarForm(Form):
    """When the staff of a hospital is there, and whose holidays it keeps."""

    opens_at = _time(_l("The offices open at"))
    closes_at = _time(_l("The offices close at"))
    holidays = _choose(_l("Public holidays"), HOLIDAYS.items())
    school_zone = _choose(_l("School holidays"), ZONES.items())

    def validate_closes_at(self, field: TimeField) -> None:
        opens_at = self.opens_at.data
        if field.data and opens_at and _minutes(field.data) < _minutes(opens_at) + _LEAST_OFFICE_MIN:
            raise ValidationError(_l("The offices close an hour after they open, at the earliest"))


class PeriodForm(Form):
    """Some school holidays of a zone."""

    name = StringField(_l("Name"), [Required(_l("Name the holidays")), Length(max=60)])
    first_on = DateField(_l("First day"), [InputRequired(_A_DAY)])
    last_on = DateField(_l("Last day"), [InputRequired(_A_DAY)])

    def validate_last_on(self, field: Any) -> None:
        if self.first_on.data and field.data < self.first_on.data:
            raise ValidationError(_l("It must not end before it begins"))
