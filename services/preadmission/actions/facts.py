"""What an action may refuse."""


class UnitNotOpen(Exception):
    """The unit does not exist, or its hospital does not take pre-admissions online."""


class StayInThePast(Exception):
    """The planned day is over."""


class NotEditable(Exception):
    """The file has been sent: its answers cannot change any more."""


class ChangedMeanwhile(Exception):
    """Somebody saved this step, or changed this file, since it was read: on another device, or another agent."""


class Incomplete(Exception):
    """Steps or pieces are missing; `missing` names them."""

    def __init__(self, missing: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(missing)))
        self.missing = missing


class NothingToAskAgain(Exception):
    """No piece is refused: there is nothing for the patient to do."""


class PiecesNotSettled(Exception):
    """A piece is not judged, or a needed one is neither accepted nor waived."""
