"""Words for what the audit and the sessions hold as codes."""

import re
from collections.abc import Mapping
from typing import Any

from flask import Flask
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

ACTIONS: dict[str, Any] = {
    "account.created": _l("created the account"),
    "session.opened": _l("signed in"),
    "session.closed": _l("signed out"),
    "sign_in.refused": _l("could not sign in"),
    "hospital_provider.changed": _l("changed the hospital’s own way of signing in"),
    "hospital_provider.removed": _l("removed the hospital’s own way of signing in"),
    "patient.registered": _l("registered you by phone or at the desk"),
    "link.made": _l("linked the account to the hospital’s file"),
    "link.undone": _l("undid the link between the account and the hospital’s file"),
    "link.asked": _l("asked to be linked to the hospital’s file"),
    "link.not_proven": _l("tried to link the account to the hospital’s file"),
    "link.refused": _l("closed a request to link the account"),
    "link_code.made": _l("made a code to link an account"),
    "patients.imported": _l("loaded patients from the hospital’s system"),
    "traits.changed": _l("signed in with identity traits that had changed"),
    "duplicate.found": _l("found a person who resembles another"),
    "duplicate.dismissed": _l("checked that two people are not one"),
    "duplicate.joined": _l("joined two accounts of one person"),
    "duplicate.parted": _l("parted two accounts again"),
    "nir.written": _l("wrote the beneficiary number"),
    "nir.revealed": _l("looked at the beneficiary number"),
    "contact.asked": _l("gave a new mail address or telephone number"),
    "contact.verified": _l("confirmed a mail address or a telephone number"),
    "contact.removed": _l("removed a telephone number"),
    "notification_choice.changed": _l("chose how to be told"),
    "holidays.changed": _l("changed the holidays of the hospital"),
    "companion.looked": _l("looked at the signatures of a stay"),
    "companion.sheet_opened": _l("opened what was signed"),
    "totals.received": _l("gave totals of the hospital"),
    "file.lost": _l("was asked for a stored file that is not there any more"),
    "file.altered": _l("was asked for a stored file that was altered, and gave nothing of it"),
    "keys.resealed": _l("sealed columns and files with the current key"),
    "storage.swept": _l("removed stored bytes that no file mentions any more"),
    "retention.changed": _l("changed how long something is kept"),
    "figure_target.set": _l("set the target of a figure"),
    "legal_hold.set": _l("protected a file from erasure"),
    "legal_hold.lifted": _l("let a file be erased again"),
    "invitation.sent": _l("invited an agent"),
    "invitation.withdrawn": _l("withdrew an invitation"),
    "right.granted": _l("gave a right to an agent"),
    "role.saved": _l("named a role of the hospital, or changed it"),
    "role.removed": _l("removed a role of the hospital"),
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
    "local_account.password_changed": _l("changed their password"),
    "establishment.created": _l("added a hospital to the group"),
    "establishment.described": _l("changed what is said of a hospital"),
    "establishment_logo.changed": _l("changed the logo of a hospital"),
    "establishment_logo.removed": _l("removed the logo of a hospital"),
    "setting.changed": _l("changed a setting of a hospital"),
    "site.added": _l("added a site"),
    "site.changed": _l("changed a site"),
    "site.closed": _l("set the last day of a site"),
    "site.reopened": _l("let a site go on"),
    "unit.added": _l("added a unit"),
    "unit.changed": _l("changed a unit"),
    "unit.closed": _l("set the last day of a unit"),
    "unit.reopened": _l("let a unit go on"),
    "practitioner.added": _l("added a practitioner"),
    "practitioner.changed": _l("changed a practitioner"),
    "practitioner.closed": _l("set the last day of a practitioner"),
    "practitioner.reopened": _l("let a practitioner go on"),
    "assurance.changed": _l("changed how well one must be identified"),
    "journal.opened": _l("read the journal"),
    "journal.exported": _l("took lines of the journal away"),
    "sessions.ended": _l("ended sessions because of an incident"),
    "people.sought": _l("asked whose data an incident touched"),
    "people.listed": _l("took away the list of people whom an incident touched"),
    "chain.verified": _l("verified the journal"),
    "chain.verification_asked": _l("asked for the journal to be verified"),
    "unusual_accesses.sought": _l("looked for unusual accesses"),
    "unusual_access.judged": _l("judged an unusual access"),
    "access_review.opened": _l("opened a review of rights"),
    "access_review.closed": _l("closed a review of rights"),
    "access_review.exported": _l("took a review of rights away"),
    "right.confirmed": _l("confirmed a right of an agent"),
    "incident.opened": _l("wrote an incident into the register"),
    "incident.revised": _l("corrected what is known of an incident"),
    "incident.followed": _l("wrote what was done about an incident"),
    "incident.closed": _l("closed an incident"),
    "person.chosen": _l("chose for whom to act"),
    "mandate.requested": _l("asked to act for somebody"),
    "mandate.offered": _l("designated a carer"),
    "mandate.opened": _l("looked at a mandate"),
    "mandate.proof_opened": _l("opened the proof of a mandate"),
    "mandate.checked": _l("checked a proof: somebody may act for you"),
    "mandate.pushed": _l("declared that somebody may act for you"),
    "mandate.accepted": _l("became your carer"),
    "mandate.renewed": _l("renewed a mandate"),
    "mandate.refused": _l("refused a mandate"),
    "mandate.withdrawn": _l("withdrew a request for a mandate"),
    "mandate.lapsed": _l("closed a carer’s code that nobody used"),
    "mandate.revoked": _l("took back a mandate"),
    "mandate.given_up": _l("gave up a mandate"),
    "mandate.ended": _l("ended a mandate"),
    "mandate.expired": _l("closed a mandate whose last day had passed"),
    "mandate.warned": _l("warned that a mandate ends soon"),
    "mandate.prompted": _l("told a parent that their child may sign in"),
    "object.masked": _l("kept something from those who act for you"),
    "object.unmasked": _l("showed something again to those who act for you"),
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
    "right.asked": _l("asked for a right that another administrator confirms"),
    "right_request.refused": _l("refused a right that was asked for an agent"),
    "right_request.withdrawn": _l("withdrew a right that was asked for an agent"),
    "right_request.lapsed": _l("closed a request for a right that nobody had answered"),
    "agent.placed": _l("said in which units an agent works"),
    "agent.left": _l("ended the access of an agent who left"),
    "agent.dormant": _l("ended the access of an agent who no longer signed in"),
    "door.added": _l("added a way to sign in"),
    "emergency.opened": _l("opened your file in an emergency, saying why"),
    "emergency.looked": _l("looked at your file opened in an emergency"),
    "emergency.ended": _l("closed your file opened in an emergency"),
    "emergency.reviewed": _l("judged whether opening your file in an emergency was justified"),
    "support.asked": _l("asked to see your screens, to help you"),
    "support.opened": _l("began to see your screens, without their contents"),
    "support.looked": _l("looked at one of your screens, without its contents"),
    "support.refused": _l("could not see your screens: the code was wrong"),
    "support.ended": _l("ended a look at your screens"),
    "support_register.opened": _l("read who saw whose screens"),
    "machine.added": _l("let another system of the hospital in"),
    "machine.rotated": _l("gave another system a new secret"),
    "machine.revoked": _l("shut another system out"),
    "token.issued": _l("gave another system its pass"),
    "token.refused": _l("refused a pass to another system"),
}
"""Action → words, after the name of who did it. Each room adds its own with `say`."""
"""Audit codes → what the person did, as one says it to whose file it is."""
WHO: dict[str, Any] = {}
"""System job → who stands behind it, when that is a person whom the portal does not know."""
_BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone|iPad", "iPhone"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def register(app: Flask) -> None:
    app.jinja_env.globals.update(audit_words=audit_words, browser_words=browser_words, stands_behind=WHO.get)


def say(words: Mapping[str, Any]) -> None:
    """Teach the journal what a room does."""
    ACTIONS.update(words)


def say_who(words: Mapping[str, Any]) -> None:
    """Teach the journal who stands behind a room's jobs."""
    WHO.update({f"system:{job}": who for job, who in words.items()})


def audit_words(action: str) -> str:
    """What an audit line says, in plain words."""
    return str(ACTIONS.get(action) or _("worked on the file (%(code)s)", code=action))


def browser_words(agent: str) -> str:
    """A browser as its owner knows it."""
    name = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if re.search(mark, agent)), "")
    return str(_("%(browser)s on %(system)s", browser=name, system=system) if name and system else _("Unknown device"))
