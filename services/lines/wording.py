"""How pages say lines, hours, duties and calls back."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import get_day_names
from flask import Flask
from flask_babel import format_date, format_datetime, get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal import calendar, db
from services.lines import hours, numbers, states
from services.lines.models import Duty, Line
from services.lines.queries import Shown
from services.lines.roster import Moments

ANSWERERS: Mapping[str, Any] = {
    "senior": _l("A senior doctor answers"),
    "intern": _l("An intern answers"),
    "coordinator": _l("A coordinator answers"),
    "nurse": _l("A nurse answers"),
    "secretary": _l("A secretary answers"),
}
ROLES: Mapping[str, Any] = {"first": _l("Called first"), "backup": _l("Called if the first cannot be reached")}
SHORT_ROLES: Mapping[str, Any] = {"first": _l("First"), "backup": _l("Backup")}
HOLIDAYS: Mapping[str, Any] = {
    "closed": _l("Line closed"),
    "usual": _l("As on that day of the week"),
    "sunday": _l("As on a Sunday"),
}
STATES: Mapping[str, Any] = {
    states.ASKED: _l("Waits for a call"),
    states.TAKEN: _l("Somebody is calling"),
    states.DONE: _l("Called back"),
    states.UNREACHABLE: _l("Could not be reached"),
    states.WITHDRAWN: _l("Withdrawn"),
    states.LAPSED: _l("Nobody called in time"),
}
TONES: Mapping[str, str] = {
    states.ASKED: "info",
    states.TAKEN: "warning",
    states.DONE: "success",
    states.UNREACHABLE: "danger",
    states.WITHDRAWN: "neutral",
    states.LAPSED: "danger",
}
CHANGES: Mapping[str, Any] = {
    states.ASKED: _l("Asked"),
    states.TAKEN: _l("Taken by somebody of the unit"),
    states.DONE: _l("Called back"),
    states.UNREACHABLE: _l("Called, and could not be reached"),
    states.WITHDRAWN: _l("Withdrawn by whoever asked"),
    states.LAPSED: _l("Ended: nobody called in time"),
}


def weekdays() -> Mapping[int, str]:
    """Monday: 0 → its name, in the language of the page."""
    return {day: str(name) for day, name in get_day_names("wide", locale=get_locale() or "fr").items()}


def when(moment: datetime, tz: ZoneInfo) -> str:
    """A moment as one says it at the hospital: `14:30`, `tomorrow 8:00`, `Saturday 20:00`, `12 Dec 8:00`."""
    local, today = moment.astimezone(tz), calendar.civil_day(db.now(), tz)
    time = _at(local, "HH:mm")
    days = (local.date() - today).days
    if days == 0:
        return time
    if days == 1:
        return str(_("tomorrow %(time)s", time=time))
    if 1 < days < 7:
        return f"{_at(local, 'EEEE')} {time}"
    return f"{_at(local, 'd MMM')} {time}"


def day_and_time(moment: datetime, tz: ZoneInfo) -> str:
    """`Sat 28 20:00`: for rosters, where space is short."""
    return _at(moment.astimezone(tz), "EEE d HH:mm")


def time_of(moment: datetime, tz: ZoneInfo) -> str:
    return _at(moment.astimezone(tz), "HH:mm")


def _at(local: datetime, pattern: str) -> str:
    return str(format_datetime(local.replace(tzinfo=None), pattern, rebase=False))


def span(moments: Moments, tz: ZoneInfo) -> str:
    """`Sat 28 20:00 – Sun 29 08:00`, the second day only when it is another one."""
    start, end = moments
    same = calendar.civil_day(start, tz) == calendar.civil_day(end, tz)
    return f"{day_and_time(start, tz)} – {time_of(end, tz) if same else day_and_time(end, tz)}"


def duty_hours(duty: Duty, day: date, tz: ZoneInfo) -> str:
    """A duty in the cell of a day: `20:00 – Sun 29 08:00`, with its first day when that is an earlier one."""
    moments = (duty.from_at, duty.until_at)
    if calendar.civil_day(duty.from_at, tz) != day:
        return span(moments, tz)
    same = calendar.civil_day(duty.until_at, tz) == day
    return f"{time_of(moments[0], tz)} – {time_of(moments[1], tz) if same else day_and_time(moments[1], tz)}"


def roster_day(day: date) -> str:
    """`Mon 23 Nov`: the head of a column."""
    return str(format_date(day, "EEE d MMM"))


def now_words(shown: Shown) -> str:
    """Whether one may call now, and until or from when."""
    tz = shown.line.establishment.tz
    if shown.is_open and shown.is_always:
        return str(_("Day and night, every day"))
    if shown.closes_at is not None:
        return str(_("Open until %(time)s", time=when(shown.closes_at, tz)))
    if not shown.line.is_open:
        return str(_("Closed by the hospital"))
    if shown.opens_at is not None:
        return str(_("Closed, opens %(time)s", time=when(shown.opens_at, tz)))
    return str(_("Line closed"))


def delay(minutes: int) -> str:
    """`45 minutes`, `2 hours`: hours when there is a whole number of them."""
    hours_told, left = divmod(minutes, 60)
    if left:
        return str(ngettext("%(num)d minute", "%(num)d minutes", minutes))
    return str(ngettext("%(num)d hour", "%(num)d hours", hours_told))


def week_words(line: Line) -> list[tuple[str, str]]:
    """The hours, days with the same ones together: (`Monday – Friday`, `08:30-18:30`)."""
    names, week = weekdays(), [_day(text) for text in line.week]
    groups: list[list[int]] = []
    for day, said in enumerate(week):
        if groups and week[groups[-1][-1]] == said:
            groups[-1].append(day)
        else:
            groups.append([day])
    told = [(_days(names, group), week[group[0]]) for group in groups]
    return [*told, (_("Public holidays"), str(HOLIDAYS[line.holidays]))]


def _day(written: str) -> str:
    if not written:
        return str(_("Line closed"))
    return str(_("Day and night") if hours.parse(written) == ((0, 24 * 60),) else written.replace("-", "–"))


def _days(names: Mapping[int, str], group: list[int]) -> str:
    first, last = names[group[0]], names[group[-1]]
    first = first[:1].upper() + first[1:]
    return first if group[0] == group[-1] else f"{first} – {last}"


def register(app: Flask) -> None:
    """Give templates the words of this room."""
    app.jinja_env.filters["spelled_number"] = numbers.spelled
    app.jinja_env.globals |= {
        "line_answerers": ANSWERERS,
        "line_now": now_words,
        "line_delay": delay,
        "line_week": week_words,
        "line_when": when,
        "line_span": span,
        "duty_hours": duty_hours,
        "roster_day": roster_day,
        "duty_roles": SHORT_ROLES,
        "callback_states": STATES,
        "callback_tones": TONES,
        "callback_changes": CHANGES,
    }
