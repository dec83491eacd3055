"""What stands in the way, as facts."""


class NothingToUndo(Exception):
    """The draft was not changed since it was begun."""


class NotEditable(Exception):
    """This version was published: a new one is made of it."""


class ChangedMeanwhile(Exception):
    """Somebody else, or another device, saved after this page was shown."""


class NothingPublished(Exception):
    """The questionnaire has no published version."""


class CodeTaken(Exception):
    """The hospital already has a questionnaire of this name."""


class WindowClosed(Exception):
    """It may not be answered (any more): the time is over, or the hospital took it back."""


class Incomplete(Exception):
    """Required questions have no answer. missing: their linkIds."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__(missing)
        self.missing = missing


class NotAnAnswer(Exception):
    """This does not answer that question."""


class NothingToSee(Exception):
    """No alert waits here (any more)."""


class AlreadyWaiting(Exception):
    """The person already has this questionnaire to answer."""
