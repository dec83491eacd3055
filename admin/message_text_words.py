"""Words for the messages that the portal sends: rooms, readers, placeholders with fictional values, faults, journal."""

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import force_locale, get_locale
from flask_babel import lazy_gettext as _l

from portal.message_texts import writing
from portal.message_texts.checking import Fault
from portal.message_texts.kinds import LINK, Kind

ROOMS: Final[Mapping[str, Any]] = {
    "appointments": _l("Appointments"),
    "preadmission": _l("Pre-admission"),
    "billing": _l("Bills"),
    "documents": _l("Documents"),
    "questionnaires": _l("Questionnaires"),
    "referrals": _l("Referrals"),
    "account": _l("Accounts"),
    "support": _l("User support"),
    "mandates": _l("Mandates"),
    "circle": _l("People around a patient"),
    "professionals": _l("Practitioners"),
    "communities": _l("Communities"),
    "lines": _l("Direct lines"),
    "exchanges": _l("Exchanges"),
    "offer": _l("Directory of the hospitals"),
    "agents": _l("Agents"),
    "portal": _l("The portal"),
}
"""In the order of the page; a room without words comes last, under its code."""
READERS: Final[Mapping[str, Any]] = {
    "patient": _l("Patients"),
    "professional": _l("Practitioners"),
    "staff": _l("Agents"),
    "anybody": _l("Whoever is concerned"),
}
_MOMENT: Final = _l("Monday 5 January 2026 at 09:30, Hospital of the example")
PLACEHOLDERS: Final[Mapping[str, tuple[Any, Any]]] = {
    LINK: (_l("Where the message leads. At the end unless you put it elsewhere."), ""),
    "answer_link": (_l("The page where one says that one comes, without signing in"), "/rdv/exemple"),
    "answer_links": (_l("The pages where one says that one comes, without signing in"), "/rdv/exemple"),
    "appointments": (_l("When and where, one visit a line"), _MOMENT),
    "choices": (_l("The page where one chooses how one is written to"), "/mon-compte/coordonnees"),
    "code": (_l("The code to type"), "K7M2-9PXR"),
    "day": (_l("A day"), _l("5 January 2026")),
    "days": (_l("How many days are left"), "14"),
    "hospital": (_l("The hospital’s name"), _l("Hospital of the example")),
    "place": (_l("The hospital’s name"), _l("Hospital of the example")),
    "number": (_l("A number"), "3"),
    "late": (_l("How many are late"), "2"),
    "soon": (_l("How many are due soon"), "4"),
    "left": (_l("How many codes are left"), "7"),
    "name": (_l("The other system’s name"), _l("Agenda of the example")),
    "agent": (_l("The agent’s name"), "Camille Exemple"),
    "provider": (_l("The way to sign in"), "ProConnect"),
    "reference": (_l("The reference"), "R7K2M9"),
    "when": (_l("When, and at which hospital if that is told"), _MOMENT),
    "words": (_l("What the agent wrote"), _l("Words of an agent.")),
}  # fmt: skip
"""What stands for what: its meaning, and a fictional value; one that begins with a slash is the path of a page."""
FAULTS: Final[Mapping[str, Any]] = {
    "empty": _l("Write something, or use the portal’s own words."),
    "long": _l("Keep to %(detail)s signs."),
    "sign": _l("There is a sign that cannot be sent: type the text again."),
    "brace": _l("A brace stands alone. Placeholders are written {like_this}."),
    "unknown": _l("{%(detail)s} does not exist here."),
    "missing": _l("{%(detail)s} must be in the text: it would be of no use without it."),
    "address": _l("“%(detail)s” reads as the address of a site: readers only follow the link of the portal."),
    "glued": _l("{%(detail)s} is an address: leave a space before and after it."),
    "health": _l("“%(detail)s” may tell of somebody’s health to whoever looks over a shoulder."),
    "parts": _l("It takes %(detail)s text messages: keep to three."),
}
JOURNAL: Final[Mapping[str, Any]] = {
    "message_text.changed": _l("changed the words of a message"),
    "message_text.undone": _l("took back a change in the words of a message"),
    "message_text.restored": _l("gave a message the portal’s own words back"),
    "message_text.tried": _l("sent themselves a message with fictional data"),
}


def said(fault: Fault) -> str:
    """A fault, to whoever wrote the text."""
    return str(FAULTS[fault.code]) % {"detail": fault.detail}


def examples(kind: Kind, language: str) -> dict[str, str]:
    """A fictional value of every placeholder of a message, as somebody who reads that language would have it."""
    with force_locale(language):
        return {name: _example(name) for name in writing.names_of(kind) if name != LINK}


def _example(name: str) -> str:
    value = str(PLACEHOLDERS[name][1]) if name in PLACEHOLDERS else f"« {name} »"
    return writing.address(value) if value.startswith("/") else value


def meanings(kind: Kind) -> list[tuple[str, str]]:
    """The placeholders of a message and what they stand for."""
    unknown = (_l("A value"), "")
    return [(name, str(PLACEHOLDERS.get(name, unknown)[0])) for name in writing.names_of(kind)]


def current_language() -> str:
    """Of the page, as languages are named in texts."""
    return str(get_locale() or "fr").partition("_")[0]
