"""Words as they are searched: without accents, case or punctuation, the same in a document and in a question."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

MOST_WORDS: Final = 20_000  # of one document: more is no letter
_LONGEST: Final = 40
_LETTERS: Final = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "’": "'"})
_WORD: Final = re.compile(r"[a-z0-9]+")


def words(text: str) -> list[str]:
    """The words of a text in their order, each once. A letter alone is an elision (`l'`), and no word."""
    decomposed = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS))
    plain = "".join(each for each in decomposed if not unicodedata.combining(each))
    return list(dict.fromkeys(each for each in _WORD.findall(plain) if _is_one(each)))


def of_texts(texts: Iterable[str]) -> list[str]:
    """The words of several texts, no more than MOST_WORDS."""
    found: dict[str, None] = {}
    for text in texts:
        found |= dict.fromkeys(words(text))
        if len(found) > MOST_WORDS:
            break
    return list(found)[:MOST_WORDS]


def _is_one(word: str) -> bool:
    return 1 < len(word) <= _LONGEST or word.isdigit()
