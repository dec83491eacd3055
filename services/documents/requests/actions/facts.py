"""What may be in the way of a gesture."""


class NotThere(Exception):
    """No such request or file for this actor."""


class KindClosed(Exception):
    """The hospital does not take this kind of request online."""


class ProofMissing(Exception):
    """Something that must be joined is not. The argument lists what (`kinds.PROOFS`)."""


class TooMany(Exception):
    """This account has as many requests under way, or files on one of them, as one may have."""


class ChangedMeanwhile(Exception):
    """Somebody acted on the request since the page was made."""


class StillReflecting(Exception):
    """The 48 hours of reflection are not over (CSP L1111-7)."""


class NothingJoined(Exception):
    """An answer without anything in it."""
