"""When a hospital, or one reason, reminds people of their appointments."""

import re
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, StringField
from wtforms.validators import AnyOf, ValidationError

from portal.web.fields import choices
from portal.web.forms import Form, Required
from services.appointments.reminders.models import SAYS
from services.appointments.reminders.policy import FURTHEST_DAYS

_DAYS = re.compile(r"\s*[0-9]{1,2}(\s*[,;\s]\s*[0-9]{1,2})*\s*", re.ASCII)
_SAYS = {
    "where": _l("The day, the time and the hospital’s name"),
    "when": _l("The day and the time only: the hospital’s name would tell why one comes"),
    "nothing": _l("That something is coming, and a link"),
}


def _hours(first: int, last: int) -> list[Any]:
    return choices((str(hour), f"{hour:02d}:00") for hour in range(first, last + 1))


def _days_of(typed: str | None) -> list[int]:
    """`7, 1` → [7, 1], the furthest first. Raises ValueError."""
    if not (typed or "").strip():
        return []
    if not _DAYS.fullmatch(typed or ""):
        raise ValueError
    found = sorted({int(each) for each in re.findall(r"[0-9]+", typed or "")}, reverse=True)
    if not all(1 <= each <= FURTHEST_DAYS for each in found) or len(found) > 5:
        raise ValueError
    return found


class RulesForm(Form):
    """When messages leave."""

    mail_days = StringField(
        _l("By mail, days before"), description=_l("For what was booked more than 7 days ahead. For example: 7, 1")
    )
    text_days = StringField(_l("By text message, days before"), description=_l("For example: 2. Nothing: none"))
    near_mail = BooleanField(_l("Booked within 7 days: by mail the day before"))
    near_text = BooleanField(_l("Booked within 7 days: by text message the day before"))
    late_text = BooleanField(_l("Booked after 13:00 for the same day or the next: by text message, 10 minutes later"))

    def validate_mail_days(self, field: Any) -> None:
        try:
            _days_of(field.data)
        except ValueError:
            raise ValidationError(_l("Write at most 5 numbers of days, from 1 to 30, such as 7, 1")) from None

    validate_text_days = validate_mail_days

    def rules(self) -> dict[str, Any]:
        """The columns of a policy but `is_on`."""
        flags = {name: bool(self[name].data) for name in ("near_mail", "near_text", "late_text")}
        return flags | {"mail_days": _days_of(self.mail_days.data), "text_days": _days_of(self.text_days.data)}

    @staticmethod
    def as_data(own: Any) -> dict[str, Any]:
        """What a form shows of a setting or a policy."""
        names = ("is_on", "near_mail", "near_text", "late_text")
        days = {name: ", ".join(map(str, getattr(own, name))) for name in ("mail_days", "text_days")}
        return {name: getattr(own, name) for name in names} | days


class HospitalForm(RulesForm):
    """The rules of a hospital, and how much its messages tell."""

    is_on = BooleanField(_l("Remind patients of their appointments"))
    send_at = SelectField(_l("Reminders leave at"), [Required()], choices=_hours(7, 19))
    quiet_from = SelectField(_l("Nothing is sent from"), [Required()], choices=_hours(17, 22))
    quiet_until = SelectField(_l("until"), [Required()], choices=_hours(6, 10))
    says = RadioField(
        _l("What messages tell, confirmations included"), [Required(), AnyOf(SAYS)], choices=choices(_SAYS.items())
    )

    def validate_send_at(self, field: Any) -> None:
        hours = [self.quiet_until.data or "", field.data or "", self.quiet_from.data or ""]
        if not all(each.isdecimal() for each in hours) or not int(hours[0]) <= int(hours[1]) < int(hours[2]):
            raise ValidationError(_l("Reminders must leave outside quiet hours"))

    def values(self) -> dict[str, Any]:
        """The columns of ReminderSetting."""
        hours = {name: int(self[name].data) for name in ("send_at", "quiet_from", "quiet_until")}
        return self.rules() | hours | {"is_on": bool(self.is_on.data), "says": self.says.data}


class ReasonForm(RulesForm):
    """The rules of one reason."""

    kind = RadioField(
        _l("Reminders for this reason"),
        [Required(), AnyOf(("hospital", "own", "off"))],
        choices=choices(
            [
                ("hospital", _l("As the hospital does")),
                ("own", _l("Its own rules, below")),
                ("off", _l("No reminder")),
            ]
        ),
    )

    def values(self) -> dict[str, Any] | None:
        """The columns of ReminderPolicy; None to do as the hospital."""
        return None if self.kind.data == "hospital" else self.rules() | {"is_on": self.kind.data == "own"}
