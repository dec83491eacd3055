"""What practitioners and administrators type about direct lines."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    EmailField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.validators import AnyOf, InputRequired, Length, NumberRange, Optional, ValidationError

from portal import calendar, db
from portal.establishments import Practitioner, Unit
from portal.web.fields import DateParts, choices
from portal.web.forms import EmailAddress, Form, OnceForm, Required
from services.lines import hours, numbers, useful
from services.lines.actions import Asked, Described, Wanted
from services.lines.models import ANSWERERS, Duty, Line
from services.lines.wording import ANSWERERS as ANSWERER_WORDS
from services.lines.wording import HOLIDAYS, ROLES

USEFUL: Mapping[str, Any] = {
    "two_hours": _l("Within two hours"),
    "today": _l("Until this evening"),
    "tomorrow": _l("Until tomorrow evening"),
    "three_days": _l("For three days"),
    "week": _l("For a week"),
}
DAYS = tuple(f"day_{number}" for number in range(7))
_OLDEST_DAYS = 125 * 365
_SHORTER = _l("Use 300 characters at most")
_CLOCK_EXAMPLE = _l("Write a time, such as 8:30 or 20h")


def check_number(_form: Any, field: Any) -> None:
    """A validator. Empty is for `Optional` or `Required` to judge."""
    if field.data:
        try:
            numbers.dialled(field.data)
        except numbers.NotANumber as refusal:
            raise ValidationError(_("Write a telephone number, such as 01 23 45 67 89")) from refusal


class CallbackForm(OnceForm):
    """What a practitioner wants to be called back for."""

    about = TextAreaField(
        _l("What is it about?"),
        [Required(_l("Say in a few words what it is about")), Length(max=300, message=_SHORTER)],
        description=_l("In a few words, without naming the patient: for instance “opinion on anticoagulants before a"
                       " dental extraction”."),
    )  # fmt: skip
    number = TelField(
        _l("Number to call"),
        [Required(_l("Give the number where you can be reached")), Length(max=30), check_number],
        description=_l("A number that you answer yourself."),
    )
    useful = RadioField(
        _l("Until when is a call useful?"),
        [Required(_l("Choose until when a call is useful")), AnyOf(useful.CHOICES)],
        choices=choices(USEFUL.items()),
        default="today",
        validate_choice=False,
    )
    patient_name = StringField(
        _l("Patient’s name"),
        [Optional(), Length(max=120, message=_l("Use 120 characters at most"))],
        description=_l("Only if the unit needs it to prepare: it is not looked for in the hospital’s records."),
    )
    patient_born_on = DateParts(_l("Patient’s birth date"), [Optional()])

    def validate_patient_born_on(self, field: Any) -> None:
        today = calendar.latest_day(db.now())
        if field.data and not 0 <= (today - field.data).days <= _OLDEST_DAYS:
            raise ValidationError(_("Check the birth date"))

    def asked(self, now: datetime, tz: ZoneInfo) -> Asked:
        return Asked(
            (self.about.data or "").strip(),
            numbers.dialled(self.number.data or ""),
            useful.until(self.useful.data, now, tz),
            (self.patient_name.data or "").strip(),
            self.patient_born_on.data,
        )


def _day(_form: Any, field: Any) -> None:
    try:
        hours.parse(field.data or "")
    except hours.NotHours as refusal:
        raise ValidationError(
            _("Write hours such as 8:30-12:30, 14-18, or 24/24; nothing when closed (“%(part)s” is not)", part=refusal)
        ) from refusal


class LineForm(OnceForm):
    """A line, as an administrator writes it."""

    unit = SelectField(_l("Unit"), [Required(_l("Choose the unit"))], choices=[])
    speciality = StringField(_l("Speciality"), [Required(_l("Give the speciality")), Length(max=80)])
    label = StringField(
        _l("Name of the line"), [Required(_l("Name the line")), Length(max=100)],
        description=_l("For instance: Cardiology opinion, Gerontology hotline."),
    )  # fmt: skip
    number = TelField(_l("Number"), [Required(_l("Give the number")), Length(max=30), check_number])
    answers = SelectField(_l("Who answers?"), choices=choices((each, ANSWERER_WORDS[each]) for each in ANSWERERS))
    for_what = TextAreaField(_l("What it is for"), [Optional(), Length(max=300)])
    not_for = TextAreaField(_l("What it is not for"), [Optional(), Length(max=300)])
    day_0 = StringField("", [_day])
    day_1 = StringField("", [_day])
    day_2 = StringField("", [_day])
    day_3 = StringField("", [_day])
    day_4 = StringField("", [_day])
    day_5 = StringField("", [_day])
    day_6 = StringField("", [_day])
    holidays = SelectField(_l("Public holidays"), choices=choices(HOLIDAYS.items()))
    rank = IntegerField(
        _l("Rank"), [InputRequired(_l("Give a rank")), NumberRange(1, 99, _l("From 1 to 99"))], default=10,
        description=_l("Lines of a speciality are shown in this order, 1 first."),
    )  # fmt: skip
    alternative = SelectField(
        _l("Instead, when it is closed"), choices=[], description=_l("The switchboard and 15 are always shown.")
    )
    takes_callbacks = BooleanField(_l("One may ask to be called back"), default=True)
    answer_minutes = IntegerField(
        _l("Calls back within (minutes of its hours)"),
        [InputRequired(_l("Give a number of minutes")), NumberRange(10, 2880, _l("From 10 to 2880 minutes"))],
        default=120,
    )
    escalation_email = EmailField(
        _l("Who is told when that delay is over"), [Optional(), EmailAddress()],
        description=_l("Address of the unit’s head or of its office. Without one, administrators of the hospital are"
                       " told."),
    )  # fmt: skip

    def offer(self, units: Sequence[Unit], others: Sequence[Line], *, several: bool) -> None:
        self.unit.choices = choices((str(each.id), _unit(each, several=several)) for each in units)
        named = ((str(each.id), f"{each.speciality} – {each.label}") for each in others)
        self.alternative.choices = choices([("", _("Nothing else")), *named])

    @property
    def days(self) -> list[Any]:
        return [self[name] for name in DAYS]

    @property
    def described(self) -> Described:
        return Described(
            speciality=_text(self.speciality),
            label=_text(self.label),
            number=numbers.dialled(_text(self.number)),
            answers=self.answers.data,
            week=tuple(hours.write(hours.parse(_text(each))) for each in self.days),
            holidays=self.holidays.data,
            for_what=_text(self.for_what),
            not_for=_text(self.not_for),
            rank=self.rank.data or 10,
            takes_callbacks=bool(self.takes_callbacks.data),
            answer_minutes=self.answer_minutes.data or 120,
            escalation_email=_text(self.escalation_email),
            alternative_id=UUID(self.alternative.data) if self.alternative.data else None,
        )


def _unit(unit: Unit, *, several: bool) -> str:
    hospital = unit.establishment
    return f"{unit.name} – {hospital.short_name or hospital.name}" if several else unit.name


def _text(field: Any) -> str:
    return (field.data or "").strip()


class CloseForm(Form):
    """Why nobody answers a line for a while."""

    note = StringField(
        _l("What practitioners read"), [Optional(), Length(max=200)],
        description=_l("For instance: no opinion by telephone until Monday."),
    )  # fmt: skip


class DutyForm(OnceForm):
    """Somebody on duty. Days and times are those of the hospital."""

    line = SelectField(_l("For"), choices=[])
    role = RadioField(_l("Order of call"), choices=choices(ROLES.items()), default="first")
    practitioner = SelectField(_l("Practitioner of the unit"), choices=[])
    name = StringField(_l("Or name"), [Length(max=100)])
    rpps = StringField(_l("RPPS number"), [Optional(), Length(max=11)])
    phone = TelField(
        _l("Number to reach them"), [Optional(), Length(max=30), check_number],
        description=_l("Only if it is not the number of the line."),
    )  # fmt: skip
    from_on = DateParts(_l("From"), [InputRequired(_l("Give the first day"))])
    from_time = StringField(_l("At"), [Required(_l("Give the time when it begins"))])
    until_on = DateParts(_l("Until"), [Optional()], description=_l("Nothing: the same day, or the next morning."))
    until_time = StringField(_l("At"), [Required(_l("Give the time when it ends"))])

    def offer(self, lines: Sequence[Line], people: Sequence[Practitioner]) -> None:
        self.line.choices = choices([("", _("The whole unit")), *((str(each.id), each.label) for each in lines)])
        self.practitioner.choices = choices(
            [("", _("Somebody else")), *((str(each.id), each.full_name) for each in people)]
        )
        self.people = {str(each.id): each for each in people}

    def validate_name(self, field: Any) -> None:
        if not self.practitioner.data and not _text(field):
            raise ValidationError(_("Choose a practitioner, or write a name"))

    def validate_rpps(self, field: Any) -> None:
        if field.data and not (field.data.strip().isdecimal() and len(field.data.strip()) == 11):
            raise ValidationError(_("An RPPS number has eleven digits"))

    def validate_from_time(self, field: Any) -> None:
        _clock(field.data)

    def validate_until_time(self, field: Any) -> None:
        until = _clock(field.data)
        first, last = self.from_on.data, self.until_on.data
        if first and last and (last, until) <= (first, _clock(self.from_time.data)):
            raise ValidationError(_("It must end after it begins"))
        if first and last and (last - first).days > 31:
            raise ValidationError(_("Write a duty of a month at most"))

    def wanted(self, unit: Unit) -> Wanted:
        """The duty; without a last day, a time that is not later is that of the next morning."""
        tz = unit.establishment.tz
        begins, ends = _clock(self.from_time.data), _clock(self.until_time.data)
        first: date = self.from_on.data
        last = self.until_on.data or (first if ends > begins else first + timedelta(days=1))
        chosen = self.people.get(self.practitioner.data or "")
        return Wanted(
            unit.establishment_id,
            unit.id,
            UUID(self.line.data) if self.line.data else None,
            chosen.full_name if chosen else _text(self.name),
            calendar.to_utc_or_after(first, begins, tz),
            calendar.to_utc_or_after(last, ends, tz),
            self.role.data,
            chosen.rpps if chosen else _text(self.rpps),
            numbers.dialled(_text(self.phone)) if _text(self.phone) else "",
            chosen.id if chosen else None,
        )


def told_of(duty: Duty, tz: ZoneInfo) -> dict[str, Any]:
    """A duty as the form shows it."""
    start, end = duty.from_at.astimezone(tz), duty.until_at.astimezone(tz)
    return {
        "line": str(duty.line_id or ""),
        "role": duty.role,
        "practitioner": str(duty.practitioner_id or ""),
        "name": "" if duty.practitioner_id else duty.name,
        "rpps": "" if duty.practitioner_id else duty.rpps,
        "phone": duty.phone,
        "from_on": start.date(),
        "from_time": f"{start:%H:%M}",
        "until_on": end.date(),
        "until_time": f"{end:%H:%M}",
    }


def _clock(written: str | None) -> time:
    hour, _sign, minute = (written or "").strip().lower().replace("h", ":").partition(":")
    try:
        return time(int(hour), int(minute or 0))
    except ValueError as refusal:
        raise ValidationError(str(_CLOCK_EXAMPLE)) from refusal
