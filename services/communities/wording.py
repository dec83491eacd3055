"""Words for what communities hold as codes, and the marks of a patient told to whoever writes."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l

from services.communities.identifiers import Found, Why

KINDS: dict[str, Any] = {
    "cpts": _l("Territorial community (CPTS)"),
    "pathway": _l("Care path"),
    "board": _l("Board"),
    "other": _l("Group"),
}
ROLES: dict[str, Any] = {
    "member": _l("Member"),
    "contributor": _l("Contributor"),
    "moderator": _l("Moderator"),
    "animator": _l("Animator"),
}
ROLE_HINTS: dict[str, Any] = {
    "member": _l("Reads everything and takes part in discussions"),
    "contributor": _l("Also publishes announcements and documents"),
    "moderator": _l("Also sees to what is reported, and keeps discussions and themes in order"),
    "animator": _l("Also invites, gives roles, writes the charter, reads the journal, closes the community"),
}
NOTIFY: dict[str, Any] = {
    "announcements": _l("Announcements"),
    "all": _l("Announcements and discussions"),
    "none": _l("Nothing: I come by myself"),
}
REPORTS: dict[str, Any] = {
    "patient": _l("A patient can be recognised in it"),
    "manners": _l("The way it is said is not acceptable"),
    "wrong": _l("What it says is wrong, or dangerous"),
    "other": _l("Another reason"),
}
DECISIONS: dict[str, Any] = {"kept": _l("Kept"), "withdrawn": _l("Withdrawn")}
DOUBTS: dict[Why, Any] = {
    Why.KEY: _l("a social security number"),
    Why.OID: _l("a national health identity (INS)"),
    Why.WRONG_KEY: _l("a number that looks like a social security number"),
    Why.NO_KEY: _l("a number that looks like a social security number"),
    Why.RECORD_NUMBER: _l("the number of a patient or of a file"),
    Why.BIRTH: _l("a date of birth"),
    Why.NAME: _l("what looks like the name of a patient"),
}


def doubts(marks: Sequence[Found], text: str) -> list[dict[str, Any]]:
    """What was found, said and shown: `what`, and `where`, the words themselves (shown to whoever typed them)."""
    return [{"what": DOUBTS[mark.why], "where": text[mark.start : mark.end].strip()} for mark in marks]
