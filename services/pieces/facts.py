"""What may stand in the way of an action on a piece."""


class NoPage(Exception):
    """There is nothing in this piece to send, or its only page holds a virus."""


class TooManyFiles(Exception):
    """The piece has as many pages as it may have."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"at most {limit} pages")
        self.limit = limit


class NotReusable(Exception):
    """The other piece is not an accepted and valid one of the same kind and person, or the patient did not tick."""


class OriginalKept(Exception):
    """The scan of an identity document does not leave the portal: agents see it with a watermark."""
