"""A page with the facts of a document above its words: what a unit typed, or what a structured document says.

In French, whoever reads: these are hospitals' documents (languageCode fr-FR), with the labels of the national lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from portal.pdf import Sheet

MAX_CHARACTERS: Final = 300_000  # a hundred pages


class CannotCopy(Exception):
    """Nothing whole that people could read can be made of this."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What stands above the words (ECO.2.1.5). written_at: in the hospital's time. names: as they are to be read."""

    title: str
    type_label: str
    written_at: datetime
    author: str
    organization: str
    patient: str
    first_names: str = ""
    birth_on: date | None = None
    number: str = ""
    version: int = 1


@dataclass(frozen=True)
class Archived:
    """A PDF that claims to be PDF/A-1b. is_whole: every sign of the words could be printed."""

    data: bytes
    is_whole: bool


def letter(facts: Facts, text: str) -> Archived:
    """Write what somebody typed as a letter, the same bytes each time. Paragraphs are separated by empty lines.

    Raises `CannotCopy` for a text longer than `MAX_CHARACTERS`.
    """
    if len(text) > MAX_CHARACTERS:
        raise CannotCopy
    sheet = begun(facts)
    paragraphs(sheet, text)
    return Archived(sheet.written(), sheet.is_whole)


def begun(facts: Facts) -> Sheet:
    """Begin a sheet with the facts of a document."""
    sheet = Sheet(facts.title, "fr", facts.written_at, archive=True)
    sheet.heading(facts.title)
    sheet.facts([(label, value) for label, value in _rows(facts) if value])
    sheet.rule()
    return sheet


def _rows(facts: Facts) -> Sequence[tuple[str, str]]:
    born = facts.birth_on.strftime("%d/%m/%Y") if facts.birth_on else ""
    at = facts.written_at
    return (
        ("Patient", facts.patient),
        ("Prénoms de naissance", facts.first_names),
        ("Date de naissance", born),
        ("Matricule INS", facts.number),
        ("Type de document", facts.type_label),
        ("Date", f"{at:%d/%m/%Y} à {at:%H:%M}"),
        ("Auteur", facts.author),
        ("Établissement", facts.organization),
        ("Version", str(facts.version) if facts.version > 1 else ""),
    )


def paragraphs(sheet: Sheet, text: str) -> None:
    for paragraph in text.replace("\r\n", "\n").split("\n\n"):
        if paragraph.strip():
            sheet.say(paragraph.strip("\n"))
            sheet.ln(2)
