"""Why a mail is not written or not read."""

from enum import StrEnum


class MailReason(StrEnum):
    """Why a mail that came cannot be read."""

    TOO_LARGE = "too_large"
    NOT_A_MAIL = "not_a_mail"  # no header that a mail has
    HEADERS = "headers"  # more or longer ones than any mail needs
    TOO_DEEP = "too_deep"  # parts in parts in parts
    TOO_MANY_PARTS = "too_many_parts"
    TOO_MANY_ATTACHMENTS = "too_many_attachments"


class MailUnreadable(Exception):
    """Nothing of this mail is taken."""

    def __init__(self, reason: MailReason) -> None:
        super().__init__(reason)
        self.reason = reason


class CannotSend(Exception):
    """A mail that would break the rules is not written; the class says which rule."""


class BadAddress(CannotSend):
    """Not an address that a mail can go to or come from."""

    def __init__(self, address: str) -> None:
        super().__init__("not an address of a mailbox")
        self.address = address


class CitizenNotQualified(CannotSend):
    """A citizen's box is written to from a qualified INS alone, and from that person's (ECO.2.2.6)."""


class MailTooLarge(CannotSend):
    """It has more bytes than the box of a citizen holds. size, limit: bytes."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"{size} bytes, {limit} at most")
        self.size = size
        self.limit = limit


class BadHeader(CannotSend):
    """A value that would say more than one header (a line break or another control character)."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} holds a control character")
        self.name = name
