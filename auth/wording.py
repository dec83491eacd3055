"""Words for what the audit and the sessions hold as codes."""

import re

from flask import Flask
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

ACTIONS = {
    "account.created": _l("created the account"),
    "session.opened": _l("signed in"),
    "session.closed": _l("signed out"),
    "sign_in.refused": _l("could not sign in"),
    "patient.registered": _l("registered you by phone or at the desk"),
    "appointment.booked": _l("booked an appointment"),
    "appointment.cancelled": _l("cancelled an appointment"),
    "appointment.opened": _l("looked at an appointment"),
    "appointment_list.opened": _l("looked at the appointments of a day"),
    "consultation_session.opened": _l("opened times for appointments"),
    "preadmission.started": _l("began a pre-admission"),
    "preadmission.filled": _l("filled in a pre-admission"),
    "preadmission.submitted": _l("sent a pre-admission"),
    "preadmission.taken": _l("took charge of a pre-admission"),
    "preadmission.opened": _l("opened a pre-admission"),
    "preadmission.sent_back": _l("asked for more in a pre-admission"),
    "preadmission.completed": _l("completed a pre-admission"),
    "preadmission.validated": _l("accepted a pre-admission"),
    "preadmission.refused": _l("refused a pre-admission"),
    "preadmission.lapsed": _l("closed a pre-admission whose day had passed"),
    "preadmission.cancelled": _l("cancelled a pre-admission"),
    "pieces.asked": _l("asked for documents"),
    "pieces.shared": _l("sent documents to the hospital"),
    "piece.deposited": _l("deposited a document"),
    "piece.opened": _l("opened a deposited document"),
    "piece.accepted": _l("accepted a deposited document"),
    "piece.refused": _l("refused a deposited document"),
    "piece.waived": _l("asked for a document to be shown on the day"),
    "piece.scanned": _l("checked a document with the antivirus"),
    "bill.opened": _l("opened a bill"),
    "bill.closed": _l("closed a bill paid elsewhere"),
    "bill.overpaid": _l("saw that a bill was paid twice"),
    "payment.started": _l("began a payment"),
    "payment.opened": _l("went to the payment page"),
    "payment.notified": _l("had news of a payment"),
    "payment.booked": _l("recorded a payment"),
    "payment.failed": _l("could not open a payment"),
    "payment.expired": _l("closed a payment left unfinished"),
    "payment.released": _l("gave up a payment"),
    "payment.quarantined": _l("put an uncertain payment aside"),
    "document.received": _l("received a letter"),
    "document.published": _l("sent a document"),
    "document.assigned": _l("filed a letter"),
    "document.discarded": _l("set a letter aside"),
    "document.taken_back": _l("took a letter back"),
    "document.opened": _l("opened a letter"),
    "document.downloaded": _l("downloaded a letter"),
    "parcel.received": _l("took in a parcel of letters"),
    "parcel.quarantined": _l("refused a parcel of letters"),
    "exchange.sent": _l("began an exchange between a unit and a practitioner"),
    "exchange.opened": _l("opened an exchange with a practitioner"),
    "exchange.answered": _l("answered in an exchange with a practitioner"),
    "exchange.filed": _l("filed a practitioner’s document"),
    "invitation.sent": _l("invited an agent"),
    "invitation.withdrawn": _l("withdrew an invitation"),
    "right.granted": _l("gave a right to an agent"),
    "right.withdrawn": _l("took a right from an agent"),
    "factor.added": _l("added a second factor"),
    "factor.code_sent": _l("asked for a code to confirm who they are"),
    "factor.removed": _l("removed a second factor"),
    "factor.renamed": _l("renamed a second factor"),
    "factor.proven": _l("confirmed who they are with a second factor"),
    "factor.refused": _l("could not confirm who they are"),
    "factor.copied": _l("was refused with a passkey that seems to have been copied"),
    "recovery_codes.made": _l("made new recovery codes"),
    "factor_reset.issued": _l("gave a code at the desk for lost factors"),
    "factor_reset.used": _l("removed lost factors with the desk’s code"),
    "local_account.invited": _l("invited somebody to sign in without an identity provider"),
    "local_account.opened": _l("set up how they sign in without an identity provider"),
    "assurance.changed": _l("changed how well one must be identified"),
    "journal.opened": _l("read the journal"),
    "access_log.downloaded": _l("downloaded the list of who opened the file"),
    "consent.given": _l("agreed to a text"),
    "consent.withdrawn": _l("withdrew an agreement"),
    "data_export.asked": _l("asked for a copy of all the data"),
    "data_export.downloaded": _l("downloaded the copy of all the data"),
    "data_export.prepared": _l("prepared the copy of all the data"),
    "data_request.accepted": _l("accepted a request about data"),
    "data_request.extended": _l("took more time for a request about data"),
    "data_request.opened": _l("opened a request about data"),
    "data_request.partly": _l("accepted a request about data in part"),
    "data_request.received": _l("made a request about data"),
    "data_request.refused": _l("refused a request about data"),
    "data_request.withdrawn": _l("withdrew a request about data"),
    "device.added": _l("signed in with a new device"),
    "device.forgotten": _l("forgot a known device"),
    "activity.chosen": _l("chose where they work today"),
    "delegation_code.made": _l("asked for a code to receive a delegation"),
    "delegation.given": _l("let somebody act in their stead"),
    "delegation.withdrawn": _l("withdrew a delegation"),
    "delegation.given_back": _l("gave a delegation back"),
    "delegation.seen": _l("read the news of a delegation"),
    "delegation.used": _l("began to act in somebody’s stead"),
    "delegation.left": _l("acted in their own name again"),
    "death.declared": _l("recorded a death"),
    "death.corrected": _l("corrected the date of a death"),
    "death.ignored": _l("set aside a repeated message about a death that had been undone"),
    "death.undo_asked": _l("asked for a death to be undone"),
    "death.undo_withdrawn": _l("no longer asked for a death to be undone"),
    "death.undone": _l("undid a death recorded by mistake"),
    "death.opened": _l("looked at what a death leaves open"),
    "guest.invited": _l("sent an invitation without an account"),
    "guest.withdrawn": _l("withdrew an invitation without an account"),
    "guest.code_asked": _l("asked for the code of an invitation"),
    "guest.refused": _l("could not open an invitation"),
    "guest.entered": _l("opened an invitation"),
    "guest.left": _l("closed an invitation they had opened"),
    "guest.looked": _l("looked at what an invitation shows"),
    "account.opened_at_desk": _l("opened an account at the desk, on an identity document"),
    "account.closed_by_death": _l("closed the account of somebody who died"),
    "account.reopened": _l("opened an account again"),
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
