"""What is signed, by version. A version that somebody signed stays here for ever: it can be shown again.

The words of an act are composed for one person, then kept with the signature as they were read.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import force_locale
from flask_babel import lazy_gettext as _l


@dataclass(frozen=True)
class Act:
    """One version of one act. paragraphs: with `%(name)s` places. promise: what the box to tick says."""

    kind: str
    version: str
    title: Any
    paragraphs: tuple[Any, ...]
    promise: Any

    def words(self, facts: Mapping[str, str], locale: str) -> str:
        """The whole text in this language, a paragraph a line, the promise last."""
        with force_locale(locale):
            lines = [str(each) for each in (self.title, *self.paragraphs, self.promise)]
        return "\n".join(line % facts for line in lines)


def digest(words: str) -> bytes:
    """SHA-256 of the very text that was read."""
    return hashlib.sha256(words.encode()).digest()


OPERATION: Final = Act(
    "operation",
    "2026-11",
    _l("Authorisation to operate on a minor"),
    (
        _l("Child: %(patient)s, born on %(born)s."),
        _l("Hospital: %(place)s. Planned day: %(day)s."),
        _l("I hold parental authority over this child. My name: %(signer)s."),
        _l(
            "I authorise the operation and the anaesthesia that the doctors of this hospital have explained to the"
            " family, and whatever act the operation makes necessary for the child’s health."
        ),
        _l(
            "I can take this authorisation back until the operation, here or by calling the hospital. In an emergency,"
            " the doctors act without waiting for a signature."
        ),
    ),
    _l("I have read this text and I authorise the operation"),
)
DESIGNATION: Final = Act(
    "designation",
    "2026-11",
    _l("Naming of a person of trust"),
    (
        _l("I, %(patient)s, born on %(born)s, name as my “personne de confiance”: %(signer)s."),
        _l(
            "If I can no longer say what I want, the doctors ask this person what I would have wanted. Their word comes"
            " before that of my family and friends. They may come with me to my appointments, if I wish."
        ),
        _l("I can change my mind at any time, in writing. Public health code, article L1111-6."),
    ),
    _l("I name this person"),
)
ACCEPTANCE: Final = Act(
    "acceptance",
    "2026-11",
    _l("Acceptance as person of trust"),
    (
        _l("%(patient)s names you as “personne de confiance”. Your name: %(signer)s."),
        _l(
            "If this person can no longer say what they want, the doctors ask you what they would have wanted: their"
            " wishes, not yours. You do not decide in their place, and you do not get their medical record."
        ),
        _l("You may refuse, now or later. Public health code, article L1111-6."),
    ),
    _l("I am an adult, I have read this text and I accept"),
)
ACTS: Final[Mapping[str, Act]] = {"holder": OPERATION, "trust": ACCEPTANCE}
"""Role → what that companion signs."""
PUBLISHED: Final[Mapping[tuple[str, str], Act]] = {
    (each.kind, each.version): each for each in (OPERATION, DESIGNATION, ACCEPTANCE)
}
