"""What may stand in the way on the waiting list. Facts, in no one's words: pages find theirs."""


class AlreadyWaiting(Exception):
    """The patient waits for this already."""


class NothingEarlier(Exception):
    """The visit is over, cancelled, or too near for an earlier one."""


class EntryClosed(Exception):
    """The patient does not wait any more, or the entry is not the actor's."""


class OfferGone(Exception):
    """This time is not kept for the patient any more."""
