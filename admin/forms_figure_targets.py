"""What a hospital aims at: a number as people write it, and the day it begins."""

import re
from datetime import date, timedelta
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, StringField
from wtforms.validators import InputRequired, Optional, ValidationError

from portal.kpi import Definition
from portal.web.fields import SPACES
from portal.web.forms import Form

_NUMBER: Final = re.compile(r"([0-9]{1,9})(?:[.,]([0-9]{1,2}))?[%€]?", re.ASCII)
_FACTORS: Final = {"rate": 100, "cents": 0.01}
_UNITS: Final = {
    "rate": _l("In per cent, such as 60."),
    "cents": _l("In euros."),
    "hours": _l("In working hours."),
    "days": _l("In days."),
}
_day: dict[str, Any] = {"invalid_value_message": _l("This is not a day: choose it in the calendar")}


class TargetForm(Form):
    """value: in the unit that people read (per cent, euros); empty withdraws the target."""

    value = StringField(_l("Target"), [Optional()])
    from_on = DateField(
        _l("From"),
        [InputRequired(_l("Choose the day it begins"))],
        **_day,
    )

    today = date.min
    unit = "count"

    def aim(self, definition: Definition, today: date) -> None:
        """Say what is aimed at, in which unit, before the form is validated."""
        self.unit, self.today = definition.unit, today
        self.value.description = _UNITS.get(definition.unit, "")
        if self.from_on.data is None and not self.is_submitted():
            self.from_on.data = today

    def validate_value(self, field: StringField) -> None:
        if self._read() is None:
            raise ValidationError(_("Write a number, such as 60 or 12.5"))
        if self.unit == "rate" and (self.number or 0) > 1:
            raise ValidationError(_("A rate is a hundred per cent at most"))

    def validate_from_on(self, field: Any) -> None:
        if field.data and abs(field.data - self.today) > timedelta(days=3 * 366):
            raise ValidationError(_("Choose a day within three years"))

    @property
    def number(self) -> float | None:
        """As figures hold it: a rate between 0 and 1, cents; None when the target is withdrawn."""
        found = self._read()
        return None if found is None else found / _FACTORS.get(self.unit, 1)

    def _read(self) -> float | None:
        found = _NUMBER.fullmatch(SPACES.sub("", self.value.data or ""))
        return float(f"{found[1]}.{found[2] or 0}") if found else None
