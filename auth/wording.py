"""Words for what the audit and the sessions hold as codes."""

import re

from flask import Flask
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

ACTIONS = {
    "account.created": _l("created the account"),
    "session.opened": _l("signed in"),
    "session.closed": _l("signed out"),
    "patient.registered": _l("registered you by phone or at the desk"),
    "appointment.booked": _l("booked an appointment"),
    "appointment.cancelled": _l("cancelled an appointment"),
    "preadmission.started": _l("began a pre-admission"),
    "preadmission.submitted": _l("sent a pre-admission"),
    "preadmission.opened": _l("opened a pre-admission"),
    "preadmission.validated": _l("accepted a pre-admission"),
    "preadmission.cancelled": _l("cancelled a pre-admission"),
    "piece.deposited": _l("deposited a document"),
    "piece.opened": _l("opened a deposited document"),
    "piece.accepted": _l("accepted a deposited document"),
    "piece.refused": _l("refused a deposited document"),
    "bill.opened": _l("opened a bill"),
    "bill.paid": _l("recorded a payment"),
    "payment.started": _l("began a payment"),
    "document.received": _l("received a letter"),
    "document.filed": _l("filed a letter"),
    "document.opened": _l("opened a letter"),
    "invitation.sent": _l("invited an agent"),
    "invitation.withdrawn": _l("withdrew an invitation"),
    "right.granted": _l("gave a right to an agent"),
    "right.withdrawn": _l("took a right from an agent"),
    "journal.opened": _l("read the journal"),
}
"""Audit codes → what the person did, as one says it to whose file it is."""
_BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone|iPad", "iPhone"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def register(app: Flask) -> None:
    app.jinja_env.globals.update(audit_words=audit_words, browser_words=browser_words)


def audit_words(action: str) -> str:
    """What an audit line says, in plain words."""
    return str(ACTIONS.get(action) or _("worked on the file (%(code)s)", code=action))


def browser_words(agent: str) -> str:
    """A browser as its owner knows it."""
    name = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if re.search(mark, agent)), "")
    return str(_("%(browser)s on %(system)s", browser=name, system=system) if name and system else _("Unknown device"))
