"""The texts that one agrees to, by version. A new version is a new entry with a new `version`: those who accepted the
former one are asked again at their next sign-in, and their former acceptance stays readable with its own version.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import force_locale
from flask_babel import lazy_gettext as _l

KINDS = ("terms", "charter")


@dataclass(frozen=True)
class Text:
    """One version of one text. version: the month it was published; promise: what the box to tick says."""

    kind: str
    version: str
    title: Any
    paragraphs: tuple[Any, ...]
    promise: Any
    audiences: tuple[str, ...]

    def digest(self, locale: str) -> bytes:
        """SHA-256 of the text as somebody reads it in this language: evidence of what was agreed to."""
        with force_locale(locale):
            shown = "\n\n".join(str(each) for each in (self.title, *self.paragraphs, self.promise))
        return hashlib.sha256(shown.encode()).digest()


_texts: list[Text] = []


def publish(text: Text) -> None:
    """Add a version; the last one published of a kind is the one in force. Published again, it changes nothing."""
    if find(text.kind, text.version) is None:
        _texts.append(text)


def withdraw(text: Text) -> None:
    """Take a version back, as if it had never been published (tests, a version published by mistake)."""
    _texts.remove(text)


def find(kind: str, version: str) -> Text | None:
    return next((each for each in _texts if (each.kind, each.version) == (kind, version)), None)


def in_force(audience: str) -> Sequence[Text]:
    """The current version of each text that this audience agrees to."""
    latest = {each.kind: each for each in _texts}
    return [each for each in latest.values() if audience in each.audiences]


publish(
    Text(
        "terms",
        "2026-11",
        _l("Terms of use"),
        (
            _l(
                "This portal lets you deal with the public hospitals of the group: book, prepare a stay, pay, read what"
                " they send you. It is free. Everything it does can also be done by phone or at the desk."
            ),
            _l(
                "It is not made for emergencies. In an emergency, call 15 or 112 (114 by text message if you cannot"
                " hear or speak)."
            ),
            _l(
                "You always sign in as yourself. To act for somebody else, you need a mandate, which is shown on every"
                " page and written in their file. Do not lend your access."
            ),
            _l(
                "What you send must be true and yours to send. Who opens a file is written down, and the person whose"
                " file it is can read it in their account."
            ),
            _l(
                "Your data is used to organise your care and its administration, and for nothing else. In My account"
                " you can read it, take a copy away, ask for corrections, and close your sessions."
            ),
        ),
        _l("I have read the terms of use and I accept them"),
        ("patient", "professional"),
    )
)
publish(
    Text(
        "charter",
        "2026-11",
        _l("Charter of those who work with the portal"),
        (
            _l(
                "What you read here is covered by professional secrecy (public health code, article L. 1110-4). You"
                " open a file only when the care or the administration of that person needs it."
            ),
            _l(
                "Your access is yours alone: you do not lend it, and you close your session when you leave the screen."
                " On a shared computer, sign out."
            ),
            _l(
                "Each opening is written down with your name, and the hospital and the person whose file it is can read"
                " it. Access in an emergency is reviewed every time."
            ),
            _l("You tell your hospital at once about a lost device, a mistaken sending, or a surprising access."),
        ),
        _l("I have read the charter and I will keep to it"),
        ("professional", "staff"),
    )
)
