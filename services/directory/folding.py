"""Words without accents, case or punctuation: what people type is not spelt as the directory spells it. Pure."""

import re
import unicodedata
from functools import lru_cache

_APART = re.compile(r"[^a-z0-9]+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "’": "'"})


@lru_cache(maxsize=20_000)
def key(text: str) -> str:
    """`D’ALMEIDA-Çelik` → `dalmeida celik`: an apostrophe joins, everything else that is no letter separates."""
    lowered = unicodedata.normalize("NFKD", text.lower().translate(_LIGATURES))
    plain = "".join(letter for letter in lowered if not unicodedata.combining(letter)).replace("'", "")
    return _APART.sub(" ", plain).strip()


def column(text: str) -> str:
    """A column's name, however a year's files spell it: `Libellé Voie (coord. Structure)` → `libelle voie coord
    structure`."""
    return key(text.replace("'", " ").replace("’", " ").removeprefix("\ufeff"))
