"""What a door to a hospital system does: it carries one HL7 v2 message and brings its acknowledgement back."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from portal.gateways import Refused
from portal.gateways.his.hl7v2 import Acknowledgement


class NotAccepted(Refused):
    """The hospital system answered AE or AR. told: why, in its words, for staff; never in a log."""

    def __init__(self, answer: Acknowledgement) -> None:
        super().__init__(answer.code, answer.error)
        self.answer = answer

    @property
    def told(self) -> str:
        return self.answer.told


@dataclass(frozen=True, slots=True)
class Dropped:
    """A message that the hospital system left for us. name: by which it is settled."""

    name: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Parcel:
    """Files that belong together. name: of their folder, the same one replaces what was put there before.

    files: name → content in pieces, read one after the other; a name holds no path.
    """

    name: str
    files: Iterable[tuple[str, Iterable[bytes]]]


class HospitalSystem(Protocol):
    """A hospital system, as the portal speaks with it."""

    def send(self, message: bytes, control_id: str) -> Acknowledgement:
        """Send a message whose MSH-10 is `control_id`; return when it is accepted (AA).

        Raises `NotAccepted` (AE, AR: a `Refused`), `Unavailable` (it never arrived), `OutcomeUnknown` (no answer that
        can be understood: send it again with the same control id).
        """

    def put(self, parcel: Parcel) -> Acknowledgement:
        """Leave files for the hospital system. Raises `Unavailable`, `Refused` where files cannot be left."""

    def dropped(self) -> Iterable[Dropped]:
        """Messages that wait for us, the oldest first; none when they come by themselves. Raises `Unavailable`."""

    def settle(self, name: str, answer: bytes, *, accepted: bool) -> None:
        """Put a dropped message away, with our acknowledgement beside it. Raises `Unavailable`."""

    def check(self) -> None:
        """Return if the counterpart answers; raise `Unavailable` if not."""
