"""How the tray of deadlines says what each thing is, and how long is left."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from admin.forms_oversight import INCIDENT_KINDS
from admin.queries_deadlines import Deadline
from auth.account.wording import REQUEST_KINDS
from portal.web.ui import short_day
from services.appointments.wording import hospital_moment
from services.documents.requests.wording import KINDS as RECORD_KINDS
from services.satisfaction.wording import NAMES as SERVICES

KINDS: Final[Mapping[str, Any]] = {
    "incident": _l("Incident: tell the CNIL"),
    "record": _l("Request of a patient"),
    "complaint": _l("Complaint or thanks"),
    "data_request": _l("Request about data"),
    "comment": _l("Comment to screen"),
    "accessibility": _l("Accessibility report"),
    "review": _l("Review of rights"),
}
LAW: Final[Mapping[str, Any]] = {
    "incident": _l("72 hours (GDPR, article 33)"),
    "record": _l("8 days, 2 months when older than 5 years (CSP L. 1111-7)"),
    "complaint": _l("The hospital’s own delay"),
    "data_request": _l("One month, three at most (GDPR, article 12)"),
    "comment": _l("The hospital’s own delay"),
    "accessibility": _l("One month, the portal’s own aim"),
    "review": _l("The day chosen when it was opened"),
}
"""Where each date comes from."""
_DETAILS: Final[Mapping[str, Mapping[str, Any]]] = {
    "incident": INCIDENT_KINDS,
    "record": RECORD_KINDS,
    "complaint": RECORD_KINDS,
    "data_request": REQUEST_KINDS,
    "comment": SERVICES,
    "accessibility": {"received": _l("Nobody has taken it"), "in_progress": _l("Somebody looks into it")},
}


def name(each: Deadline) -> str:
    """What the line is called: its reference or title, or else what it is."""
    return each.name or str(KINDS[each.kind])


def detail(each: Deadline) -> Any:
    """What it is about, without anybody's name."""
    return _DETAILS.get(each.kind, {}).get(each.what, "")


def tone(each: Deadline, now: datetime) -> str:
    """danger once it is late, warning in the last two days."""
    if each.due_at < now:
        return "danger"
    return "warning" if each.due_at - now <= timedelta(days=2) else "neutral"


def left(each: Deadline, now: datetime) -> str:
    """How long is left, or how late it is: in hours for what is counted in hours, else in days of the hospital."""
    if each.kind == "incident":
        hours = int(abs((each.due_at - now).total_seconds()) // 3600)
        if each.due_at < now:
            return str(ngettext("%(num)d hour late", "%(num)d hours late", hours))
        return str(ngettext("%(num)d hour left", "%(num)d hours left", hours))
    days = days_left(each, now)
    if days < 0:
        return str(ngettext("%(num)d day late", "%(num)d days late", -days))
    if days == 0:
        return str(_("today"))
    return str(_("tomorrow")) if days == 1 else str(ngettext("%(num)d day left", "%(num)d days left", days))


def days_left(each: Deadline, now: datetime) -> int:
    """From today to the last day, both of the hospital; below zero once that day is over."""
    zone = ZoneInfo(each.zone)
    last_day = (each.due_at - timedelta(microseconds=1)).astimezone(zone).date()
    return (last_day - now.astimezone(zone).date()).days


def last_moment(each: Deadline) -> str:
    """The last day, with the hour for what is counted in hours, on the hospital's clock."""
    zone = ZoneInfo(each.zone)
    if each.kind == "incident":
        return hospital_moment(each.due_at, zone)
    return short_day((each.due_at - timedelta(microseconds=1)).astimezone(zone).date())
