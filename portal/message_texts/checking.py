"""What a hospital may write in a message: every fault is said at once. Pure, but for the words of the sample."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from portal.message_texts import placeholders, telephone, writing
from portal.message_texts.kinds import LINK, TEXT, Kind
from portal.message_texts.models import LONGEST_BODY, LONGEST_SUBJECT, MOST_PARTS
from portal.message_texts.writing import Words

_ADDRESS: Final = re.compile(r"(?i)\b(?:https?|ftp|mailto|tel|javascript|data):|\bwww\.")
# What programs make a link of by themselves: a name with a top-level domain, after any of the dots of IDNA (RFC 3490,
# 3.1); an address of mail is none.
_SITE: Final = re.compile(r"[\w}-][.\u3002\uff0e\uff61](?:[^\W\d_]{2,}|xn--[\w-]+)(?!\w)")
_MAIL: Final = re.compile(r"[^\W\d_][\w.+-]{0,63}@[\w.-]{1,200}\w")
# What a telephone shows to whoever looks over a shoulder must not tell of anybody's health: beginnings of words,
# folded, in the four languages. A help for authors, not a proof.
HEALTH: Final = (
    "accouche", "addict", "alcool", "anesthes", "anxiet", "autis", "avort", "biops", "cancer", "cardio",
    "chimio", "chirurg", "coloscop", "dement", "depress", "diabet", "diagnos", "dialyse", "endoscop", "enceinte",
    "epileps", "fertilit", "geriatr", "grossesse", "gynecolog", "hemato", "hepat", "infecti",
    "maternit", "medicament", "mammograph", "neurolog", "obstetr", "oncolog", "ophtalm", "ordonnance",
    "orthoped", "palliati", "patholog", "pediatr", "pneumolog", "pregnan", "prescript", "psych", "radiolog",
    "radiotherap", "resultat", "rhumatolog", "scanner", "schizo", "sclerose", "suicid", "surger", "symptom",
    "therap", "toxico", "transfus", "transplant", "tumeur", "tumor", "urolog", "venerien",
    "cirug", "embaraz", "enfermedad", "medicin", "quirurg", "سرطان", "جراح", "حمل", "مرض", "نفسي",
)  # fmt: skip
_WHOLE: Final = frozenset(("hiv", "irm", "ivg", "mri", "sida", "aids", "vih"))
"""Short ones, which begin words of another meaning."""
_JOINING: Final = frozenset("\u200c\u200d\u200e\u200f\u061c")
"""Signs without a form of their own that Arabic writing needs; the others hide what is between two letters."""
_WORDS: Final = re.compile(r"\w+")


@dataclass(frozen=True)
class Fault:
    """code: what is wrong, put in words by the screens; detail: of what. in_subject: it is in the subject."""

    code: str
    detail: str = ""
    in_subject: bool = False


class Unsafe(Exception):
    """The text may not be sent. faults: all that is wrong with it."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(", ".join(f"{each.code} {each.detail}".strip() for each in faults))
        self.faults = faults


def tidy(words: Words) -> Words:
    """As it is kept: one kind of end of line, no space at the ends, no more than one empty line."""
    body = "\n".join(line.rstrip() for line in words.body.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return Words(" ".join(words.subject.split()), re.sub(r"\n{3,}", "\n\n", body).strip())


def check(kind: Kind, words: Words, examples: Mapping[str, str]) -> None:
    """examples: a fictional value of every placeholder, to count the signs of a text message. Raises Unsafe."""
    faults = list(_faults(kind, words, examples))
    if faults:
        raise Unsafe(faults)


def _faults(kind: Kind, words: Words, examples: Mapping[str, str]) -> Iterator[Fault]:
    allowed = writing.names_of(kind)
    if kind.channel != TEXT:
        yield from _of_text(words.subject, LONGEST_SUBJECT, allowed, in_subject=True)
    found = list(_of_text(words.body, LONGEST_BODY, allowed))
    yield from found
    for name in placeholders.glued(words.body):
        if name == LINK or _ADDRESS.match(examples.get(name, "")):
            yield Fault("glued", name)
    for name in kind.required:
        if name not in placeholders.names(words.body):
            yield Fault("missing", name)
    if kind.channel == TEXT and not found:
        parts = parts_of(kind, words, examples)
        if parts > MOST_PARTS:
            yield Fault("parts", str(parts))


def _of_text(text: str, longest: int, allowed: Collection[str], *, in_subject: bool = False) -> Iterator[Fault]:
    if not text:
        yield Fault("empty", in_subject=in_subject)
    if len(text) > longest:
        yield Fault("long", str(longest), in_subject)
    if any(_is_odd(sign) for sign in text):
        yield Fault("sign", in_subject=in_subject)
    if placeholders.has_stray_brace(text):
        yield Fault("brace", in_subject=in_subject)
    for name in placeholders.names(text):
        if name not in allowed or (in_subject and name == LINK):
            yield Fault("unknown", name, in_subject)
    for site in addresses(text):
        yield Fault("address", site, in_subject)
    for word in health_words(text):
        yield Fault("health", word, in_subject)


def _is_odd(sign: str) -> bool:
    """What no mail carries, what nobody sees, or what turns the text around it; spaces that may not break are French
    typography."""
    if sign == "\n" or sign in _JOINING:
        return False
    return unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def addresses(text: str) -> list[str]:
    """What a program of mail or a telephone would let its reader follow, as it is written, each once."""
    found = (each.strip(".,;:!?()«»\"'") for each in text.split())
    return list(dict.fromkeys(each[:60] for each in found if _is_address(each)))


def _is_address(word: str) -> bool:
    return bool(_ADDRESS.search(word) or (_SITE.search(word) and not _MAIL.fullmatch(word)))


def health_words(text: str) -> list[str]:
    """The words of a text that may tell of somebody's health, as they are written, each once."""
    return list(dict.fromkeys(word for word in _WORDS.findall(text) if _tells_of_health(_folded(word))))


def _tells_of_health(word: str) -> bool:
    return word in _WHOLE or word.startswith(HEALTH)


def _folded(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.lower().replace("œ", "oe"))
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


def parts_of(kind: Kind, words: Words, examples: Mapping[str, str]) -> int:
    """How many text messages an operator counts, with fictional values."""
    return telephone.parts(telephone.plain(shown(kind, words, examples).body))


def shown(kind: Kind, words: Words, examples: Mapping[str, str]) -> Words:
    """The message as somebody fictional would read it. Raises placeholders.Unusable."""
    return writing.filled(words, examples, writing.path_of(kind))
