"""What of a comment may tell of somebody's health or identity: rules, without any network nor model.

They find what an agent must look at; they never let anything through by themselves.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

HEALTH, NUMBER, CONTACT, NAME = "health", "number", "contact", "name"
KINDS: Final = (HEALTH, NUMBER, CONTACT, NAME)
GAP: Final = "[…]"


@dataclass(frozen=True, order=True)
class Span:
    """From `start` to `end` (not included), and why it is marked."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Piece:
    """A part of a text in reading order; kind: "" when nothing was found there."""

    text: str
    kind: str = ""


def spans(text: str) -> list[Span]:
    """What is found, in reading order, without overlap: the longest of those that begin at one place."""
    found = sorted(_found(text), key=lambda span: (span.start, -span.end, KINDS.index(span.kind)))
    kept: list[Span] = []
    for span in found:
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
        elif span.end > kept[-1].end:
            kept.append(Span(kept[-1].end, span.end, span.kind))
    return kept


def flags(text: str) -> list[str]:
    """The kinds found, in the order of KINDS."""
    found = {span.kind for span in _found(text)}
    return [kind for kind in KINDS if kind in found]


def pieces(text: str) -> list[Piece]:
    """The whole text, cut where something is found."""
    marks = spans(text)
    bounds = [(span.start, span.end, span.kind) for span in marks]
    plain = pairwise([0, *(bound for start, end, _kind in bounds for bound in (start, end)), len(text)])
    edges = [(start, end, "") for start, end in list(plain)[::2]]
    return [Piece(text[start:end], kind) for start, end, kind in sorted([*edges, *bounds]) if start < end]


def masked(text: str) -> str:
    """The text with a gap in the place of each thing found."""
    return re.sub(rf"{re.escape(GAP)}(\W{{0,2}}{re.escape(GAP)})+", GAP, "".join(
        GAP if piece.kind else piece.text for piece in pieces(text)
    ))  # fmt: skip


def is_cut_from(original: str, words: str) -> bool:
    """Whether these words are the person's own with passages left out, gaps in their place: an agent adds nothing."""
    at, source = 0, _even(original)
    if not _even(words.replace(GAP, "")):
        return False
    if _even(words) == _even(masked(original)):
        return True
    marked = {bound for span in spans(source) for bound in (span.start, span.end)}
    for part in (each for each in map(_even, words.split(GAP)) if each):
        found = source.find(part, at)
        while found >= 0 and any(_splits(source, edge) for edge in {found, found + len(part)} - marked):
            found = source.find(part, found + 1)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _splits(source: str, at: int) -> bool:
    """Whether this place is inside a word: of pieces of words, an agent could write anything."""
    return 0 < at < len(source) and source[at - 1].isalnum() and source[at].isalnum()


def _even(text: str) -> str:
    """White space, which browsers change (CRLF), counts for nothing."""
    return " ".join(text.split())


def _found(text: str) -> Iterator[Span]:
    folded = _fold(text)
    for kind, pattern, source in (
        (HEALTH, _HEALTH, folded), (CONTACT, _CONTACT, folded), (NUMBER, _NUMBER, folded), (NAME, _TITLED, text),
        (NAME, _CAPITALS, text), (NAME, _SHOUTED, text),
    ):  # fmt: skip
        for match in pattern.finditer(source):
            if kind != NAME or match.group().casefold() not in _NOT_NAMES:
                yield Span(match.start(), match.end(), kind)


def _fold(text: str) -> str:
    """Lower case without accents, letter for letter: places stay the same."""
    return "".join(_folded_letter(letter) for letter in text)


def _folded_letter(letter: str) -> str:
    first = unicodedata.normalize("NFKD", letter)[:1].lower()
    return first if len(first) == 1 else letter


