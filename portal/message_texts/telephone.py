"""The length of a text message, as operators count it (3GPP TS 23.038): one part of 160 signs of the GSM alphabet, or
of 70 otherwise; several parts lose seven or three signs each to what joins them."""

import unicodedata
from collections.abc import Iterable
from typing import Final

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("^{}\\[~]|€\f")
"""Two signs each."""
_PLAIN: Final = {
    "’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "-", "…": "...", "œ": "oe", "Œ": "OE",
    "\u00a0": " ", "\u202f": " ", "\u2009": " ",
}  # fmt: skip


def plain(text: str) -> str:
    """The same text in the GSM alphabet when that only costs accents and typography; otherwise as it is."""
    folded = "".join(_fold(sign) for sign in unicodedata.normalize("NFC", text))
    return folded if is_gsm(folded) else text


def is_gsm(text: str) -> bool:
    return all(sign in _BASIC or sign in _EXTENDED for sign in text)


def parts(text: str) -> int:
    """How many messages an operator counts for this text."""
    if is_gsm(text):
        length, alone, joined = sum(2 if sign in _EXTENDED else 1 for sign in text), 160, 153
    else:
        length, alone, joined = len(text.encode("utf-16-be")) // 2, 70, 67
    return 1 if length <= alone else -(-length // joined)


def shortest_of(texts: Iterable[str]) -> str:
    """The first text that fits in one part, in the order given; else the one that takes the fewest."""
    made = [plain(text) for text in texts]
    return next((text for text in made if parts(text) == 1), min(made, key=parts))


def _fold(sign: str) -> str:
    if sign in _BASIC or sign in _EXTENDED:
        return sign
    if sign in _PLAIN:
        return _PLAIN[sign]
    base = "".join(each for each in unicodedata.normalize("NFD", sign) if not unicodedata.combining(each))
    return base if base and is_gsm(base) else sign
