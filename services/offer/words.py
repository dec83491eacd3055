"""Words that people type, compared with those of the directory: without accents or case, and with a typo. Pure."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import lru_cache

_APART = re.compile(r"[^a-z0-9]+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss"})
_EMPTY = frozenset(
    (
        "a", "au", "aux", "avec", "chez", "d", "de", "des", "du", "en", "et", "l", "la", "le", "les", "ou", "par",
        "pour", "sur", "un", "une", "the", "of", "for", "and", "in",
    )
)  # fmt: skip
_ONE_TYPO_FROM, _TWO_TYPOS_FROM = 4, 9
_LONGEST = 40


@lru_cache(maxsize=20_000)
def folded(text: str) -> str:
    """`L’Hôpital-Cœur` → `l hopital coeur`."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LIGATURES))
    return _APART.sub(" ", "".join(sign for sign in plain if not unicodedata.combining(sign))).strip()


def asked(text: str) -> list[str]:
    """What somebody looks for, word by word; little words count only when there is nothing else."""
    words = [word[:_LONGEST] for word in folded(text).split()][:12]
    return [word for word in words if word not in _EMPTY] or words


def words_of(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word for text in texts for word in folded(text).split())


def slug(text: str) -> str:
    """For an address: `Cardiologie – Bât. B` → `cardiologie-bat-b`; never empty."""
    return folded(text).replace(" ", "-")[:80].strip("-") or "page"


def nearest(word: str, among: Collection[str]) -> int | None:
    """How well one word is found: 0 it is there, or begins one that is; 1 or 2, so many typos away; None, it is not."""
    if word in among or any(known.startswith(word) for known in among):
        return 0
    allowed = (len(word) >= _ONE_TYPO_FROM) + (len(word) >= _TWO_TYPOS_FROM)
    found = [
        typos for known in among if allowed and (typos := _typos(word, known, allowed)) is not None
    ]  # fmt: skip
    return min(found, default=None)


@lru_cache(maxsize=50_000)
def _typos(word: str, known: str, allowed: int) -> int | None:
    """Typos between a word and the beginning of another; None beyond what is allowed. The first letter is right."""
    if word[:1] != known[:1] or len(known) < _ONE_TYPO_FROM:
        return None
    ends = range(max(1, len(word) - allowed), min(len(known), len(word) + allowed) + 1)
    tried = {known, *(known[:end] for end in ends)} if len(word) >= 6 else {known}
    found = min((distance(word, each) for each in tried if abs(len(each) - len(word)) <= allowed), default=allowed + 1)
    return found if found <= allowed else None


def distance(one: str, other: str) -> int:
    """Letters added, dropped, changed or swapped with the next one (optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, sign in enumerate(one, start=1):
        row = [i]
        for j, against in enumerate(other, start=1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (sign != against))
            if i > 1 and j > 1 and sign == other[j - 2] and one[i - 2] == against:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
