"""Boxes of the twin: their mails, their ways in, and the habits of those whom nobody sits behind."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

Raw = bytes | Callable[[int], bytes]


class Kind(StrEnum):
    """What an address is: the types of boxes, and citizens of Mon espace santé."""

    PER = "PER"
    ORG = "ORG"
    APP = "APP"
    CITIZEN = "citizen"


class Receipt(StrEnum):
    """What a correspondent's software sends back when asked (RFC 8098, volet trans-cda-mss)."""

    NONE = ""
    READ = "read"
    PROCESSED = "processed"
    KO = "ko"  # processed/error, and the reason in a field of its own (1.1.3)
    KO_OLD = "ko_old"  # the reason inside Disposition, as before


@dataclass
class Habits:
    """What a correspondent does with a mail that comes."""

    receipt: Receipt = Receipt.NONE
    away: str = ""  # an automatic answer, as RFC 3834 wants it
    answers: str = ""  # a text, and the package it got or `package`
    package: bytes = b""
    loops: bool = False  # answers everything, automatic or not, and says nothing of being automatic


@dataclass
class Mail:
    """raw: the mail, or what makes it from its uid when somebody asks."""

    uid: int
    raw: Raw
    flags: set[str] = field(default_factory=set)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def content(self) -> bytes:
        return self.raw if isinstance(self.raw, bytes) else self.raw(self.uid)


@dataclass
class TwinBox:
    """A box. limit: bytes of a mail that it takes; None: the operator's own. holder: SubjectNameID of a person."""

    address: str
    kind: Kind = Kind.ORG
    password: str = field(default="", repr=False)
    habits: Habits = field(default_factory=Habits)
    closed: bool = False
    is_away: bool = False  # its operator does not answer: mails wait for `PostOffice.release`
    limit: int | None = None
    holder: str = ""
    validity: int = field(default_factory=lambda: int(time.time()))  # mails are numbered anew at each start
    mails: list[Mail] = field(default_factory=list)
    next_uid: int = 1
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def put(self, raw: Raw) -> Mail:
        with self._lock:
            mail = Mail(self.next_uid, raw)
            self.mails.append(mail)
            self.next_uid += 1
            return mail

    def fill(self, count: int, make: Callable[[int], bytes]) -> None:
        """`count` mails more, each made when somebody reads it."""
        for _ in range(count):
            self.put(make)

    def renumber(self) -> None:
        """As after a repair: another UIDVALIDITY, and every mail numbered anew."""
        with self._lock:
            self.validity += 1
            for uid, mail in enumerate(self.mails, start=1):
                mail.uid = uid
            self.next_uid = len(self.mails) + 1

    def now(self) -> list[Mail]:
        """Its mails at this moment."""
        with self._lock:
            return list(self.mails)

    def contents(self) -> Iterable[bytes]:
        return [mail.content for mail in self.now()]
