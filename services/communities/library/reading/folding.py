"""Words as they are searched: without accents, case or punctuation, the same in a document and in a question. Pure.

The database then takes their stems. Feminine participles lose an e before (`hospitalisée` → `hospitalise`): without
their accents, the stemmer would not know them from nouns.
"""

import re
import unicodedata
from typing import Final

MOST_INDEXED: Final = 400_000
"""Characters of one document that are searched: more would not fit in a tsvector (1 MB)."""
_LONGEST: Final = 40
_LETTERS: Final = str.maketrans(
    {"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "’": "'", "\u00ad": "", "\u200b": ""}
)
_INITIALS: Final = re.compile(r"\b(?:[a-z]\.){2,}[a-z]?\b\.?")
_BROKEN: Final = re.compile(r"(?<=[^\W\d_]{2})-\n(?=[^\W\d_]{2})")
_WORD: Final = re.compile(r"[a-z0-9]+")
_PARTICIPLE: Final = re.compile(r"(?<=[a-z]{2}e)e(s?)$")
_SPELT: Final = re.compile(r"[^\W\d_]{4,30}")
_ELIDED: Final = re.compile(r"\b(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu)'")
EMPTY: Final = frozenset(
    """
    a ai as au aux avec c ce ces cet cette comment d dans de des devant du elle en est et ete etre eux faire faut fait
    il ils j je l la le les leur leurs m mais meme n ne nos notre nous on ou par pas pour qu quand que quel quelle
    quelles quels qui quoi s sa sans se ses si son sont sur t ta te tes toi ton tu un une vos votre vous y
    """.split()  # noqa: SIM905 - one word a line would be a page
)
"""Words that find nothing: of a question as people type it too."""


def words(text: str) -> list[str]:
    """The words of a text, in their order. `l'œdème` → `oedeme`; `B.P.C.O.` → `bpco`."""
    joined = _BROKEN.sub("", text).lower().translate(_LETTERS)
    decomposed = unicodedata.normalize("NFKD", joined)
    plain = "".join(each for each in decomposed if not unicodedata.combining(each))
    plain = _INITIALS.sub(lambda found: found.group().replace(".", "") + " ", _ELIDED.sub("", plain))
    return [_PARTICIPLE.sub(r"\1", word) for word in _WORD.findall(plain) if len(word) <= _LONGEST]


def key(text: str) -> str:
    """The same, as one text."""
    return " ".join(words(text[:MOST_INDEXED]))


def spellings(text: str) -> dict[str, str]:
    """Each folded word of a text that somebody could mistype, and how it is spelt there; no figures."""
    found: dict[str, str] = {}
    # An accented spelling is a better teacher than one in capitals without: it comes last.
    for spelt in sorted(set(_SPELT.findall(text[:MOST_INDEXED].lower())), key=lambda word: (not word.isascii(), word)):
        folded = words(spelt)
        if len(folded) == 1 and folded[0] not in EMPTY:
            found[folded[0]] = spelt
    return found


def asked(text: str, most: int = 10) -> list[str]:
    """What is looked for in a question: its words without those that find nothing, unless there are no others."""
    every = list(dict.fromkeys(words(text[:300])))
    telling = [word for word in every if word not in EMPTY]
    return (telling or every)[:most]
