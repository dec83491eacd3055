"""How the directory says codes, hours and days."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, tzinfo
from typing import Any, Literal

from babel.dates import get_day_names
from flask import Flask
from flask_babel import format_time, get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal import db
from portal.web.ui import long_day
from services.offer import specialities
from services.offer.models import Activity, Contact
from services.offer.openings import MIDNIGHT, Days, Range, Schedule, Standing

NEEDS = {
    "for_wheelchairs": _l("Reached in a wheelchair"),
    "for_hearing": _l("Help for deaf and hard-of-hearing people"),
    "for_sight": _l("Help for blind and partially sighted people"),
}
KINDS: Mapping[str, Any] = {
    "consultation": _l("Consultation"),
    "examination": _l("Examination"),
    "day_hospital": _l("Day hospital"),
    "hospitalisation": _l("Stay in hospital"),
    "follow_up": _l("Follow-up care"),
    "emergency": _l("Emergencies"),
    "support": _l("Support"),
}
CONTACTS: Mapping[str, Any] = {
    "phone": _l("Telephone"),
    "mail": _l("E-mail"),
    "mssante": _l("Secure messaging (MSSanté)"),
    "url": _l("Web page"),
    "fax": _l("Fax"),
}
AUDIENCES: Mapping[str, Any] = {"patient": _l("For patients"), "professional": _l("For professionals")}
MISTAKES: Mapping[str, Any] = {
    "phone": _l("A telephone number or an address to write to"),
    "hours": _l("Opening hours or a closure"),
    "address": _l("The address or the place on the plan"),
    "access": _l("How to get there, accessibility"),
    "people": _l("Who works there"),
    "activity": _l("What is offered there"),
    "other": _l("Something else"),
}
REPORT_STATES: Mapping[str, Any] = {
    "received": _l("Received"),
    "corrected": _l("Corrected"),
    "declined": _l("Not an error"),
}
REPORT_TONES = {"received": "info", "corrected": "success", "declined": "neutral"}
_SIGNED = "fsl"


def register(app: Flask) -> None:
    filters = {"language_name": language_name, "weekday_name": weekday_name, "speciality": speciality}
    app.jinja_env.filters.update(filters)
    app.jinja_env.globals.update(site_needs=NEEDS)


def language_name(code: str) -> str:
    """`ar` → arabe."""
    if code == _SIGNED:
        return str(_("French Sign Language"))
    locale = get_locale()
    return str((locale.languages if locale else {}).get(code, code))


def weekday_name(day: int, width: Literal["wide", "abbreviated"] = "wide") -> str:
    """0 → lundi."""
    return str(get_day_names(width, locale=get_locale())[day])


def speciality(code: str) -> str:
    """SM04 → Cardiologie et maladies vasculaires."""
    return specialities.words_of(code)


def ages(activity: Activity) -> str:
    """`From 16 years old`; "" without a bound."""
    if activity.age_from is not None and activity.age_to is not None:
        return str(_("From %(from_)d to %(to)d years old", from_=activity.age_from, to=activity.age_to))
    if activity.age_from is not None:
        return str(ngettext("From %(num)d year old", "From %(num)d years old", activity.age_from))
    if activity.age_to is not None:
        return str(ngettext("Up to %(num)d year old", "Up to %(num)d years old", activity.age_to))
    return ""


# -- hours -------------------------------------------------------------------------------------------------------


def at_clock(at: time) -> str:
    return str(format_time(at, "short", rebase=False))


def hours(pairs: Sequence[tuple[time, time]]) -> str:
    """`08:30–12:30, 13:30–17:00`."""
    if not pairs:
        return _begun(str(_("closed")))
    if pairs == [(MIDNIGHT, MIDNIGHT)]:
        return str(_("Round the clock"))
    return ", ".join(f"{at_clock(opens)}–{at_clock(closes)}" for opens, closes in pairs)


def week(schedule: Schedule) -> list[tuple[str, str]]:
    """(days, hours), days of the same hours together; empty when nothing is known."""
    if not schedule.week:
        return []
    daily = [_pairs(schedule.week, day) for day in range(7)]
    lines: list[tuple[int, int]] = []
    for day in range(7):
        if lines and daily[day] == daily[lines[-1][0]]:
            lines[-1] = (lines[-1][0], day)
        else:
            lines.append((day, day))
    return [(_days(first, last), hours(daily[first])) for first, last in lines]


def _pairs(ranges: Iterable[Range], day: int) -> list[tuple[time, time]]:
    return sorted((each.opens, each.closes) for each in ranges if each.weekday == day)


def _days(first: int, last: int) -> str:
    if (first, last) == (0, 6):
        return str(_("Every day"))
    if first == last:
        return _begun(weekday_name(first))
    return _begun(str(_("%(first)s to %(last)s", first=weekday_name(first), last=weekday_name(last))))


def _begun(text: str) -> str:
    """With a capital, and the others as they are: English writes Friday."""
    return text[:1].upper() + text[1:]


def on_holidays(schedule: Schedule) -> str:
    """What happens on public holidays."""
    if all(each.on_holidays for each in schedule.week):
        return str(_("Open on public holidays"))
    if any(each.on_holidays for each in schedule.week):
        return str(_("Other hours on public holidays: call first"))
    return str(_("Closed on public holidays"))


def standing(known: Standing, tz: tzinfo) -> str:
    """`Open until 17:30`, `Closed, opens tomorrow at 08:30`."""
    if known.is_open:
        return (
            str(_("Open until %(when)s", when=_when(known.until, tz))) if known.until else str(_("Open at the moment"))
        )
    if known.next_at:
        return str(_("Closed, opens %(when)s", when=_when(known.next_at, tz, begins=True)))
    return _begun(str(_("closed")))


def _when(at: datetime, tz: tzinfo, *, begins: bool = False) -> str:
    """After `opens` (begins) or `until`."""
    local = at.astimezone(tz)
    days = (local.date() - db.now().astimezone(tz).date()).days
    clock = at_clock(local.time().replace(tzinfo=None))
    if days == 0:
        return str(_("at %(time)s", time=clock)) if begins else clock
    if days == 1:
        return str(_("tomorrow at %(time)s", time=clock))
    return str(_("on %(day)s at %(time)s", day=long_day(local.date()), time=clock))


def days(known: Days) -> str:
    """An exceptional closure, or other hours, in one sentence."""
    if known.kind == "not_yet":
        return str(_("Opens on %(day)s", day=long_day(_day_after(known.ends_on))))
    when = (
        str(_("On %(day)s", day=long_day(known.starts_on)))
        if known.starts_on == known.ends_on
        else str(_("From %(first)s to %(last)s", first=long_day(known.starts_on), last=long_day(known.ends_on)))
    )
    what = str(_("closed")) if known.opens is None or known.closes is None else hours([(known.opens, known.closes)])
    said = str(_("%(when)s: %(what)s", when=when, what=what))
    return f"{said} ({known.reason})" if known.reason else said


def _day_after(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)


# -- contacts ----------------------------------------------------------------------------------------------------


def href(contact: Contact) -> str:
    """What a contact's link opens; "" for a fax, which nobody dials from a page."""
    plain = contact.value.strip()
    if contact.kind == "phone":
        return f"tel:{plain.replace(' ', '').replace('.', '')}"
    if contact.kind in ("mail", "mssante"):
        return f"mailto:{plain}"
    return plain if contact.kind == "url" and plain.startswith("https://") else ""
