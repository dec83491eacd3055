"""What an action may refuse."""

from datetime import date


class UnitNotOpen(Exception):
    """The unit does not exist, or its hospital does not take pre-admissions online."""


class StayInThePast(Exception):
    """The planned day is over."""


class NotOpenYet(Exception):
    """It is too early to prepare this stay; `opens_on` says from when it may be."""

    def __init__(self, opens_on: date) -> None:
        super().__init__(opens_on)
        self.opens_on = opens_on


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


class HeldByAnother(Exception):
    """Another agent has taken this file: one takes it over openly, or leaves it to them. name: whose it is."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
