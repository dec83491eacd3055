"""How the room says states, kinds and estimates."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from flask import Flask
from flask_babel import format_time, get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.attendance import queries
from services.attendance.estimates import FEW
from services.attendance.queries import Shown
from services.offer import wording as offer

STATES: Mapping[str, tuple[Any, str]] = {
    "open": (_l("Open, as usual"), "success"),
    "saturated": (_l("Very busy"), "warning"),
    "diverted": (_l("Only on the advice of the 15"), "danger"),
    "closed": (_l("Closed for now"), "neutral"),
    "unknown": (_l("Not available now"), "neutral"),
}
"""State → words and tone."""
KINDS: Mapping[str, Any] = {
    "adult": _l("Adults"),
    "paediatric": _l("Children"),
    "all_ages": _l("Adults and children"),
    "gynaecology": _l("Pregnancy and gynaecology"),
    "ophthalmology": _l("Eyes"),
    "psychiatry": _l("Psychiatry"),
    "dental": _l("Teeth"),
    "hand": _l("Hand"),
}
SOURCES: Mapping[str, Any] = {"entered": _l("Entered on the screen"), "machine": _l("Another system")}
_HOUR = 60


def register(app: Flask) -> None:
    app.jinja_env.globals.update(
        attendance_states=STATES,
        attendance_kinds=KINDS,
        attendance_sources=SOURCES,
        attendance_minutes=minutes,
        attendance_waiting=waiting,
        attendance_message=message,
        attendance_clock=clock,
        attendance_reopens=reopens,
        is_attendance_published=queries.is_any_published,
    )


def minutes(asked: tuple[int, int] | None) -> str:
    """`between 1 h and 1 h 30`, `less than 15 minutes`; "" for nothing."""
    if asked is None:
        return ""
    begins, ends = asked
    if begins == 0:
        return str(_("less than %(end)s", end=_duration(ends)))
    if ends < _HOUR:
        return str(_("between %(begin)d and %(end)d minutes", begin=begins, end=ends))
    return str(_("between %(begin)s and %(end)s", begin=_duration(begins), end=_duration(ends)))


def _duration(asked: int) -> str:
    hours, rest = divmod(asked, _HOUR)
    if not hours:
        return str(ngettext("%(num)d minute", "%(num)d minutes", rest))
    if not rest:
        return str(_("%(hours)d h", hours=hours))
    return str(_("%(hours)d h %(minutes)02d", hours=hours, minutes=rest))


def waiting(shown: Shown) -> str:
    """`23 people are waiting`, `Fewer than 11 people are waiting`; "" when nobody knows."""
    if shown.are_few:
        return str(_("Fewer than %(number)d people are waiting", number=FEW))
    if shown.waiting is None:
        return ""
    return str(ngettext("%(num)d person is waiting", "%(num)d people are waiting", shown.waiting))


def message(shown: Shown) -> tuple[str, str]:
    """(words, their language): the reader's, else French, else whatever there is; ("", "") for none."""
    known = {language: words for language, words in shown.message.items() if words}
    wanted = (str(get_locale() or "fr"), "fr", *known)
    return next(((known[each], each) for each in wanted if each in known), ("", ""))


def clock(at: datetime, tz: tzinfo) -> str:
    """`09:30`, on the hospital's clock."""
    return str(format_time(at.astimezone(tz), "short", rebase=False))


def reopens(shown: Shown) -> str:
    """`Closed, opens tomorrow at 08:30`; "" when its hours say nothing."""
    if shown.standing is None or shown.standing.is_open:
        return ""
    return offer.standing(shown.standing, shown.department.establishment.tz)
