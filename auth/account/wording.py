"""What people read for what the account's pages hold as codes."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Flask
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from auth.account.access_log import Places
from auth.wording import WHO, audit_words
from portal import blanking
from portal.audit import AuditEvent

REQUEST_KINDS: Mapping[str, Any] = {
    "rectification": _l("Correct something"),
    "deletion": _l("Delete something"),
    "restriction": _l("Restrict the use of something"),
    "opposition": _l("Object to a use"),
}
REQUEST_KIND_HINTS: Mapping[str, Any] = {
    "rectification": _l("A wrong address, a name spelled wrong, a missing fact"),
    "deletion": _l("Something that was not yours, or is no longer needed"),
    "restriction": _l("Keep it but do not use it, for example while you contest it"),
    "opposition": _l("For reasons of your own situation"),
}
REQUEST_STATES: Mapping[str, tuple[Any, str]] = {
    "received": (_l("Waiting for an answer"), "info"),
    "extended": (_l("More time taken"), "warning"),
    "accepted": (_l("Accepted"), "success"),
    "partly": (_l("Accepted in part"), "warning"),
    "refused": (_l("Refused"), "danger"),
    "withdrawn": (_l("Withdrawn"), "neutral"),
}
"""State → words and tone of its tag."""
REQUEST_CHANGES: Mapping[str, Any] = {
    "received": _l("The request was registered"),
    "extended": _l("The hospital took two more months"),
    "accepted": _l("The hospital accepted"),
    "partly": _l("The hospital accepted in part"),
    "refused": _l("The hospital refused"),
    "withdrawn": _l("The request was withdrawn"),
}
EXPORT_STATES: Mapping[str, tuple[Any, str]] = {
    "preparing": (_l("Being prepared"), "info"),
    "ready": (_l("Ready"), "success"),
    "expired": (_l("No longer kept"), "neutral"),
}
_FUNCTIONS: Mapping[str, Any] = {
    "appointment": _l("Appointments office"),
    "appointment_list": _l("Appointments office"),
    "consultation_session": _l("Appointments office"),
    "preadmission": _l("Admissions office"),
    "piece": _l("Admissions office"),
    "pieces": _l("Admissions office"),
    "patient": _l("Admissions office"),
    "bill": _l("Billing office"),
    "payment": _l("Billing office"),
    "document": _l("Medical secretary’s office"),
    "parcel": _l("Medical secretary’s office"),
    "exchange": _l("Medical secretary’s office"),
    "data_request": _l("Data protection"),
    "journal": _l("Auditor"),
    "emergency": _l("Emergency access"),
    "support": _l("User support"),
}
"""First word of an audit code → the function in which an agent did it."""


def register(app: Flask) -> None:
    app.jinja_env.globals.update(
        request_kind_words=REQUEST_KINDS,
        request_state_words=REQUEST_STATES,
        request_change_words=REQUEST_CHANGES,
        export_state_words=EXPORT_STATES,
    )


def function_words(event: AuditEvent) -> str:
    """In what function an agent of a hospital did this."""
    return str(_FUNCTIONS.get(event.action.partition(".")[0]) or _("Identity unit"))


def who_words(event: AuditEvent, me: UUID | None, file_is_mine: bool, places: Places) -> str:
    """Who did it, as the person whose file it is may know: themselves, somebody acting for them, a function, a job."""
    if blanking.is_on():  # who it was is hidden, and not nobody
        return blanking.MASK
    kind, _colon, account = event.actor.partition(":")
    if kind == "patient":
        if account == str(me):
            return str(_("You"))
        return str(_("%(name)s, acting for you", name=event.actor_name) if file_is_mine else event.actor_name)
    if kind == "staff":
        named = event.establishment_id in places.naming and event.actor_name
        function = function_words(event)
        return str(_("%(function)s (%(name)s)", function=function, name=event.actor_name)) if named else function
    if kind == "professional":
        return str(_("%(name)s, health professional", name=event.actor_name))
    if kind == "machine":
        return str(_("The hospital’s computer system"))
    if event.actor in WHO:
        return str(WHO[event.actor])
    return str(_("The portal, automatically") if kind == "system" else _("Somebody who was not signed in"))


def what_words(event: AuditEvent) -> str:
    """What was done, as a sentence's end with a capital."""
    words = audit_words(event.action)
    return words[:1].upper() + words[1:]


def is_emergency(event: AuditEvent) -> bool:
    """Whether an agent opened the file without the usual right ("bris de glace")."""
    return event.action.startswith("emergency.") or bool(event.details.get("emergency"))
