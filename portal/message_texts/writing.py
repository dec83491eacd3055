"""From a kind of message, or a Mail, to the words that leave: the hospital's when it wrote some, ours otherwise."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog
from flask_babel import force_locale

from portal.message_texts import placeholders, queries
from portal.message_texts.kinds import LINK, Kind, Mail
from portal.message_texts.placeholders import Unusable

log = structlog.get_logger(__name__)
_ADDRESS_OF_PLACEHOLDER: Final = re.compile(r"\S*/\{([a-z_]+)\}")


@dataclass
class _Site:
    base_url: str = ""


_site = _Site()


@dataclass(frozen=True)
class Words:
    """subject: "" for a text message. body: paragraphs between empty lines."""

    subject: str
    body: str


def stand_at(base_url: str) -> None:
    """The portal's own address, without a slash at its end."""
    _site.base_url = base_url


def address(path: str) -> str:
    """The whole address of a page, as messages give it."""
    return f"{_site.base_url}{path}"


def defaults(kind: Kind, language: str) -> Words:
    """The portal's own words, with placeholders."""
    with force_locale(language):
        made = kind.sample()
        if isinstance(made, Mail):
            return Words(_tidy(str(made.subject)), _tidy("\n\n".join(map(str, made.paragraphs))))
        subject, body = ("", made) if isinstance(made, str) else made
        if kind.path not in ("", "/"):
            body = body.replace(address(kind.path), f"{{{LINK}}}")
        return Words(_tidy(subject), _tidy(body))


def _tidy(text: str) -> str:
    """An address whose path is a placeholder is that placeholder."""
    return _ADDRESS_OF_PLACEHOLDER.sub(r"{\1}", text)


def names_of(kind: Kind) -> list[str]:
    """The placeholders that a hospital may use in a kind of message."""
    own = defaults(kind, "en")
    return list(dict.fromkeys([*placeholders.names(f"{own.subject}\n{own.body}"), *kind.required, LINK]))


def path_of(kind: Kind) -> str:
    """Where a message of this kind leads, in its sample."""
    made = kind.sample()
    return made.path if isinstance(made, Mail) else kind.path


# -- what leaves ---------------------------------------------------------------------------------------------------


def written(mail: Mail, language: str, establishment_id: UUID | None = None) -> Words:
    """The words of a mail, its link at the end. establishment_id: the hospital in whose name it is sent, if any."""
    own = chosen(mail.code, establishment_id, language, mail.values, mail.path) if establishment_id else None
    if own is not None:
        return own
    with force_locale(language):
        lines = [*map(str, mail.paragraphs), address(mail.path)]
        return Words(str(mail.subject), "\n\n".join(lines))


def chosen(
    code: str, establishment_id: UUID | None, language: str, values: Mapping[str, Any], path: str
) -> Words | None:
    """What the hospital wrote for this kind of message in this language, with its values; None: our own words are
    used. A text that cannot be used is our fault or an old version's, never a reason not to write to somebody."""
    found = queries.in_use(establishment_id, code, language) if establishment_id and code else None
    if found is None:
        return None
    try:
        with force_locale(language):
            told = {name: str(value) for name, value in values.items()}
        return filled(Words(found.subject, found.body), told, path)
    except Unusable as unusable:
        log.warning("message_text.unusable", kind=code, language=language, placeholder=str(unusable))
        return None


def filled(words: Words, values: Mapping[str, str], path: str) -> Words:
    """With its values, and the link: where it was put, or at the end. Raises Unusable: nothing would be left of it, or
    it has a placeholder that has no value here."""
    link = address(path)
    told = {**values, LINK: link}
    body, subject = placeholders.fill(words.body, told), placeholders.fill_line(words.subject, told)
    if not body or bool(words.subject) != bool(subject):
        raise Unusable("")
    if LINK not in placeholders.names(placeholders.kept(words.body, told)):  # another address may begin as it does
        body = f"{body}\n\n{link}" if words.subject else f"{body} {link}"
    return Words(subject, body)
