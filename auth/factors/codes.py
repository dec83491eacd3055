"""Codes that people copy: six digits that were sent to them, and those of the sheet they keep."""

import secrets
from datetime import timedelta

LIFE = timedelta(minutes=10)
MOST_TRIES = 5
SHEET = 10
_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without 0 and O, 1, I and L: they are copied from paper."""


def six_digits() -> str:
    return f"{secrets.randbelow(1_000_000):06d}"


def for_paper(groups: int = 2) -> str:
    """A code to print, such as `7KQM-2XHD`; about 20 bits a group."""
    return with_dashes("".join(secrets.choice(_LETTERS) for _position in range(4 * groups)))


def spelled(number: int) -> str:
    """A number as eight letters to copy, such as `7KQM-2XHD`: what differs stays different below 31 to the eighth."""
    letters = ""
    for _position in range(8):
        number, position = divmod(number, len(_LETTERS))
        letters += _LETTERS[position]
    return with_dashes(letters)


def with_dashes(letters: str) -> str:
    """Letters in groups of four, as we print them."""
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def digits_of(typed: str) -> str:
    """The code in what somebody typed: spaces and dashes do not count."""
    return "".join(character for character in typed if character.isdecimal() and character.isascii())


def letters_of(typed: str) -> str:
    """A printed code in what somebody typed, in one spelling whatever the case, the spaces and the dashes."""
    return "".join(character for character in typed.upper() if character in _LETTERS)


def readable_number(number: str) -> str:
    """A telephone number as people write it: `06 12 34 56 78` for a French one, as it is otherwise."""
    if not (number.startswith("+33") and len(number) == 12):
        return number
    national = f"0{number[3:]}"
    return " ".join(national[start : start + 2] for start in range(0, 10, 2))


def masked_number(number: str) -> str:
    """A telephone number as its owner recognises it: `•• •• •• 12 34`."""
    return f"•• •• •• {number[-4:-2]} {number[-2:]}"


def masked_address(address: str) -> str:
    """A mail address as its owner recognises it: `j••••@exemple.test`."""
    name, _at, host = address.partition("@")
    return f"{name[:1]}••••@{host}"
