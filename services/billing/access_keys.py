"""What opens a bill to a payer without an account, kept as keyed digests: whoever has the database alone cannot try
keys, and a key read in one place opens no other bill."""

import re
from datetime import date

from auth.identity import sealing

SHORTEST = 8
"""Letters and digits of a key: 8 of 32 signs are 40 bits."""


def plain(key: str) -> str:
    """The key without what makes it easy to read on paper."""
    bare = key.upper()
    return bare if bare.isascii() and bare.isalnum() else re.sub("[^A-Z0-9]", "", bare)


def digest_of_key(reference: str, key: str) -> bytes:
    """How the key printed on the letter of a bill is stored."""
    return digests_of_key(reference, key)[0]


def digests_of_key(reference: str, key: str) -> tuple[bytes, ...]:
    """The same under each of the portal's secrets, the one that signs first."""
    return sealing.digests("bill access key", f"{reference}\n{plain(key)}")


def digest_of_birth(reference: str, day: date) -> bytes:
    """How the patient's day of birth is stored beside a bill whose letter bears no key."""
    return digests_of_birth(reference, day)[0]


def digests_of_birth(reference: str, day: date) -> tuple[bytes, ...]:
    """The same under each of the portal's secrets, the one that signs first."""
    return sealing.digests("bill birth day", f"{reference}\n{day.isoformat()}")
