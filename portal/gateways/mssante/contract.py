"""What a door to an MSSanté operator does: it submits mails for one box, and brings those that wait in it.

The operator is reached as its client software (référentiel socle MSSanté 2, "clients de messageries" 1.0.1: SMTP and
IMAP with STARTTLS). A box is an address and the way in; the door keeps neither.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from portal.gateways import Refused, Unavailable


class TooLarge(Refused):
    """The operator takes no mail of this size (SIZE, RFC 1870). limit: bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__("552", f"mails of this operator hold {limit} bytes at most")
        self.limit = limit


class NotLetIn(Refused):
    """The operator does not let this box in: a wrong or ended secret, a closed box. It says nothing of any mail."""

    def __init__(self, code: str) -> None:
        super().__init__(code, "the operator does not let this box in")


class NobodyTaken(Refused):
    """The operator takes none of the recipients: nothing was sent. refused: recipient → code."""

    def __init__(self, refused: Mapping[str, str]) -> None:
        super().__init__(next(iter(refused.values()), "503"), "the operator takes none of the recipients")
        self.refused = dict(refused)


class Untrusted(Unavailable):
    """What answers cannot prove that it is the operator (certificate): nothing was said to it."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box and how its operator lets us in. secret: a Pro Santé Connect access token or a password, never kept."""

    address: str
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Submission:
    """A mail as it leaves. recipients: the envelope's, which the headers need not name."""

    recipients: Sequence[str]
    raw: bytes
    asks_delivery: bool = False
    """Whether the operators are asked to tell of the delivery too, not of failures alone (DSN, RFC 3461)."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What the operator took charge of. refused: recipient → its SMTP code, for those it does not take.

    A code is `550`, or `550 5.1.1` with the enhanced one (RFC 3463); one that begins with 4 may pass later. `553 5.1.3`
    is also ours, for what is no address.
    """

    refused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A mail that waits in a box. size: bytes, as the operator tells. raw: None when it is larger than what we read."""

    uid: int
    size: int
    raw: bytes | None


@dataclass(frozen=True, slots=True)
class Place:
    """How far a box has been read: IMAP's UIDVALIDITY and the last UID. A new validity numbers everything anew."""

    validity: int = 0
    uid: int = 0


class Reading(Protocol):
    """A box that is open."""

    @property
    def place(self) -> Place:
        """Its validity now; the uid from which it is read: 0 when the validity is a new one."""

    def waiting(self, limit: int) -> Iterator[Waiting]:
        """At most `limit` mails after the place that nobody took yet, the oldest first, one at a time in memory.

        Where the operator keeps no keywords every mail after the place comes, read by somebody or not: a mail may come
        twice, none is passed over. Raises `Unavailable` between two mails; those that came may be marked later.
        """

    def mark(self, uids: Sequence[int]) -> None:
        """Say that these were taken; to call once what was done with them is committed. Never deletes.

        Raises `Refused` (the box cannot be written), `Unavailable`.
        """


class Operator(Protocol):
    """An operator of secure mail, for one way in. Every call may raise `Unavailable`, `Untrusted` and `NotLetIn`."""

    def size_limit(self, box: Box) -> int | None:
        """The most bytes of a mail, as announced; None when nothing is announced."""

    def submit(self, box: Box, mail: Submission) -> Submitted:
        """Hand a mail over, to at least one of its recipients. Raises `TooLarge`, `NobodyTaken`, `Refused` (the mail
        itself), `Unavailable` (nobody has it), `OutcomeUnknown` (the line was cut after the last byte)."""

    def read(self, box: Box, after: Place) -> AbstractContextManager[Reading]:
        """Open a box, to read it from a place. One that is left by an exception is closed without a word."""

    def check(self, box: Box | None) -> None:
        """Return if the operator answers and proves who it is, by SMTP and IMAP; and lets the box in when given."""
