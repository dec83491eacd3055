"""Formats of PayFiP's fields, checked before anything leaves the house.

Refusals carry PayFiP's own codes (guide, annex 1), so that a caller treats a field refused here and one refused
there alike. Sources: recorded exchanges of public integrations.
"""

import re
import unicodedata
from urllib.parse import urlsplit

from portal.gateways.payments.contract import Mode
from portal.gateways.payments.payfip_codes import refusal

MIN_CENTS = 100
MAX_CENTS = 9_999_999
MAX_SUBJECT = 100

_REFDET = re.compile(r"[A-Za-z0-9]{6,30}", re.ASCII)
_NUMCLI = re.compile(r"[0-9]{6}", re.ASCII)
_EXER = re.compile(r"[0-9]{4}", re.ASCII)
_IDOP = re.compile(r"[A-Za-z0-9-]{8,64}", re.ASCII)
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)
_URL = re.compile(r"[!-~]{1,249}", re.ASCII)  # printable ASCII: anything else belongs percent-encoded
_LIGATURES = str.maketrans({"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss"})


def amount(cents: int) -> str:
    """`montant`: whole cents, from 1 EUR to 99 999.99 EUR. Refused with M1, M3, M5."""
    if not isinstance(cents, int) or isinstance(cents, bool):
        raise refusal("M1")
    if cents < MIN_CENTS:
        raise refusal("M3")
    if cents > MAX_CENTS:
        raise refusal("M5")
    return str(cents)


def refdet(reference: str) -> str:
    """`refdet`: the bill's own reference, 6 to 30 letters and digits. Refused with R3."""
    return _checked(_REFDET, reference, "R3")


def numcli(number: str) -> str:
    """`numcli`: the six digits DGFiP gave to a budget or a regie. Refused with T1."""
    return _checked(_NUMCLI, number, "T1")


def exer(year: str) -> str:
    """`exer`: four digits. PayFiP's own code for a wrong one is not public: refused with "exer"."""
    return _checked(_EXER, year, "exer")


def mode(value: Mode) -> str:
    """`saisie`: test, activation or production. Refused with S1, since a setting may hold anything."""
    if value not in set(Mode):
        raise refusal("S1")
    return str(value)


def idop(operation: str) -> str:
    """`idOp`: an opaque name, a UUID in every recorded exchange. Refused with P1: such a one cannot exist."""
    return _checked(_IDOP, operation, "P1")


def email(address: str) -> str:
    """`mel`: 6 to 80 characters. Refused with A1 (missing) or A2 (wrong)."""
    if not address:
        raise refusal("A1")
    if not 6 <= len(address) <= 80:
        raise refusal("A2")
    return _checked(_EMAIL, address, "A2")


def url(address: str, code: str) -> str:
    """`urlnotif` and `urlredirect`: http or https, under 250 characters. Refused with `code` (N1 or D1)."""
    _checked(_URL, address, code)
    try:
        parts = urlsplit(address)
    except ValueError:
        raise refusal(code) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise refusal(code)
    return address


def subject(text: str) -> str:
    """`objet`: folded to [A-Za-z0-9 ] and 100 characters. Never put a care or patient word in it."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_LIGATURES))
    unaccented = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join(re.findall(r"[A-Za-z0-9]+", unaccented))[:MAX_SUBJECT].strip()


def _checked(pattern: re.Pattern[str], value: str, code: str) -> str:
    if not pattern.fullmatch(value):
        raise refusal(code)
    return value
