"""Telephone numbers as people type them, and as telephones call them. Pure."""

import re

_SIGNS = re.compile(r"[ .\-/()\u00a0\u202f\u2007]")
_DIALLED = re.compile(r"\+?[0-9]{3,15}", re.ASCII)


class NotANumber(ValueError):
    """No telephone calls this."""


def dialled(written: str) -> str:
    """Digits alone, with their plus sign: `01 99 00 12 10` is 0199001210. Internal numbers are short. Raises
    NotANumber."""
    number = _SIGNS.sub("", written.strip().replace("(0)", ""))
    if not _DIALLED.fullmatch(number):
        raise NotANumber(written)
    return number


def spelled(number: str) -> str:
    """A French number in pairs, as people read it aloud; others as they are."""
    home = re.fullmatch(r"(?:\+33|0)([1-9][0-9]{8})", number, re.ASCII)
    if home is None:
        return number
    digits = f"0{home[1]}"
    return "\u00a0".join(digits[at : at + 2] for at in range(0, 10, 2))
