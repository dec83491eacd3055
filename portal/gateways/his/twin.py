"""A hospital system that works: it keeps an agenda from the SIU messages it gets, stays from the ADT ones, documents
from the MDM ones, and can be told to fail."""

import base64
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from portal.gateways.his import hl7v2
from portal.gateways.his.framing import Blocks, framed
from portal.gateways.his.hl7v2 import Acknowledgement, Message, NotHl7
from portal.gateways.serving import Serving


class HisTrouble(StrEnum):
    """What goes wrong."""

    REFUSES = "refuses"  # AE
    REJECTS = "rejects"  # AR
    SILENT = "silent"  # takes the message, never answers
    LATE = "late"  # takes the message, answers after the time limit
    FORGETS = "forgets"  # takes the message, hangs up without an answer
    DEAF = "deaf"  # hangs up without taking it
    GARBAGE = "garbage"
    ANOTHER = "another"  # answers to another message first
    TWICE = "twice"


@dataclass
class HisFaults:
    """What goes wrong from now on, for every message or (once) for the next one."""

    trouble: HisTrouble | None = None
    once: bool = False
    late_seconds: float = 0.5

    def take(self) -> HisTrouble | None:
        now = self.trouble
        if self.once:
            self.trouble = None
        return now


@dataclass(frozen=True)
class Booked:
    """An appointment as the hospital system knows it."""

    placer: str
    start: str
    practitioner: str
    state: str


@dataclass(frozen=True)
class Expected:
    """A stay as the hospital system knows it from a pre-admission. times: how often it was created anew."""

    reference: str
    planned_on: str
    birth_name: str
    state: str
    times: int = 1


@dataclass(frozen=True)
class Kept:
    """A document as the hospital system knows it. content: its bytes; none once it was withdrawn."""

    birth_name: str
    state: str
    content: bytes = b""


@dataclass
class Agenda:
    """What was told, by placer number, by number of the movement or of the document; a control id counts once."""

    appointments: dict[str, Booked] = field(default_factory=dict)
    stays: dict[str, Expected] = field(default_factory=dict)
    documents: dict[str, Kept] = field(default_factory=dict)
    answered: dict[str, bytes] = field(default_factory=dict)
    received: list[Message] = field(default_factory=list)

    def take(self, body: bytes) -> bytes:
        """The acknowledgement of a message, after it has been applied."""
        try:
            message = hl7v2.read(body)
        except NotHl7 as error:
            return _answer(None, Acknowledgement("AR", "", error.code, error.reason))
        if message.control_id not in self.answered:
            self.answered[message.control_id] = _answer(message, self._apply(message))
        return self.answered[message.control_id]

    def _apply(self, message: Message) -> Acknowledgement:
        self.received.append(message)
        if message.header.value(9) == "ADT":
            return self._expect(message)
        if message.header.value(9) == "MDM":
            return self._keep(message)
        sch, ail = message.first("SCH"), message.first("AIP")
        placer = sch.value(1)
        known = self.appointments.get(placer)
        if known is None and message.trigger != "S12":
            return Acknowledgement("AE", message.control_id, "204", "Rendez-vous inconnu")
        states = {"S15": "cancelled", "S26": "missed"}
        state = states.get(message.trigger, "booked")
        self.appointments[placer] = Booked(placer, sch.value(11, 4), ail.value(3), state)
        return Acknowledgement("AA", message.control_id)

    def _expect(self, message: Message) -> Acknowledgement:
        """A05 and A38: what is changed or cancelled is to be known."""
        zbe, pid = message.first("ZBE"), message.first("PID")
        known = self.stays.get(zbe.value(1))
        if known is None and zbe.value(4) != "INSERT":
            return Acknowledgement("AE", message.control_id, "204", "Mouvement inconnu")
        self.stays[zbe.value(1)] = Expected(
            message.first("PV1").value(5),
            message.first("EVN").value(3),
            pid.value(5),
            "cancelled" if message.trigger == "A38" else "expected",
            (known.times if known else 0) + (zbe.value(4) == "INSERT"),
        )
        return Acknowledgement("AA", message.control_id)

    def _keep(self, message: Message) -> Acknowledgement:
        """T02, T10 and T04: what is replaced or withdrawn is to be known."""
        txa, name = message.first("TXA"), message.first("PID").value(5)
        number, parent = txa.value(12), txa.value(13)
        former = parent if message.trigger == "T10" else number if message.trigger == "T04" else ""
        if former and former not in self.documents:
            return Acknowledgement("AE", message.control_id, "204", "Document inconnu")
        if message.trigger == "T04":
            self.documents[number] = Kept(name, "withdrawn")
            return Acknowledgement("AA", message.control_id)
        if former:
            self.documents[former] = Kept(name, "replaced", self.documents[former].content)
        self.documents[number] = Kept(name, "current", base64.b64decode(message.first("OBX").value(5, 5)))
        return Acknowledgement("AA", message.control_id)


def _answer(message: Message | None, answer: Acknowledgement) -> bytes:
    return hl7v2.acknowledge(message.header if message else None, answer, "20260101000000", f"T{time.time_ns()}")


class HisTwin(Serving, socketserver.ThreadingTCPServer):
    """Listens on a free port of the loopback until the context ends."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Conversation)
        self.faults = HisFaults()
        self.agenda = Agenda()
        self.taking = threading.Lock()

    @property
    def url(self) -> str:
        return f"mllp://127.0.0.1:{self.server_address[1]}"


class _Conversation(socketserver.BaseRequestHandler):
    server: HisTwin
    request: socket.socket

    def handle(self) -> None:
        blocks = Blocks(self.request)
        while (body := blocks.next()) is not None:
            with self.server.taking:
                trouble = self.server.faults.take()
            if trouble is HisTrouble.DEAF:
                return
            for piece in self._answers(body, trouble):
                self.request.sendall(piece)
            if trouble is HisTrouble.FORGETS:
                return

    def _answers(self, body: bytes, trouble: HisTrouble | None) -> Iterator[bytes]:
        if trouble in (HisTrouble.REFUSES, HisTrouble.REJECTS):
            yield framed(_refusal(body, "AE" if trouble is HisTrouble.REFUSES else "AR"))
            return
        with self.server.taking:
            answer = self.server.agenda.take(body)
        if trouble is HisTrouble.GARBAGE:
            yield framed(b"<html>not an acknowledgement</html>")
        elif trouble is HisTrouble.SILENT:
            self.server.stopped.wait(10)
        elif trouble is not HisTrouble.FORGETS:
            if trouble is HisTrouble.LATE:
                self.server.stopped.wait(self.server.faults.late_seconds)
            if trouble is HisTrouble.ANOTHER:
                yield framed(_answer(None, Acknowledgement("AE", "another", "207", "An answer to another message")))
            yield framed(answer) * (2 if trouble is HisTrouble.TWICE else 1)


def _refusal(body: bytes, code: str) -> bytes:
    message = hl7v2.read(body)
    return _answer(message, Acknowledgement(code, message.control_id, "204", "Praticien inconnu"))
