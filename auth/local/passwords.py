"""Passwords of local accounts: never alone, long, not obvious, kept as a scrypt digest."""

import re
from collections.abc import Iterable

from werkzeug.security import check_password_hash, generate_password_hash

from auth.local import known_passwords

SHORTEST = 12
LONGEST = 200
_FEWEST_CHARACTERS = 6
_METHOD = "scrypt:32768:8:3"
"""N, r, p: 32 MiB and three passes, one of the settings that OWASP's password storage cheat sheet gives."""
_OBVIOUS = (
    "motdepasse", "azertyuiop", "qwertyuiop", "administrateur", "administrator", "abcdefghijkl", "password", "passw0rd",
    "azerty", "qwerty", "bonjour", "soleil", "doudou", "jetaime", "chocolat", "marseille", "hopital", "hôpital",
    "patient", "docteur", "medecin", "médecin", "sante", "santé", "loulou", "admin", "parvis", "welcome", "letmein",
    "iloveyou", "123456789", "987654321", "12345", "secret",
)  # fmt: skip
_NOBODYS = f"{_METHOD}$uMs6PCui0oFkXY5g$" + (
    "206668b63f5d4053f021fa7382b1c1b0ed5c516be8399fe888c2d34424651d61"
    "ba0a3f1a4d95ee8199d6651d294630e35d632148b0e928b53a31d30d034e38d7"
)
"""A digest to compare with when nobody has the name: the time taken is the same. Made once, since making it is slow."""


def hashed(password: str) -> str:
    return generate_password_hash(password, _METHOD)


def matches(hash_or_none: str | None, password: str) -> bool:
    """Whether the password is the right one; takes as long when there is none to compare with."""
    held = check_password_hash(hash_or_none or _NOBODYS, password[:LONGEST])
    return held and hash_or_none is not None


def weakness(password: str, personal: Iterable[str] = ()) -> str:
    """Why a password is refused: `short`, `long`, `simple`, `personal`, `obvious`, `common`, `leaked`; "" when it is
    good.

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
    if len(rest) < len(typed) and len(letters) < _FEWEST_CHARACTERS:
        return "obvious"
    return known_passwords.known(password)
