"""Passwords of local accounts: never alone, long, not obvious, kept as a scrypt digest."""

import re
from collections.abc import Iterable

from werkzeug.security import check_password_hash, generate_password_hash

SHORTEST = 12
LONGEST = 200
_FEWEST_CHARACTERS = 6
_METHOD = "scrypt:32768:8:1"
_OBVIOUS = (
    "motdepasse", "azertyuiop", "qwertyuiop", "administrateur", "administrator", "abcdefghijkl", "password", "passw0rd",
    "azerty", "qwerty", "bonjour", "soleil", "doudou", "jetaime", "chocolat", "marseille", "hopital", "hôpital",
    "patient", "docteur", "medecin", "médecin", "sante", "santé", "loulou", "admin", "parvis", "welcome", "letmein",
    "iloveyou", "123456789", "987654321", "12345", "secret",
)  # fmt: skip
_NOBODYS = generate_password_hash("the password of nobody at all", _METHOD)
"""Compared with when nobody has the name: the time taken is the same."""


def hashed(password: str) -> str:
    return generate_password_hash(password, _METHOD)


def matches(hash_or_none: str | None, password: str) -> bool:
    """Whether the password is the right one; takes as long when there is none to compare with."""
    held = check_password_hash(hash_or_none or _NOBODYS, password[:LONGEST])
    return held and hash_or_none is not None


def weakness(password: str, personal: Iterable[str] = ()) -> str:
    """Why a password is refused: `short`, `long`, `simple`, `personal`, `obvious`; "" when it is good.

    personal: names, identifiers and addresses of the person, which others know too.
    """
    if len(password) < SHORTEST:
        return "short"
    if len(password) > LONGEST:
        return "long"
    if len(set(password.casefold())) < _FEWEST_CHARACTERS:
        return "simple"
    typed = password.casefold()
    if any(word in typed for text in personal for word in re.findall(r"\w{4,}", text.casefold())):
        return "personal"
    rest = typed
    for word in _OBVIOUS:
        rest = rest.replace(word, "")
    letters = re.sub(r"[\W\d_]", "", rest)
    return "obvious" if len(rest) < len(typed) and len(letters) < _FEWEST_CHARACTERS else ""