# Beginnings of words, folded, in the four languages of the portal where they differ.
_STEMS: Final = (
    "allerg", "alzheimer", "amput", "anesthes", "anestes", "angine", "angoiss", "antibio", "antidepress", "anxie",
    "arthr", "asthm", "avc", "autis", "autist", "biops", "bipol", "burn.?out", "c(?:œ|oe|o)ur", "cancer", "cardia",
    "cardio", "cesarienne", "chimio", "chemo", "chirurg", "surger", "cirugia", "cholest", "cirrhos", "coloscop",
    "covid", "demen", "depress", "depresi", "dermato", "diabet", "diagnos", "dialys", "douleur", "dolor", "pain",
    "drepano", "drogue", "drug", "eczema", "embol", "enceinte", "pregnan", "embaraz", "endometr", "epilep", "fausse",
    "fievre", "fever", "fiebre", "fractur", "gastro", "genou", "glaucom", "greffe", "grossesse", "gynec", "hanche",
    "hemato", "hemorr", "hepat", "hernie", "hiv", "hypert", "hysterect", "ictus", "immuno", "infarct", "infect",
    "insulin", "irm", "ivg", "avortement", "abort", "kyste", "leuc", "leuk", "lithium", "lupus", "lymph", "malad",
    "disease", "enferm", "malaise", "medicament", "medicati", "melanom", "mening", "menopaus", "metasta", "migrain",
    "morphin", "mucovisc", "neurol", "obes", "oncolog", "operation", "opere", "operad", "osteo", "ovair", "paludi",
    "parkinson", "patholog", "pneumo", "polyp", "prostate", "prothes", "psoria", "psych", "psiq", "radiothe", "rein",
    "renal", "rhumat", "sarcom", "schizo", "scler", "sciati", "seropos", "sida", "sperm", "suicid", "symptom",
    "sintoma", "syndrom", "tabac", "tension", "thrombo", "thyroi", "traitement", "treatment", "tratamiento",
    "toxico", "transplant", "tubercul", "tumeur", "tumor", "ulcer", "urolog", "uterus", "vaccin", "vih",
    "scanner", "echograph", "mammograph", "radiograph", "sein", "foie", "poumon", "intestin", "colon",
)  # fmt: skip
_ARABIC: Final = "سرطان|سكري|مرض|حمل|جراح|اكتئاب"
_HEALTH: Final = re.compile(rf"(?<!\w)(?:{'|'.join(_STEMS)})\w*|[\u0600-\u06ff]*(?:{_ARABIC})[\u0600-\u06ff]*")
_CONTACT: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){0,5}|(?:https?://|www\.)\S+")
# Four digits or more with what people put between them; two numbers with a stroke, as days are written.
_NUMBER: Final = re.compile(r"\+?\d(?:[ .\u00a0\u202f/-]{0,2}\d){3,}|\d{1,2}/\d{1,2}")
_UPPER: Final = "A-ZÀ-ÖØ-Þ"
_LOWER: Final = "a-zß-öø-ÿœ"
_WORD: Final = rf"[{_UPPER}][{_LOWER}{_UPPER}'’-]+"
_TITLED: Final = re.compile(
    rf"\b(?:[Dd]r|[Dd]octeure?|DR|[Pp]r|[Pp]rofesseure?|[Mm]me|MME|[Mm]adame|[Mm]lle|[Mm]onsieur|M\.|Mr|Mrs|Ms|[Ss]ra?|"
    rf"[Dd]oña|[Ii]nfirmi(?:er|ère)|[Ss]ecrétaire)\.?\s+{_WORD}(?:[ -]{_WORD})*"
)
_CAPITALS: Final = re.compile(rf"\b{_WORD}(?:[ -]{_WORD})+")
_SHOUTED: Final = re.compile(rf"\b[{_UPPER}]{{3,}}(?:[-'’][{_UPPER}]+)*\b")
_NOT_NAMES: Final = frozenset(
    {"pdf", "sms", "ght", "chu", "ins", "sos", "mon espace santé", "espace santé", "carte vitale", "pro santé connect",
     "franceconnect", "bravo", "merci", "super", "nul", "très", "trop", "bien", "pas", "non", "oui"}
)  # fmt: skip
