"""Words for connectors, jobs and availability."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from admin.queries_connectors import Connector, family
from portal import db
from portal.gateways.board import DoorPause, finess_of
from portal.gateways.breaker import BreakerState

WORDS: Mapping[str, Any] = {
    "door.closed": _l("closed a connector for a while"),
    "door.opened": _l("opened a connector again"),
    "door.tried": _l("had a connector tried"),
    "job.retried": _l("had a job that failed tried again"),
    "job.given_up": _l("gave up a job"),
    "maintenance.declared": _l("declared maintenance"),
    "maintenance.withdrawn": _l("withdrew maintenance that was declared"),
}
"""For the journal."""

FAMILIES: Mapping[str, Any] = {
    "storage": _l("Storage of files"),
    "antivirus": _l("Antivirus"),
    "mail": _l("Mail"),
    "sms": _l("Text messages"),
    "his": _l("Hospital’s system"),
    "mssante": _l("Secure mail (MSSanté)"),
    "payments": _l("Payments"),
    "directory": _l("National directory"),
    "webhooks": _l("Systems that subscribed"),
    "siem": _l("Collector of the journal"),
}
CONCERNED: Mapping[str, tuple[str, ...]] = {
    "his": ("appointments", "preadmission", "documents"),
    "mssante": ("documents", "referrals"),
    "payments": ("billing",),
    "antivirus": ("documents", "preadmission"),
    "webhooks": ("appointments",),
}
"""Family of a door → the rights of the agents who are told that it is closed; administrators always are."""

STATES: Mapping[str, Any] = {
    "failed": _l("Failed"),
    "late": _l("Late"),
    "waiting": _l("Due now"),
    "later": _l("For later"),
    "doing": _l("Running"),
    "settled": _l("Given up by hand"),
    "succeeded": _l("Went well"),
}
TONES: Mapping[str, str] = {
    "failed": "danger",
    "late": "warning",
    "waiting": "info",
    "doing": "info",
    "succeeded": "success",
}
EVENTS: Mapping[str, Any] = {
    "deferred": _l("Put in the queue"),
    "started": _l("Began"),
    "deferred_for_retry": _l("Stopped; to be tried again"),
    "failed": _l("Failed for good"),
    "succeeded": _l("Went well"),
    "cancelled": _l("Given up by hand"),
    "aborted": _l("Interrupted"),
    "abort_requested": _l("Interruption asked for"),
    "scheduled": _l("Put off"),
    "retried": _l("Tried again by hand"),
}
CAUSES: Mapping[str, Any] = {
    "silence": _l("Nobody looked: no worker, or no database"),
    "storage": _l("The storage of files did not answer"),
    "queue": _l("Jobs were late by more than five minutes"),
}


def label(name: str, hospitals: Mapping[str, str] | None = None) -> str:
    """How a door is called: what stands behind it, and whose it is. hospitals: their names, by FINESS number."""
    known, finess = FAMILIES.get(family(name)), finess_of(name)
    if known is None:
        return name
    rest = (hospitals or {}).get(finess, finess) if finess else name.removeprefix(family(name)).lstrip(".")
    return f"{known} – {rest}" if rest else str(known)


def state_of(connector: Connector) -> tuple[str, str]:
    """How a door is, in a word and a tone."""
    state = connector.state
    if connector.pause is not None:
        return _("Closed by hand"), "warning"
    if state.breaker is BreakerState.OPEN:
        return _("Out of order"), "danger"
    if state.breaker is BreakerState.HALF_OPEN:
        return _("Being tried again"), "warning"
    if state.last_success_at is None and state.last_failure_at is None:
        return _("Not used yet"), "neutral"
    if state.last_success_at is None or (state.last_failure_at and state.last_failure_at > state.last_success_at):
        return _("Last call failed"), "warning"
    return _("Working"), "success"


def pause_state(pause: DoorPause) -> str:
    """How a pause ended, or that it holds."""
    if pause.resumed_by:
        return str(_("opened again by %(who)s", who=pause.resumed_by))
    return str(_("closed now")) if pause.holds else str(_("ended by itself"))


def lasting(began: Any, ended: Any = None) -> str:
    """How long something lasted, or has lasted until now, in words."""
    minutes = max(0, int(((ended or db.now()) - began).total_seconds() // 60))
    if minutes < 60:
        return str(ngettext("%(num)d minute", "%(num)d minutes", minutes))
    if minutes < 48 * 60:
        return str(ngettext("%(num)d hour", "%(num)d hours", minutes // 60))
    return str(ngettext("%(num)d day", "%(num)d days", minutes // 1440))
