"""Marks of an identified patient in what members write: communities share knowledge, never somebody's record.

A number of a NIR or an INS whose key is right is certain enough to refuse the text. What only looks like a patient
(a number without its key, the number of a record, a date of birth, a name after « patient ») is told, and the writer
decides. Nothing here keeps a number: what is found is a place in the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from auth.identity.nir import key_of

Kind = Literal["nir", "ins", "suspect"]


class Why(StrEnum):
    """What makes a place of a text look like a patient's."""

    KEY = "key"  # fifteen characters of a NIR, and their key is right
    OID = "oid"  # named as an INS, by its OID or in so many words
    WRONG_KEY = "wrong_key"
    NO_KEY = "no_key"
    RECORD_NUMBER = "record_number"
    BIRTH = "birth"
    NAME = "name"


@dataclass(frozen=True, order=True)
class Found:
    """A place of the text, from `start` to before `end`."""

    start: int
    end: int
    kind: Kind
    why: Why


_SPACES: Final = " \t"
_SEP: Final = rf"[{_SPACES}._/\-]{{0,3}}"
# Sex, year, month, department, commune, order: separators only between them, or tables of figures would be numbers.
# Month: 20 to 42 and 50 to 99 when it is not known. "S1": the field of the number in an INS Datamatrix.
_NIR: Final = re.compile(
    rf"(?:(?<![0-9])|(?<=S1))([1-478]){_SEP}([0-9]{{2}}){_SEP}(0[1-9]|1[0-2]|[23][0-9]|4[0-2]|[5-9][0-9]){_SEP}"
    rf"([0-9]{{2}}|2[ABab]){_SEP}([0-9]{{3}}){_SEP}([0-9]{{3}})(?:{_SEP}(?:cl[ée]\s*:?\s*)?([0-9]{{2}}))?(?![0-9])",
    re.IGNORECASE,
)
_SPREAD: Final = re.compile(r"(?<![0-9])[1-478](?:([ .\-])[0-9AB])(?:\1[0-9AB]){13}(?![0-9])", re.IGNORECASE)
_CUT: Final = re.compile(
    r"(?<![0-9])(?=([1-478][0-9AB]{0,13}-? *[\r\n\f]{1,2} *[0-9AB]{1,14})(?![0-9AB]))", re.IGNORECASE
)
"""A number in one piece that the end of a line cuts anywhere."""
_INS_WORDS: Final = re.compile(
    r"1\.2\.250\.1\.213\.1\.4\.(?:8|9|10|11)(?![0-9])|\bINS\b|identit[ée] nationale de sant[ée]|\bNIA\b"
)
_FORM: Final = re.compile(r"[0-9]{5}(?:[0-9]{2}|2[AB])[0-9]{6}(?:[0-9]{2})?")
_REACH: Final = 60
"""How far from a number, in characters, words make an INS of it."""
_DAY: Final = (
    r"(?:[0-3]?[0-9][/. \-][01]?[0-9][/. \-](?:[12][0-9])?[0-9]{2}|[12][0-9]{3}-[01][0-9]-[0-3][0-9]"
    r"|[0-3]?[0-9](?:er)?\s+(?:janv|f[ée]vr|mars|avr|mai|juin|juil|ao[ûu]t|sept|oct|nov|d[ée]c)[a-zé]{0,6}\.?"
    r"\s+[12][0-9]{3})(?![0-9])"
)
_BIRTH: Final = re.compile(
    rf"\b(?:n[ée](?:e|\(e\)|\.e|·e)?\s+(?:[^\n.;]{{0,40}}?\s)?le\s+|DDN\s*:?\s*|(?:date\s+de\s+)?naissance\s*:?\s*(?:le\s+)?"
    rf"|born\s+(?:on\s+)?){_DAY}",
    re.IGNORECASE,
)
_RECORD: Final = re.compile(
    r"\b(?:IPP|NDA|IEP|NIP|(?:n\s?[°ºo]|num[ée]ro)\s*(?:de\s+|du\s+)?(?:dossier|patient|s[ée]jour|venue)"
    r"|(?:dossier|patiente?|s[ée]jour)\s+(?:patient\s+)?(?:n\s?[°ºo]|num[ée]ro))"
    rf"[{_SPACES}]{{0,3}}[:=#°º]?[{_SPACES}]{{0,3}}[A-Z]{{0,4}}[0-9](?:[{_SPACES}.\-]?[0-9]){{3,}}",
    re.IGNORECASE,
)
_CAPITAL: Final = "A-ZÀ-ÖØ-Þ"
_NAME: Final = re.compile(
    rf"\b[Pp]atiente?\s*:?\s+(?:(?:M\.|MM\.|Mr\.?|Mme\.?|Mlle|Monsieur|Madame)\s+[{_CAPITAL}]"
    rf"|[{_CAPITAL}][^\W\d_]+[\s\-]+[{_CAPITAL}]{{3,}}(?![^\W\d_]))"
)


