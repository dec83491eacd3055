"""Words for what is exchanged, whatever it is about."""

from flask_babel import lazy_gettext as _l

from services.exchanges import subjects

REASONS = {
    "number_taken": _l("Another message had this number (MSH-10)."),
    "wrong_clock": _l("It says that it was written tomorrow or later: set the clock of the hospital’s system."),
    "wrong_100": _l("This is not an HL7 message."),
    "wrong_101": _l("Something that is needed is missing."),
    "wrong_102": _l("A value is not in the form that HL7 asks for."),
    "wrong_103": _l("The character set is not one that is read here."),
    "wrong_200": _l("Messages of this type are not taken here."),
    "wrong_201": _l("Messages of this event are not taken here."),
    "wrong_207": _l("The portal could not look at this message. Send it again."),
}
"""What stands in the acknowledgement (ERR-8) and on the agents' screen; each subject adds its own."""

STATES = {
    "waiting": (_l("Waiting"), "info"),
    "accepted": (_l("Delivered"), "success"),
    "refused": (_l("Refused"), "danger"),
    "set_aside": (_l("Set aside"), "neutral"),
    "not_needed": (_l("Nothing to tell"), "neutral"),
}
ANSWERS = {"AA": (_l("Accepted"), "success"), "AE": (_l("Not done"), "danger"), "AR": (_l("Not taken"), "warning")}
VIAS = {"mllp": "MLLP", "folder": _l("folder"), "http": "HTTP"}


def reason(subject_kind: str, code: str) -> str:
    """In words, "" when nothing is to say; a room's own words first."""
    subject = subjects.of(subject_kind)
    found = (subject.reasons.get(code) if subject else None) or REASONS.get(code, "")
    return str(found)
