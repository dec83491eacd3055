"""Agendas in words."""

from datetime import datetime, time, timedelta, tzinfo
from typing import Any

from flask_babel import format_datetime, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.appointments.agendas.rules import Rule
from services.appointments.wording import day_in_words, hospital_moment

WEEKDAYS = (
    _l("Monday"),
    _l("Tuesday"),
    _l("Wednesday"),
    _l("Thursday"),
    _l("Friday"),
    _l("Saturday"),
    _l("Sunday"),
)
RHYTHMS: dict[str, Any] = {
    "w1": _l("Every week"),
    "w2": _l("Every 2 weeks"),
    "w3": _l("Every 3 weeks"),
    "w4": _l("Every 4 weeks"),
    "w6": _l("Every 6 weeks"),
    "w8": _l("Every 8 weeks"),
    "m1": _l("First of the month"),
    "m2": _l("Second of the month"),
    "m3": _l("Third of the month"),
    "m4": _l("Fourth of the month"),
    "m5": _l("Fifth of the month, when there is one"),
    "m-1": _l("Last of the month"),
}
SCHOOL = {
    "any": _l("Not looked at"),
    "outside": _l("Not during school holidays"),
    "only": _l("Only during school holidays"),
}
PARTS = {"all": _l("All of it"), "part": _l("Only between two times"), "none": _l("Nothing")}
WHY_AWAY = {
    "leave": _l("Leave"),
    "training": _l("Training or congress"),
    "illness": _l("Sick leave"),
    "meeting": _l("Meeting"),
    "strike": _l("Strike"),
    "works": _l("Works or breakdown"),
    "other": _l("Other"),
}
CALL_STATES = {
    "to_call": _l("To call"),
    "no_answer": _l("No answer"),
    "left_message": _l("Message left"),
    "reached": _l("Reached"),
}
CALL_TONES = {"to_call": "warning", "no_answer": "warning", "left_message": "info", "reached": "success"}
HOLIDAYS = {
    "": _l("As its clock tells (metropolitan France, or the overseas département)"),
    "metropole": _l("Metropolitan France"),
    "alsace-moselle": _l("Alsace and Moselle (Good Friday, 26 December)"),
    "guadeloupe": _l("Guadeloupe (27 May)"),
    "guyane": _l("French Guiana (10 June)"),
    "martinique": _l("Martinique (22 May)"),
    "mayotte": _l("Mayotte (27 April)"),
    "reunion": _l("La Réunion (20 December)"),
}
ZONES = {
    "": _l("None: school holidays are not looked at"),
    "A": _l("Zone A"),
    "B": _l("Zone B"),
    "C": _l("Zone C"),
    "corse": _l("Corsica"),
    "guadeloupe": _l("Guadeloupe"),
    "guyane": _l("French Guiana"),
    "martinique": _l("Martinique"),
    "mayotte": _l("Mayotte"),
    "reunion": _l("La Réunion"),
}


def hour(at: time | None) -> str:
    """09:05, on the hospital's wall."""
    return f"{at:%H:%M}" if at else ""


def rhythm(rule: Rule) -> str:
    """Its code in RHYTHMS."""
    return f"w{rule.every_weeks}" if rule.nth is None else f"m{rule.nth}"


def how_often(rule: Rule) -> Any:
    code = rhythm(rule)
    return RHYTHMS.get(code) or ngettext("Every %(num)d week", "Every %(num)d weeks", rule.every_weeks)


def part(rule: Rule, channel: str) -> str:
    """What part of a session a channel (`online`, `city`) may take."""
    how = getattr(rule, channel)
    if how != "part":
        return str(PARTS[how])
    begins, ends = getattr(rule, f"{channel}_from"), getattr(rule, f"{channel}_until")
    return str(_("%(begins)s to %(ends)s", begins=hour(begins), ends=hour(ends)))


def short(at: datetime, tz: tzinfo) -> str:
    """`mar. 24 nov. 14:00`, where many of them share a page."""
    return str(format_datetime(at.astimezone(tz), "EEE d MMM HH:mm", rebase=False))


def period(start_at: datetime, end_at: datetime, tz: tzinfo) -> str:
    """Whole days without their hours; other periods from one moment to another."""
    begins, ends = start_at.astimezone(tz), end_at.astimezone(tz)
    if begins.time() != time() or ends.time() != time():
        moments = (hospital_moment(each, tz) for each in (start_at, end_at))
        return str(_("%(first)s to %(last)s", first=next(moments), last=next(moments)))
    first, last = begins.date(), ends.date() - timedelta(days=1)
    if first == last:
        return str(_("%(day)s, all day", day=day_in_words(first)))
    return str(_("%(first)s to %(last)s", first=day_in_words(first), last=day_in_words(last)))