def found(text: str) -> Sequence[Found]:
    """The marks of an identified patient, in the order of the text; a number is told once."""
    plain, places = _plain(text)
    numbers = [*_numbers(plain)]
    others = [
        Found(each.start(), each.end(), "suspect", why)
        for pattern, why in ((_RECORD, Why.RECORD_NUMBER), (_BIRTH, Why.BIRTH), (_NAME, Why.NAME))
        for each in pattern.finditer(plain)
    ]
    apart = [each for each in others if not any(each.start < n.end and n.start < each.end for n in numbers)]
    return sorted(_placed(mark, places) for mark in [*numbers, *apart])


def refused(marks: Sequence[Found]) -> bool:
    """Whether a text with these marks is not taken at all."""
    return any(mark.kind != "suspect" for mark in marks)


def _numbers(text: str) -> Iterator[Found]:
    """Those whose key is right first, over the end of a line too; columns of figures would be doubts there."""
    taken: list[tuple[int, int]] = []
    joined = re.sub(r"[\r\n\f]", " ", text)
    plainly = ((text, _NIR, 0), (text, _SPREAD, 0))
    certain = [(*each, False) for each in (*plainly, (joined, _NIR, 0), (text, _CUT, 1))]
    for source, pattern, group, may_doubt in (*certain, *((*each, True) for each in plainly)):
        for each in pattern.finditer(source):
            begin, stop = each.span(group)
            if any(begin < end and start < stop for start, end in taken):
                continue
            number = re.sub(r"[^0-9AB]", "", re.sub(r"cl[ée]", "", each[group].upper(), flags=re.IGNORECASE))
            if not may_doubt and not _has_its_key(number):
                continue
            if (mark := _judged(text, begin, stop, number)) is not None:
                taken.append((mark.start, mark.end))
                yield mark


def _judged(text: str, start: int, end: int, number: str) -> Found | None:
    named = _INS_WORDS.search(text, max(0, start - _REACH), min(len(text), end + _REACH)) is not None
    if not _FORM.fullmatch(number):
        return None
    if _has_its_key(number):
        return Found(start, end, "ins" if named else "nir", Why.OID if named else Why.KEY)
    if named:
        return Found(start, end, "ins", Why.OID)
    if len(number) == 15:
        return Found(start, end, "suspect", Why.WRONG_KEY)
    # Thirteen digits are many things (codes of medicines begin with 3400): only numbers of people born here are told.
    return Found(start, end, "suspect", Why.NO_KEY) if number[0] in "12" else None


def _has_its_key(number: str) -> bool:
    return len(number) == 15 and _FORM.fullmatch(number) is not None and key_of(number[:13]) == int(number[13:])


class _Plainly(dict[int, str]):
    """Each sign as it is looked at: digits of any script are 0 to 9, spaces and hyphens one each, and what nobody sees
    (marks of direction, accents of their own, invisible spaces) is not there."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        kind = unicodedata.category(sign)
        if sign.isdigit():
            told = str(unicodedata.digit(sign))
        elif kind in ("Cf", "Mn", "Me"):
            told = ""
        else:
            told = "-" if sign == "\u2212" else {"Zs": " ", "Pd": "-"}.get(kind, sign)
        self[code] = told
        return told


_PLAINLY: Final = _Plainly()


def _plain(text: str) -> tuple[str, Sequence[int]]:
    """The text as it is looked at, and the place of each of its signs in what was typed."""
    plain = text.translate(_PLAINLY)
    if len(plain) == len(text):
        return plain, range(len(text))
    return plain, [place for place, sign in enumerate(text) if _PLAINLY[ord(sign)]]


def _placed(mark: Found, places: Sequence[int]) -> Found:
    return Found(places[mark.start], places[mark.end - 1] + 1, mark.kind, mark.why)
