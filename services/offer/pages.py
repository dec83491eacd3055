"""Addresses of the directory's pages: readable words, then a code that never changes. Pure.

The words may change with the name, and old addresses still lead there. A practitioner's address has no name in it.
"""

import re
from base64 import b32decode, b32encode
from uuid import UUID

from portal.establishments import Establishment, Practitioner, Site, Unit
from services.offer.models import Activity
from services.offer.words import slug

_FINESS = r"[0-9][0-9AB][0-9]{7}"
_CODES = {
    "establishment": re.compile(rf"(?:.*-)?(?P<finess>{_FINESS})", re.ASCII),
    "site": re.compile(rf"(?:.*-)?(?P<finess>{_FINESS})", re.ASCII),
    "unit": re.compile(rf"(?:.*-)?(?P<finess>{_FINESS})-(?P<uf>[^/]{{1,40}})", re.ASCII),
    "activity": re.compile(r"(?:.*-)?(?P<code>[a-z0-9]{1,40})", re.ASCII),
    "practitioner": re.compile(r"(?:.*-)?(?P<code>[a-z2-7]{26})", re.ASCII),
}


class NoSuchPage(ValueError):
    """Not an address that we give."""


def of_establishment(one: Establishment) -> str:
    return f"{slug(one.name)}-{one.finess}"


def of_site(one: Site) -> str:
    return f"{slug(f'{one.name} {one.town}')}-{one.finess_et}"


def of_unit(one: Unit) -> str:
    return f"{slug(one.name)}-{one.establishment.finess}-{one.uf}"


def of_activity(one: Activity) -> str:
    return f"{slug(one.name)}-{one.code}"


def of_practitioner(one: Practitioner) -> str:
    return f"{slug(one.speciality)}-{short(one.id)}"


def codes(kind: str, text: str) -> dict[str, str]:
    """What an address names: finess, uf, code. Raises NoSuchPage."""
    found = _CODES[kind].fullmatch(text)
    if found is None or "\0" in text:
        raise NoSuchPage(text[:64])
    return found.groupdict()


def short(key: UUID) -> str:
    """A key in 26 signs."""
    return b32encode(key.bytes).decode().rstrip("=").lower()


def long(text: str) -> UUID:
    """The key again. Raises NoSuchPage."""
    try:
        return UUID(bytes=b32decode(text.upper() + "======"))
    except ValueError as error:
        raise NoSuchPage(text[:64]) from error
