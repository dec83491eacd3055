"""What people read of codes: kinds of request, states, reasons."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

from flask import Flask
from flask_babel import format_time, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.web.ui import long_day

KINDS: Mapping[str, Any] = {
    "opinion": _l("An opinion"),
    "consultation": _l("A consultation"),
    "examination": _l("An examination"),
    "day_hospital": _l("A day hospital stay"),
    "hospitalisation": _l("Direct hospitalisation"),
    "follow_up": _l("Follow-up and rehabilitation care"),
}
STATES: Mapping[str, Any] = {
    "waiting": _l("Not asked yet"),
    "received": _l("Waiting for the unit’s answer"),
    "asked": _l("The unit asks for more"),
    "accepted": _l("Accepted"),
    "refused": _l("Refused"),
    "redirected": _l("Another unit is proposed"),
    "completed": _l("Done"),
    "withdrawn": _l("Taken back"),
    "objected": _l("The patient does not want it"),
    "lapsed": _l("Not answered in time"),
}
WHY_REFUSED: Mapping[str, Any] = {
    "not_ours": _l("This is not for our unit"),
    "no_place": _l("We have no place in time"),
    "incomplete": _l("What we need to decide is missing"),
    "not_needed": _l("Our care is not needed"),
    "age": _l("We do not receive people of that age"),
    "elsewhere": _l("The patient is already followed elsewhere"),
    "closed": _l("The unit has closed"),
    "other": _l("Another reason"),
}
WHY_WITHDRAWN: Mapping[str, Any] = {
    "seen_elsewhere": _l("The patient was seen elsewhere"),
    "not_needed": _l("It is no longer needed"),
    "patient_refuses": _l("The patient does not want it"),
    "mistake": _l("It was sent by mistake"),
    "other": _l("Another reason"),
}
TRAYS: Mapping[str, Any] = {
    "to_answer": _l("To answer"),
    "late": _l("Late"),
    "asked": _l("More was asked"),
    "mine": _l("Mine"),
    "to_tell": _l("Patient to be told"),
    "accepted": _l("Accepted requests"),
    "ended": _l("Over"),
}
TOLD_BY: Mapping[str, Any] = {
    "account": _l("on the portal"),
    "post": _l("by letter"),
    "phone": _l("by telephone"),
    "practitioner": _l("by their practitioner"),
}
CHANGES: Mapping[str, Any] = {
    "waiting": _l("Kept for later"),
    "received": _l("With the unit"),
    "asked": _l("More was asked"),
    "accepted": _l("Accepted"),
    "refused": _l("Refused"),
    "redirected": _l("Another unit was named"),
    "completed": _l("Done"),
    "withdrawn": _l("Taken back by the practitioner"),
    "objected": _l("The patient objected"),
    "lapsed": _l("Given up: not answered in time"),
}
NOTES: Mapping[str, Any] = {
    "no_wish": _l("I do not wish this care"),
    "followed_elsewhere": _l("I am already followed elsewhere"),
    "no_sharing": _l("I do not want information about me to be sent"),
    "visit_cancelled": _l("What was agreed was cancelled: the unit answers again."),
    "visit_missed": _l("The patient did not come: the unit answers again."),
    "objection_taken_back": _l("The patient agrees after all."),
    "proposal_left": _l("The practitioner did not want the other unit."),
    **WHY_REFUSED,
    **WHY_WITHDRAWN,
}
TONES: Mapping[str, str] = {
    "received": "info",
    "asked": "warning",
    "accepted": "success",
    "completed": "success",
    "refused": "danger",
    "lapsed": "danger",
}


STANDINGS: Mapping[str, Any] = {
    "to_do": _l("To do"),
    "waiting": _l("Waiting for a unit"),
    "accepted": _l("Accepted"),
    "ended": _l("Over"),
}


def register(app: Flask) -> None:
    """Moments on a hospital's clock, for templates."""
    app.jinja_env.filters["referral_moment"] = day_and_hour


def day_and_hour(at: datetime, tz: tzinfo) -> str:
    """When something agreed takes place, on the hospital's clock; at midnight only its day is known."""
    there = at.astimezone(tz)
    if there.time() == time():
        return str(long_day(there.date()))
    return str(_("%(day)s at %(time)s", day=long_day(there.date()), time=format_time(there, "short", rebase=False)))


def time_left(until: datetime, now: datetime) -> str:
    """How long a unit still has, or since when it is late, in round words."""
    left = until - now
    size = abs(left)
    if size < timedelta(hours=1):
        return str(_("less than an hour left") if left > timedelta() else _("late by less than an hour"))
    if size < timedelta(days=2):
        hours = int(size.total_seconds() // 3600)
        return str(
            ngettext("%(num)d hour left", "%(num)d hours left", hours)
            if left > timedelta()
            else ngettext("late by %(num)d hour", "late by %(num)d hours", hours)
        )
    return str(
        ngettext("%(num)d day left", "%(num)d days left", size.days)
        if left > timedelta()
        else ngettext("late by %(num)d day", "late by %(num)d days", size.days)
    )
