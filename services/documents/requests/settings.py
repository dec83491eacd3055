"""What each hospital chooses about requests: which kinds are open, its contacts, its delays, its words."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from portal import establishments
from services.documents.requests.clock import Term
from services.documents.requests.kinds import ALL, Kind

PREFIX: Final = "requests."
KEYS: Final = ("closed", "contact", "mailbox", "certificate_days", "complaint_days", "identity", "copy_cost", "signer")
"""closed: kinds that one may not ask for online, by commas. contact: how to reach the office, as applicants read it.
mailbox: where the office hears that something waits. identity: how well a sign-in must know somebody for no identity
document to be asked (`substantial`, or `two_factors`). copy_cost: what copies and their sending cost, in words. signer:
who signs certificates, as they print it."""
LONGEST_DAYS: Final = 90
IDENTITY_LEVELS: Final = ("substantial", "two_factors")


class BadSetting(ValueError):
    """A value that would not be obeyed."""


@dataclass(frozen=True)
class Choices:
    """A hospital's settings, read once for a page."""

    values: Mapping[str, str]

    def of(self, key: str) -> str:
        return self.values.get(f"{PREFIX}{key}", "")

    @property
    def closed(self) -> frozenset[str]:
        return frozenset(filter(None, self.of("closed").split(",")))

    @property
    def identity(self) -> str:
        return self.of("identity") or "substantial"

    def is_open(self, kind: Kind) -> bool:
        return kind.code not in self.closed

    def term(self, kind: Kind, *, is_old: bool = False) -> Term:
        """How long this hospital has for such a request. The law's terms are nobody's to change."""
        if is_old and kind.old_term:
            return kind.old_term
        chosen = self.of(kind.setting.removeprefix(PREFIX)) if kind.setting else ""
        return replace(kind.term, count=int(chosen)) if chosen else kind.term


def of(establishment_id: UUID) -> Choices:
    """What this hospital chose."""
    return Choices(establishments.settings(establishment_id, [f"{PREFIX}{key}" for key in KEYS]))


def check_setting(key: str, value: str) -> bool:
    """Raises BadSetting; none of them is a secret."""
    if not key.startswith(PREFIX):
        return False
    name = key.removeprefix(PREFIX)
    if name not in KEYS:
        raise BadSetting(key)
    if (
        name.endswith("_days")
        and value
        and not (value.isascii() and value.isdecimal() and 1 <= int(value) <= LONGEST_DAYS)
    ):
        raise BadSetting(f"{key}: from 1 to {LONGEST_DAYS} days")
    if name == "closed" and not set(filter(None, value.split(","))) <= {kind.code for kind in ALL}:
        raise BadSetting(f"{key}: of {', '.join(kind.code for kind in ALL)}")
    if name == "identity" and value not in ("", *IDENTITY_LEVELS):
        raise BadSetting(f"{key}: one of {', '.join(IDENTITY_LEVELS)}")
    return False
