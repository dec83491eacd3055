"""What the twin can be told to do wrong, and where."""

from dataclasses import dataclass, field, fields
from enum import StrEnum

from portal.gateways.mssante.twin.certificates import Paper


class Point(StrEnum):
    """A moment of a conversation. By its name: just before the twin answers, except where told."""

    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    HANDSHAKE = "handshake"  # said yes to STARTTLS, and no TLS follows
    EHLO_AGAIN = "ehlo_again"  # once encrypted
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    IN_DATA = "in_data"  # some of the text was read
    BEFORE_TAKING = "before_taking"  # the final dot was read, and nothing done of it
    AFTER_TAKING = "after_taking"  # it took charge of the mail, and does not say
    QUIT = "quit"
    IMAP_GREETING = "imap_greeting"
    IMAP_CAPABILITY = "imap_capability"
    IMAP_STARTTLS = "imap_starttls"
    IMAP_HANDSHAKE = "imap_handshake"
    IMAP_LOGIN = "imap_login"
    IMAP_SELECT = "imap_select"
    IMAP_SEARCH = "imap_search"
    IMAP_SIZES = "imap_sizes"
    IMAP_FETCH = "imap_fetch"
    IMAP_IN_LITERAL = "imap_in_literal"  # some of the mail was sent
    IMAP_BEFORE_STORE = "imap_before_store"
    IMAP_AFTER_STORE = "imap_after_store"  # marked, and not said
    IMAP_LOGOUT = "imap_logout"


@dataclass
class Faults:
    """Set any of these at any time; `clear()` returns to good health. `times` limits what happens at a point, and
    `after` lets that many pass first."""

    down: bool = False  # hangs up on everybody
    cut_at: Point | None = None
    slow_at: Point | None = None  # answers, `slow_seconds` late
    slow_seconds: float = 5.0
    silent_at: Point | None = None  # says nothing more, and keeps the line
    drip_at: Point | None = None  # answers, a byte now and then
    drip_seconds: float = 0.6
    times: int | None = None
    after: int = 0
    answers: dict[Point, str] = field(default_factory=dict)  # says this instead of doing what was asked
    paper: Paper = Paper.GOOD
    no_starttls: bool = False
    weak_ciphers: bool = False  # TLS without forward secrecy
    told_size: int | None = None  # RFC822.SIZE of every mail
    tells_sizes: bool = True
    gives_nothing: bool = False  # FETCH of a mail says OK, and no mail
    ignores_partial: bool = False  # gives whole mails when asked for a part
    validity_drifts: bool = False  # another UIDVALIDITY each time a box is opened
    keeps_keywords: bool = True
    tells_uidnext: bool = True

    def strikes(self, fault: str, point: Point) -> bool:
        """Whether `cut_at`, `slow_at`, `silent_at` or `drip_at` falls here; counts it."""
        if getattr(self, fault) is not point or self.times == 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def clear(self) -> None:
        for setting in fields(Faults):
            setattr(self, setting.name, getattr(Faults(), setting.name))
