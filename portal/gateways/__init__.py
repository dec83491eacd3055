"""Doors to the outside world, and the three ways in which one can fail."""

from datetime import datetime

__all__ = ["DoorError", "LeftAlone", "OutcomeUnknown", "Paused", "Refused", "Unavailable", "UnsupportedUrl"]


class DoorError(Exception):
    """What a door tells its caller. Its text never holds personal data: it ends in logs.

    door: its name, once it was raised from a passage.
    """

    door: str = ""


class Unavailable(DoorError):
    """Nothing was done: the counterpart is down, slow or unintelligible. Trying later is safe."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LeftAlone(Unavailable):
    """Nothing was even tried: the counterpart failed too often, and is left alone for a while."""


class Paused(LeftAlone):
    """Nothing was even tried: people closed this door for a while. until: the end that they gave, if any."""

    def __init__(self, reason: str, until: datetime | None = None) -> None:
        super().__init__(reason)
        self.until = until


class Refused(DoorError):
    """The counterpart understood and said no: nothing was done, and the same request will be refused again.

    `code` is the counterpart's own code, `meaning` ours, in English, for staff and logs.
    """

    def __init__(self, code: str, meaning: str = "") -> None:
        super().__init__(f"{code}: {meaning}" if meaning else code)
        self.code = code
        self.meaning = meaning


class OutcomeUnknown(DoorError):
    """The request left and no intelligible answer came back: it may or may not have been done.

    The caller looks before it tries again.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnsupportedUrl(ValueError):
    """A door's URL is not one we can open: a mistake of configuration, told at start-up.

    The message never repeats the URL, which may hold a password.
    """
