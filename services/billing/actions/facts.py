"""What the actions of this room say: why something was not done, and what was."""

import hashlib
from dataclasses import dataclass
from uuid import UUID


class UnknownBill(Exception):
    """No such bill for this person, or at this hospital."""


class NotPayable(Exception):
    """The bill cannot be paid online now; `reason` is one of `queries.obstacle`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotClosable(Exception):
    """The bill is not open: money has come in on the portal, or may any minute, or it is closed already."""


@dataclass(frozen=True)
class Started:
    """An attempt on record, and the secret with which its payer's browser comes back."""

    attempt_id: UUID
    return_token: str


@dataclass(frozen=True)
class Silence:
    """A provider told no result. kind: not_yet, dead (nobody can pay this any more), trouble (it could not be
    understood, or refused to say) or left_alone (it failed too often, and was not even asked). code: the provider's
    own, "" when there is none."""

    kind: str = "trouble"
    code: str = ""


def digest(token: str) -> bytes:
    """How a return token is stored."""
    return hashlib.sha256(token.encode()).digest()
