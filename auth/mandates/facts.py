"""Why something about a mandate cannot be done."""


class NotPossible(Exception):
    """Not for this actor, or not from this state: the page that offered it was out of date."""


class NotAMinor(Exception):
    """A parent acts for a minor: this person is of age."""


class ForOneself(Exception):
    """Nobody needs a mandate for themselves."""


class MeasureOver(Exception):
    """The last day of the measure is over already."""


class TooLong(Exception):
    """A carer's mandate ends within a year."""


class NothingInScope(Exception):
    """A mandate of this kind covers nothing of what was ticked."""


class CodeRefused(Exception):
    """Unknown, used, too old, or for somebody else: one answer for all."""


class TooManyRequests(Exception):
    """This account has asked for as many mandates as an agent can be expected to check."""


class UnknownProxy(Exception):
    """The hospital named somebody who has no account here."""
