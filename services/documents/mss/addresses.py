"""Addresses of mailboxes, and those of citizens: ``<15 characters of the INS>@patient.mssante.fr``."""

from __future__ import annotations

import re
from typing import Final

from services.documents.mss.facts import BadAddress

CITIZENS: Final = "patient.mssante.fr"
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_NUMBER: Final = re.compile(r"[0-9]{5}(?:[0-9]{2}|2[AB])[0-9]{8}")
_IN_BRACKETS: Final = re.compile(r"<([^<>\s]{3,254})>")
_ASIDE: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\((?:[^()\\]|\\.)*\)', re.DOTALL)  # words and comments (RFC 5322, 3.2)
_BARE: Final = re.compile(r"[^\s<>\"(),;:]{1,64}@[^\s<>\"(),;:]{1,190}")


def checked(address: str) -> str:
    """Return an address that can stand in an envelope and in a header. Raises `BadAddress`."""
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        raise BadAddress(address[:254])
    return address


def of_citizen(number: str) -> str:
    """Write the address of the person with this INS. Raises `BadAddress` when it cannot be an INS."""
    if not _NUMBER.fullmatch(number.upper()):
        raise BadAddress(f"@{CITIZENS}")
    return f"{number.lower()}@{CITIZENS}"


def is_citizen(address: str) -> bool:
    return address.lower().rpartition("@")[2] == CITIZENS


def citizen_number(address: str) -> str:
    """Return the INS in a citizen's address, in capitals (Corsican ones have a letter); empty for any other address."""
    local, _, domain = address.rpartition("@")
    is_one = domain.lower() == CITIZENS and _NUMBER.fullmatch(local.upper())
    return local.upper() if is_one else ""


def read(header: str) -> tuple[str, str]:
    """Return the first address of a header, in small letters, and the label before it; empty when there is none.

    The label is what the sender's operator wrote: it proves nothing, and what looks like an address in it is none.
    """
    said = _without_words(header)
    found = _IN_BRACKETS.search(said)
    if found and "@" in found[1]:
        return found[1].lower(), " ".join(header[: found.start()].replace('"', " ").split())
    bare = _BARE.search(said)
    return (bare[0].lower(), "") if bare else ("", "")


def author(headers: tuple[str, ...]) -> tuple[str, str]:
    """Return the address and the label of From, as `read`; nothing when it may name several: operators answer for one
    of them, and nobody knows which."""
    said = _without_words(headers[0]) if len(headers) == 1 else ""
    before, bracket, after = said.partition("<")
    if len(all_of(said)) > 1 and (not bracket or "," in before or "@" in after.partition(">")[2]):
        return "", ""
    address, label = read(headers[0]) if said else ("", "")
    return (address, label) if address in after.lower() or not bracket else ("", "")


def _without_words(header: str) -> str:
    """A header with blanks instead of what is quoted and of comments."""
    return _ASIDE.sub(lambda found: " " * len(found[0]), header)


def all_of(header: str) -> tuple[str, ...]:
    """List the addresses of a header with several, in small letters, at most a hundred."""
    return tuple(dict.fromkeys(found[0].lower() for found in list(_BARE.finditer(header))[:100]))
