"""How the desk says states, channels, gestures and what stands in the way."""

import re
from datetime import date, datetime
from functools import cache, partial
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from flask_babel import format_date, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from auth.mandates import wording as mandates
from portal import calendar, db
from portal.web.ui import short_day
from services.appointments.desk.agenda import Load
from services.appointments.desk.cells import Excess
from services.appointments.wording import CANCEL_REASONS, hospital_moment, hospital_time

STEPS = {
    "booked": (_l("Expected"), "info"),
    "arrived": (_l("Waiting"), "warning"),
    "called": (_l("With the practitioner"), "warning"),
    "done": (_l("Seen"), "success"),
    "missed": (_l("Did not come"), "danger"),
    "cancelled": (_l("Cancelled"), "neutral"),
}
CHANNELS = {
    "web": _l("Online"),
    "phone": _l("Phone"),
    "city": _l("City practitioner"),
    "walk_in": _l("Without appointment"),
}
GESTURES = {
    "arrive": _l("Arrived"),
    "call_in": _l("Call in"),
    "finish": _l("Seen"),
    "correct": _l("Undo"),
}
MISSED_BECAUSE = {
    "unknown": _l("We do not know"),
    "told_late": _l("They told us too late"),
    "hospitalised": _l("They were in hospital"),
    "transport": _l("Transport"),
    "mistaken_day": _l("They mistook the day or the time"),
    "refused_waiting": _l("They left because of the wait"),
}
KEPT_FOR = {
    "form": _l("Being booked online"),
    "proposal": _l("Proposed to a patient"),
    "offer": _l("Offered to a patient who waits"),
}
CHANGES = {
    "booked": _l("Expected"),
    "arrived": _l("Arrived"),
    "done": _l("Seen"),
    "missed": _l("Did not come"),
    "cancelled": _l("Cancelled"),
}
RELATIONS = mandates.KINDS
IMPOSSIBLE = {
    "past": _l("This time is past."),
    "too_long": _l("It would end after the practitioner’s hours."),
}


_FRENCH = re.compile(r"\+33[0-9]{9}")


def register(app: Flask) -> None:
    app.jinja_env.filters.update(phone=phone, percent=percent, hours=hours, short_weekday=short_weekday)


def phone(number: str) -> str:
    """`06 12 34 56 78`, however it was typed."""
    if _FRENCH.fullmatch(number):
        return f"0{number[3]} {number[4:6]} {number[6:8]} {number[8:10]} {number[10:]}"
    digits = "".join(each for each in number if each.isdigit() or each == "+")
    if len(digits) == 10 and digits.startswith("0"):
        digits = f"+33{digits[1:]}"
    return phone(digits) if _FRENCH.fullmatch(digits) else number


def percent(load: Load) -> str:
    """`85 %`, or a dash when nobody receives."""
    return "–" if load.rate is None else str(_("%(number)d%%", number=round(load.rate * 100)))


def short_weekday(day: date) -> str:
    """`lun. 23 nov.`"""
    return str(format_date(day, "EEE d MMM"))


def hours(minutes: int) -> str:
    """`2 h 30`."""
    whole, rest = divmod(minutes, 60)
    return str(_("%(hours)d h %(minutes)02d", hours=whole, minutes=rest))


def why(code: str) -> str:
    """The motive of a change, "" when there is none."""
    return str(MISSED_BECAUSE.get(code) or CANCEL_REASONS.get(code) or "")


class Said:
    """The words of one page, each found once: a day repeats them a thousand times, and translations take time."""

    def __init__(self, tz: ZoneInfo) -> None:
        self.tz = tz
        self.clock = cache(partial(hospital_time, tz=tz))
        self.day = cache(short_day)
        self.phone = phone
        self.steps = {code: (str(words), tone) for code, (words, tone) in STEPS.items()}
        self.channels = {code: str(words) for code, words in CHANNELS.items()}
        self.gestures = {code: str(words) for code, words in GESTURES.items()}
        self.kept_for = {code: str(words) for code, words in KEPT_FOR.items()}
        self.missed_because = {code: str(words) for code, words in MISSED_BECAUSE.items()}
        self.at_kiosk = str(_("at the terminal"))
        self.beyond, self.masked, self.free = str(_("In addition")), str(_("Confidential")), str(_("Free"))
        self.missed, self.squeeze = str(_("Did not come")), str(_("Add somebody"))

    def until(self, at: datetime) -> str:
        """`10:42`, or the day too when it is another one."""
        is_today = calendar.civil_day(at, self.tz) == calendar.civil_day(db.now(), self.tz)
        return self.clock(at) if is_today else hospital_moment(at, self.tz)


def exceeding(excess: Excess) -> Any:
    """What a booking beyond would exceed, in a sentence."""
    if excess.code == "taken":
        if not excess.count:
            return _("This time is not free.")
        return ngettext(
            "%(num)d patient is already expected at that time.",
            "%(num)d patients are already expected at that time.",
            excess.count,
        )
    if excess.code == "kept":
        return _("This time is kept for somebody who is booking, or to whom it was proposed.")
    if excess.code == "closed":
        return _("The practitioner does not receive at that time.")
    if excess.code == "grid":
        return _("This reason usually begins every %(minutes)d minutes.", minutes=excess.count)
    return _("Nothing is free in “%(pool)s”: none will be reserved.", pool=excess.name)
