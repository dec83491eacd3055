"""Why a refund was not done."""


class UnknownRefund(Exception):
    """No such payment, bill or refund at these hospitals."""


class NotRefundable(Exception):
    """`reason`: titre (the public accountant gives it back), disputed, too_much (`most_cents` is what may leave),
    nothing."""

    def __init__(self, reason: str, most_cents: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.most_cents = most_cents


class SamePerson(Exception):
    """Whoever asked for a refund above the threshold does not approve it."""


class TooLate(Exception):
    """Somebody else was quicker, or the money has left: the refund's state does not allow it any more."""
