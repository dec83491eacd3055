"""The beneficiary number (NIR, décret 2019-341): sealed in its column, found by a blind index, shown masked.

Fifteen characters: sex, year and month of birth, department (2A and 2B in Corsica), commune, order, and a key of two
digits, 97 minus the number modulo 97, where 2A counts as 19 and 2B as 18.
"""

import re
from typing import Final

from auth.identity import sealing
from auth.models import Patient

_FORM: Final = re.compile(r"[1-478][0-9]{4}(?:2[AB]|[0-9]{2})[0-9]{8}", re.ASCII)
_PURPOSE: Final = "nir"
_GROUPS: Final = (1, 2, 2, 2, 3, 3, 2)


class NotANir(Exception):
    """Not fifteen characters of a NIR, or a wrong key."""


def parse(typed: str) -> str:
    """The number as it is kept, from what somebody typed with spaces, dots or hyphens. Raises NotANir."""
    number = re.sub(r"[\s.\-\u00a0\u202f]", "", typed).upper()
    if not _FORM.fullmatch(number) or key_of(number[:13]) != int(number[13:]):
        raise NotANir
    return number


def key_of(number: str) -> int:
    """The key of the first thirteen characters."""
    return 97 - int(number.replace("2A", "19").replace("2B", "18")) % 97


def masked(number: str) -> str:
    """What a screen shows: 2 79 03 •• ••• ••• ••, the rest is asked for with a reason."""
    return " ".join(group if place < 3 else "•" * len(group) for place, group in enumerate(_groups(number)))


def spelled(number: str) -> str:
    """The whole number, in the groups people know."""
    return " ".join(_groups(number))


def write(patient: Patient, typed: str) -> None:
    """Seal the number in the patient's row, "" takes it away. Raises NotANir."""
    number = parse(typed) if typed.strip() else ""
    patient.nir_sealed = sealing.seal(_PURPOSE, number) if number else None
    patient.nir_index = index(number) if number else None


def index(number: str) -> bytes:
    """What the number is found by, without opening any."""
    return sealing.digest(_PURPOSE, number)


def index_of(sealed: bytes) -> bytes:
    """What a sealed number is found by. Raises as `sealing.open_`."""
    return index(sealing.open_(_PURPOSE, sealed))


def sealed_anew(sealed: bytes) -> bytes:
    """The same number under the current key. Raises as `sealing.open_`."""
    return sealing.seal(_PURPOSE, sealing.open_(_PURPOSE, sealed))


def number_of(patient: Patient) -> str:
    """The number in clear, "" when there is none: to be masked, or revealed by an action that says so."""
    return sealing.open_(_PURPOSE, patient.nir_sealed) if patient.nir_sealed else ""


def _groups(number: str) -> list[str]:
    groups, start = [], 0
    for size in _GROUPS:
        groups.append(number[start : start + size])
        start += size
    return groups
