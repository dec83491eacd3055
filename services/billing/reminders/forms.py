"""When a hospital reminds of its bills."""

import re
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import ValidationError

from portal.web.fields import choices
from portal.web.forms import Form, Required
from services.billing.reminders.models import BillReminderSetting
from services.billing.reminders.policy import FURTHEST_DAYS

_DAYS = re.compile(r"\s*[0-9]{1,2}(\s*[,;\s]\s*[0-9]{1,2})*\s*", re.ASCII)
_MOST = 5
_HOURS = ("send_at", "quiet_from", "quiet_until")


def days_of(typed: str | None) -> list[int]:
    """`10, 30` → [10, 30]. Raises ValueError."""
    if not (typed or "").strip():
        return []
    if not _DAYS.fullmatch(typed or ""):
        raise ValueError
    found = sorted({int(each) for each in re.findall(r"[0-9]+", typed or "")})
    if not all(0 <= each <= FURTHEST_DAYS for each in found) or len(found) > _MOST:
        raise ValueError
    return found


def _hours(first: int, last: int) -> list[Any]:
    return choices((str(hour), f"{hour:02d}:00") for hour in range(first, last + 1))


class SettingForm(Form):
    is_on = BooleanField(_l("Remind payers of the bills of the régie"))
    before_days = StringField(
        _l("Days before the day by which to pay"), description=_l("For example: 7. Nothing: none")
    )
    after_days = StringField(_l("Days after it"), description=_l("For example: 10, 30. Nothing: none"))
    send_at = SelectField(_l("Reminders leave from"), [Required()], choices=_hours(7, 19))
    quiet_from = SelectField(_l("Nothing is sent from"), [Required()], choices=_hours(17, 22))
    quiet_until = SelectField(_l("until"), [Required()], choices=_hours(6, 10))

    def validate_before_days(self, field: Any) -> None:
        try:
            days_of(field.data)
        except ValueError:
            raise ValidationError(_l("Write at most 5 numbers of days, from 0 to 90, such as 10, 30")) from None

    validate_after_days = validate_before_days

    def validate_send_at(self, field: Any) -> None:
        hours = [self.quiet_until.data or "", field.data or "", self.quiet_from.data or ""]
        if not all(each.isdecimal() for each in hours) or not int(hours[0]) <= int(hours[1]) < int(hours[2]):
            raise ValidationError(_l("Reminders must leave outside quiet hours"))

    def values(self) -> dict[str, Any]:
        """The columns of `BillReminderSetting`."""
        hours = {name: int(self[name].data) for name in _HOURS}
        days = {name: days_of(self[name].data) for name in ("before_days", "after_days")}
        return days | hours | {"is_on": bool(self.is_on.data)}

    @staticmethod
    def as_data(own: BillReminderSetting) -> dict[str, Any]:
        """What the form shows of a setting."""
        days = {name: ", ".join(map(str, getattr(own, name))) for name in ("before_days", "after_days")}
        return days | {name: str(getattr(own, name)) for name in _HOURS} | {"is_on": own.is_on}
