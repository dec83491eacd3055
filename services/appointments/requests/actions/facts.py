"""What may stand in the way of a request. Facts, in no one's words: pages find theirs."""


class AlreadyAsked(Exception):
    """The patient has a request under way for this already."""


class LetterNeeded(Exception):
    """This reason is for patients whom a practitioner sends: their letter comes with the request."""


class RequestOver(Exception):
    """The request is closed, or not the actor's."""


class ChangedMeanwhile(Exception):
    """A colleague, or the patient, changed the request since the page was made."""


class ProposalGone(Exception):
    """This time is not proposed any more."""


class TooManyProposals(Exception):
    """A patient chooses among three times at most."""


class TooSoon(Exception):
    """The patient would have no time to answer before the visit."""


class NotThere(Exception):
    """The request is given to a unit of the same hospital, another one."""
