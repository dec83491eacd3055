"""Where mails go once the twin took charge of them: a box, a bounce, and what correspondents do with them."""

import re
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from portal.gateways.mssante.twin import letters
from portal.gateways.mssante.twin.boxes import Habits, Kind, Receipt, TwinBox

CITIZENS = "patient.mssante.fr"
CITIZEN_LIMIT = 25 * 2**20  # Mon espace santé
_INS = re.compile(r"[12378]\d{4}(\d{2}|2[AB])\d{8}", re.IGNORECASE)
_MOST_HOPS = 10


@dataclass(frozen=True, slots=True)
class Parcel:
    """A mail on its way to one address. sender: empty for a bounce. notify: RFC 3461."""

    sender: str
    recipient: str
    raw: bytes
    notify: str = ""


@dataclass
class PostOffice:
    """The operator's boxes and those of every other operator, together. size_limit: announced by SMTP, in bytes."""

    size_limit: int = 10 * 2**20
    refuses_unknown_at_once: bool = True  # of the domains that it holds; other operators' come back as bounces
    boxes: dict[str, TwinBox] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)  # Pro Santé Connect's access tokens → the box they open
    holder_of: Callable[[str], str] = lambda _token: ""  # whom a token belongs to, for personal boxes
    taken: list[Parcel] = field(default_factory=list)  # what SMTP took charge of, oldest first
    held: list[Parcel] = field(default_factory=list)  # for boxes whose operator is away
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def open_box(
        self, address: str, kind: Kind = Kind.ORG, password: str = "", habits: Habits | None = None
    ) -> TwinBox:
        """A new box, or the one that has this address."""
        limit = CITIZEN_LIMIT if kind is Kind.CITIZEN else None
        made = TwinBox(address.lower(), kind, password, habits or Habits(), limit=limit)
        return self.boxes.setdefault(address.lower(), made)

    def box(self, address: str) -> TwinBox | None:
        return self.boxes.get(address.lower())

    def token_opens(self, token: str, address: str) -> bool:
        box = self.box(address)
        if box is None or not token:
            return False
        return self.tokens.get(token) == box.address or bool(box.holder and self.holder_of(token) == box.holder)

    def refuses(self, recipient: str) -> str:
        """What SMTP says of a recipient that it does not take; empty when it takes it."""
        domain = recipient.lower().rpartition("@")[2]
        if self.box(recipient) or not self.refuses_unknown_at_once or domain == CITIZENS:
            return ""
        held = {address.rpartition("@")[2] for address in self.boxes}
        return "550 5.1.1 no such box" if domain in held else ""

    def take(self, sender: str, recipients: Sequence[tuple[str, str]], raw: bytes) -> None:
        """Take charge of a mail; everything that follows from it is done when this returns."""
        with self._lock:
            parcels = [Parcel(sender, recipient, raw, notify) for recipient, notify in recipients]
            self.taken += parcels
            self._deliver(parcels)

    def release(self) -> None:
        """The operators that were away are back."""
        with self._lock:
            for box in self.boxes.values():
                box.is_away = False
            held, self.held = self.held, []
            self._deliver(held)

    def _deliver(self, parcels: list[Parcel]) -> None:
        waiting = deque(parcels)
        while waiting:
            waiting += self._delivered(waiting.popleft())

    def _delivered(self, parcel: Parcel) -> list[Parcel]:
        """Put a mail where it belongs. Returns what leaves because of it."""
        if status := self._trouble(parcel):
            if not parcel.sender:
                return []
            return [Parcel("", parcel.sender, letters.bounce(parcel.raw, parcel.sender, parcel.recipient, status))]
        box = self.boxes[parcel.recipient.lower()]
        if box.is_away:
            self.held.append(parcel)
            told = letters.delayed(parcel.raw, parcel.sender, parcel.recipient)
            return [Parcel("", parcel.sender, told)] if parcel.sender else []
        raw = letters.with_trace(parcel.raw, box.address)
        box.put(raw)
        return [
            Parcel("" if by_machine else box.address, to, made) for to, made, by_machine in _reactions(box, parcel, raw)
        ]

    def _trouble(self, parcel: Parcel) -> str:
        box = self.box(parcel.recipient)
        local, _, domain = parcel.recipient.partition("@")
        if domain.lower() == CITIZENS and not _INS.fullmatch(local):
            return "5.1.3"
        if box is None:
            return "5.1.1"
        if box.closed:
            return "5.2.1"
        if len(parcel.raw) > (box.limit or len(parcel.raw)):
            return "5.3.4"
        return "5.4.6" if parcel.raw.count(b"\r\nReceived:", 0, 8192) >= _MOST_HOPS else ""


def _reactions(box: TwinBox, parcel: Parcel, raw: bytes) -> list[tuple[str, bytes, bool]]:
    """(to, mail, whether a machine tells) for all that a correspondent sends back."""
    habits, sender = box.habits, parcel.sender
    found: list[tuple[str, bytes, bool]] = []
    if "SUCCESS" in parcel.notify.upper() and sender:
        found.append((sender, letters.delivered(raw, sender, box.address), True))
    if not sender:
        return found
    headers = letters.parsed(raw[:65536].partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    asked = str(headers["Disposition-Notification-To"] or "")
    if asked and habits.receipt is not Receipt.NONE:
        to = asked.rpartition("<")[2].rstrip("> ")
        found.append((to, letters.receipt(raw, to, box.address, habits.receipt), True))
    is_automatic = str(headers["Auto-Submitted"] or "no").lower() != "no"
    if habits.loops:
        found.append((sender, _grown(raw, sender, box.address), False))
    elif habits.away and not is_automatic:
        found.append((sender, letters.away(raw, sender, box.address, habits.away), False))
    if habits.answers and not is_automatic:
        found.append((sender, letters.reply(raw, sender, box.address, habits.answers, habits.package), False))
    return found


def _grown(raw: bytes, sender: str, author: str) -> bytes:
    """An answer that keeps the traces of what it answers: two such correspondents stop at the last hop."""
    head = raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
    traces = b"".join(line + b"\r\n" for line in head if line.startswith(b"Received:"))
    return traces + letters.reply(raw[:4096], sender, author, "Je suis absent.")
