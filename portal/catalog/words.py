"""Texts that hospitals write in several languages. French is always there; another language falls back to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LANGUAGES: Final[Mapping[str, str]] = {"fr": "Français", "en": "English", "es": "Español", "ar": "العربية"}
"""Those in which the front desk's own texts may be written, each in its own words."""
FIRST: Final = "fr"
RIGHT_TO_LEFT: Final = frozenset({"ar"})

Texts = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Said:
    """Words, and the language that they are in: the page says so when it speaks another one."""

    text: str
    language: str

    @property
    def direction(self) -> str:
        return "rtl" if self.language in RIGHT_TO_LEFT else "ltr"

    def __str__(self) -> str:
        return self.text

    def __bool__(self) -> bool:
        return bool(self.text)


def said(texts: Texts, part: str, language: str) -> Said:
    """One part in this language, in French otherwise; empty when nobody wrote it."""
    for code in (language, FIRST):
        if words := texts.get(code, {}).get(part, ""):
            return Said(words, code)
    return Said("", language)


def kept(texts: Texts) -> dict[str, dict[str, str]]:
    """The same without what is empty."""
    cleaned = {code: {part: words.strip() for part, words in parts.items() if words.strip()}
               for code, parts in texts.items() if code in LANGUAGES}  # fmt: skip
    return {code: parts for code, parts in cleaned.items() if parts}


def written(texts: Texts) -> list[str]:
    """The languages in which something is said."""
    return [code for code in LANGUAGES if texts.get(code)]
