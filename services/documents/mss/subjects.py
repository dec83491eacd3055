"""Subjects and file names of mails that carry health documents (MSSanté référentiel 2, ECO.2.1.3 and ECO.2.1.6).

``XDM/1.0/DDM+<label> <NAME> <first name> <day of birth>``: other software sorts by these words, so they are the
national ones, in French, without accents, and cut as the rule says.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final

PREFIX: Final = "XDM/1.0/DDM+"
REPLACES: Final = "[Annule et remplace]"
NOT_TAKEN: Final = "[KO Intégration système !]"
CLOSED: Final = "[FIN]"
_LONGEST_LABEL: Final = 40
_UNACCENTED: Final = str.maketrans(
    {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d",
     "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "ı": "i", "’": "'", "‘": "'", "ʼ": "'", "–": "-", "—": "-",
     "‐": "-", "‑": "-"}
)  # fmt: skip
_READ: Final = re.compile(
    r"(?P<ko>\[KO Int[^\]]{0,40}\]\s{0,5}(?:\[(?P<code>[0-9]{1,4})\]\s{0,5})?)?"
    r"(?P<replaces>\[Annule et remplace\]\s{0,5})?"
    r"(?:XDM/1\.[0-9]/DDM\s{0,5}\+\s{0,5})?",
    re.IGNORECASE,
)
_ANSWERS: Final = re.compile(r"(?:(?:re|tr|fw|fwd|réf)\s{0,3}:\s{0,5}){0,20}", re.IGNORECASE)


@dataclass(frozen=True)
class Traits:
    """Whom a mail is about, as its subject and its files name the person. names: of the birth record."""

    birth_name: str
    first_name: str
    birth_on: date | None = None


@dataclass(frozen=True)
class Subject:
    """A subject taken apart. shown: without the words meant for software (UX.28); raw: as it came."""

    raw: str
    shown: str
    has_package: bool
    replaces: bool
    refused_code: str
    is_closing: bool


def unaccented(text: str) -> str:
    """Write words with the letters of ASCII: no accents, no sign that a name of the trust space cannot have."""
    plain = unicodedata.normalize("NFKD", text.translate(_UNACCENTED))
    return " ".join("".join(sign for sign in plain if " " <= sign <= "~").split())


def written(label: str, count: int, traits: Traits, *, replaces: bool = False) -> str:
    """Write the subject of a mail with `count` documents; label: the national name of the type of the only one."""
    said = f"{count} documents" if count > 1 else short_label(label)
    born = traits.birth_on.strftime("%d/%m/%Y") if traits.birth_on else ""
    words = (PREFIX + said, unaccented(traits.birth_name).upper(), unaccented(traits.first_name), born)
    return f"{REPLACES} " * replaces + " ".join(filter(None, words))


def short_label(label: str) -> str:
    """Cut the label of a type to 40 characters."""
    return unaccented(label)[:_LONGEST_LABEL].strip()


def pdf_name(label: str, traits: Traits, act_on: date, number: str = "") -> str:
    """Name the copy of a document for people: day of the act, type, name, first name, and the file's number if any."""
    words = (short_label(label), unaccented(traits.birth_name).upper(), unaccented(traits.first_name))
    parts = (act_on.strftime("%Y%m%d"), *map(_for_file, words), _for_file(unaccented(number)))
    return "_".join(filter(None, parts)) + ".pdf"


def file_name(name: str) -> str:
    """Write the name of a plain file with the letters of ASCII, keeping its ending."""
    stem, dot, ending = unaccented(name).rpartition(".")
    return f"{_for_file(stem) or 'document'}.{_for_file(ending)}" if dot else _for_file(ending) or "document"


def _for_file(word: str) -> str:
    """Leave out what no file system takes, and the sign that separates the parts of a name."""
    return re.sub(r'[\\/:*?"<>|_;%]+', " ", word).strip(" .")[:80]


def read(raw: str) -> Subject:
    """Take a subject apart; any words are a subject."""
    said = " ".join(raw.split())
    found = _READ.match(said, _ANSWERS.match(said).end())  # type: ignore[union-attr]  # it matches nothing too
    assert found is not None
    return Subject(
        raw=raw,
        shown=said[found.end() :].strip() or said,
        has_package="DDM" in found[0].upper(),
        replaces=bool(found["replaces"]),
        refused_code=found["code"] or "",
        is_closing=said.upper() == CLOSED,
    )
