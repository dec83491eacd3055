"""What is explained before each choice, by version. A version that somebody has read stays here for ever.

Each choice has its own legal nature, and says it: information that one may object to for a legitimate reason (Mon
espace santé, CSP R1111-40 and following), a consent that is asked for and can be refused (professionals outside the
care team, CSP L1110-4 III), a consent to messages (GDPR, article 6), a request (the secret of the stay).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import force_locale
from flask_babel import lazy_gettext as _l


@dataclass(frozen=True)
class Explained:
    """One choice as it is explained. nature: what the law makes of it, in a few words."""

    code: str
    title: Any
    nature: Any
    paragraphs: tuple[Any, ...]


@dataclass(frozen=True)
class Version:
    """All that is explained at one time; `code` is the month it was published."""

    code: str
    choices: tuple[Explained, ...]

    @property
    def by_code(self) -> Mapping[str, Explained]:
        return {each.code: each for each in self.choices}

    def digest(self, locale: str) -> bytes:
        """SHA-256 of everything as somebody reads it in this language."""
        with force_locale(locale):
            shown = [str(line) for each in self.choices for line in (each.title, each.nature, *each.paragraphs)]
        return hashlib.sha256("\n".join(shown).encode()).digest()


_FIRST: Final = Version(
    "2026-11",
    (
        Explained(
            "record",
            _l("Mon espace santé"),
            _l("Information: nothing to accept"),
            (
                _l(
                    "After your stay, the hospital sends its letters and results to your Mon espace santé. The law asks"
                    " it to: your agreement is not needed. In Mon espace santé you choose who reads them."
                ),
                _l(
                    "You may object if you have a legitimate reason. The hospital looks at it and answers you. If you"
                    " have no Mon espace santé, nothing is sent."
                ),
            ),
        ),
        Explained(
            "outside_team",
            _l("Your record, outside your care team"),
            _l("Consent: yours to give or refuse"),
            (
                _l(
                    "Those who care for you together share what they need to know: you may object to it by telling"
                    " them. A professional outside this team needs your agreement first."
                ),
                _l("Answering no, or nothing, changes neither your stay nor your care. You can change your mind."),
            ),
        ),
        Explained(
            "messages",
            _l("Practical messages"),
            _l("Consent: yours to give or refuse"),
            (
                _l(
                    "Reminders of your stay and how to prepare it. They never say in which unit you are expected, nor"
                    " anything about your health."
                ),
                _l("Without your agreement we send none. What the file itself needs is still told in your space."),
            ),
        ),
        Explained(
            "secret",
            _l("Secret of your stay"),
            _l("Request: the hospital applies it"),
            (
                _l(
                    "If you ask for it, the switchboard and the reception tell nobody that you are here: neither"
                    " visitors nor those who call, not even your family."
                ),
                _l(
                    "It does not hide your record from those who care for you, nor your stay from your health insurance"
                    " or your mutuelle, which pay for it. To receive nothing at home, tell the admissions office."
                ),
            ),
        ),
    ),
)

PUBLISHED: Final[Mapping[str, Version]] = {each.code: each for each in (_FIRST,)}
IN_FORCE: Final = _FIRST


def versions() -> Sequence[Version]:
    """Every version, the latest first."""
    return sorted(PUBLISHED.values(), key=lambda each: each.code, reverse=True)
