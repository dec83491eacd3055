"""What administrators type about connectors, jobs and maintenance."""

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l
from wtforms import IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, ValidationError

from portal import calendar, db
from portal.web.fields import DateParts, choices
from portal.web.forms import OnceForm, Required

_HOUR = re.compile(r"([01]?\d|2[0-3])[:hH]([0-5]\d)?")
LONGEST_MAINTENANCE_MIN = 24 * 60


class CloseForm(OnceForm):
    """Why a connector is closed, and until when."""

    reason = StringField(
        _l("Why it is closed"),
        [Required(_l("Say why, for those who will wait.")), Length(max=200, message=_l("200 characters at most."))],
        description=_l("Agents read it. For example: the laboratory’s system is being moved. No patient’s name."),
    )
    hours = SelectField(
        _l("Open it again by itself"),
        choices=choices(
            [
                ("1", _l("In an hour")),
                ("4", _l("In four hours")),
                ("12", _l("In twelve hours")),
                ("24", _l("In a day")),
                ("72", _l("In three days")),
                ("0", _l("Never: somebody opens it")),
            ]
        ),
        default="4",
    )

    def until(self) -> datetime | None:
        """The end that was chosen."""
        hours = int(self.hours.data)
        return db.now() + timedelta(hours=hours) if hours else None


class GiveUpForm(OnceForm):
    """Why a job is not done any more."""

    reason = TextAreaField(
        _l("Why it is given up"),
        [Required(_l("Say why, for whoever looks for it later.")), Length(max=300)],
        description=_l("For example: told by telephone; sent twice. No patient’s name."),
    )


class MaintenanceForm(OnceForm):
    """From when, for how long, and why the portal may be down."""

    day = DateParts(_l("Day"), [InputRequired(_l("Give the day."))])
    at = StringField(_l("From what time"), [Required(_l("Give the time."))], description=_l("For example 22:00"))
    minutes = IntegerField(
        _l("For how many minutes"),
        [
            InputRequired(_l("Give a number of minutes.")),
            NumberRange(5, LONGEST_MAINTENANCE_MIN, _l("From 5 minutes to a day (1440).")),
        ],
    )
    reason = StringField(
        _l("Why"),
        [Required(_l("Say why.")), Length(max=200, message=_l("200 characters at most."))],
        description=_l("For example: the database is brought to its new version."),
    )

    def validate_at(self, field: StringField) -> None:
        """A time of the day."""
        if _HOUR.fullmatch((field.data or "").strip()) is None:
            raise ValidationError(_l("Write a time, such as 22:00"))

    def span(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """From when until when, once the form is valid. A time that the clock jumps over is the next one."""
        found = _HOUR.fullmatch((self.at.data or "").strip())
        assert found is not None, "only for a valid form"
        begin = calendar.to_utc_or_after(self.day.data, time(int(found[1]), int(found[2] or 0)), zone)
        return begin, begin + timedelta(minutes=self.minutes.data or 0)
