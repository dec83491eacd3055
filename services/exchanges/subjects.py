"""What is exchanged with hospital systems, by kind: each room says once how its things are told and heard.

This room carries messages, keeps their order and their answers; it knows nothing of what they are about.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal.establishments import Establishment
from portal.gateways.his import Parcel
from portal.gateways.his.hl7v2 import Message
from services.exchanges.dialect import Dialect
from services.exchanges.models import Delivery


@dataclass(frozen=True)
class Heard:
    """What became of a message. answer: AA, AE, AR. error: of table 0357. reason: a key of the subject's reasons."""

    answer: str = "AA"
    error: str = ""
    reason: str = ""
    external_id: str = ""
    subject_id: UUID | None = None
    patient_id: UUID | None = None
    said_at: datetime | None = None


Hear = Callable[[Establishment, Message, Dialect], Heard]


class CannotBeTold(Exception):
    """Something that the message needs is missing; reason: for the agents, a key of the subject's reasons or words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Written:
    """What is sent. parcel: for a folder of files rather than messages; then `body` is only kept to be looked at.
    content: makes the body when it is sent, with no transaction open, for one that carries a file."""

    body: bytes
    parcel: Callable[[], Parcel] | None = None
    content: Callable[[], bytes] | None = None


def _nothing(*_arguments: object) -> None:
    """What most subjects do then."""


@dataclass(frozen=True)
class Subject:
    """One kind of thing. kind: as in `Delivery.subject_kind`. message_type: MSH-9.1 of what the hospital says of it.

    job: the system job that writes what the hospital says, by which its changes are told apart from ours.
    scope: what a machine that posts such messages must be allowed. events: what a webhook may be told.
    plan: write down what is to be told of the changes since then; how many are new.
    is_superseded: nobody needs to hear this any more. write: the message as the thing is now; None when it is gone or
    none is needed; raises CannotBeTold.
    facts: for a webhook. settled: a follower took it or refused it. hear: do what a message says.
    prepare: with nothing written yet, do what calls the outside (a scanner, a storage), and return how to hear it.
    find: things by their reference. references: the reference of each. patient_of: for the audit.
    reasons: words for `Heard.reason`. to_do: those that wait for an agent although the message was accepted.
    forget: what is older than this. read_list: a CSV file that the hospital left in its folder → our report, and
    whether all of it was done.
    """

    kind: str
    message_type: str
    job: str
    scope: str
    plan: Callable[[datetime], int]
    is_superseded: Callable[[Delivery], bool]
    write: Callable[[Delivery, Dialect], Written | None]
    hear: Hear
    find: Callable[[Collection[UUID], str], Sequence[UUID]]
    references: Callable[[Collection[UUID]], Mapping[UUID, str]]
    patient_of: Callable[[UUID], UUID | None]
    reasons: Mapping[str, object]
    facts: Callable[[Delivery], Mapping[str, object]] | None = None
    events: tuple[str, ...] = ()
    settled: Callable[[Delivery], None] = _nothing
    forget: Callable[[datetime], None] = _nothing
    to_do: frozenset[str] = frozenset()
    read_list: Callable[[UUID, str, bytes], tuple[bytes, bool]] | None = None
    prepare: Callable[[Establishment, Message], Hear] | None = None


_subjects: dict[str, Subject] = {}


def offer(subject: Subject) -> None:
    """A room, when the application starts."""
    _subjects[subject.kind] = subject


def of(kind: str) -> Subject | None:
    """None for a test of the line."""
    return _subjects.get(kind)


def every() -> Sequence[Subject]:
    return list(_subjects.values())


def taking(message_type: str) -> Subject | None:
    """Who takes messages of this type (MSH-9.1)."""
    return next((each for each in _subjects.values() if each.message_type == message_type), None)


def events() -> tuple[str, ...]:
    """All that a subscriber may be told."""
    return tuple(event for each in _subjects.values() for event in each.events)


def references(rows: Collection[Delivery]) -> Mapping[UUID, str]:
    """The reference of whatever each of these is about."""
    found: dict[UUID, str] = {}
    for subject in _subjects.values():
        ids = {each.subject_id for each in rows if each.subject_kind == subject.kind and each.subject_id}
        found |= subject.references(ids) if ids else {}
    return found
