"""A box read in order, one mail at a time: its numbers first by windows, then sizes, then each mail."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from portal.gateways import Refused, Unavailable
from portal.gateways.door import Door
from portal.gateways.mssante.contract import Place, Waiting
from portal.gateways.mssante.imap import Conversation

TAKEN = "$ParvisTaken"
# An answer to SEARCH holds at most so many numbers: a box of 50 000 mails never lies in memory.
NARROW, WIDE = 2_000, 50_000
_AT_ONCE = 100
_EVERY_UID = 2**32
_NUMBER = re.compile(rb"\d{1,10}")
_UID = re.compile(rb"\bUID (\d{1,10})\b")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d{1,12})\b")


class OpenBox:
    """`Reading` over IMAP. Nothing is ever deleted, nor marked read where keywords are kept."""

    def __init__(self, door: Door, conversation: Conversation, most_bytes: int) -> None:
        self._door = door
        self._conversation = conversation
        self._client = conversation.client
        self._most_bytes = most_bytes
        self._keeps_keywords = False
        self._last_uid = 0
        self._widest = WIDE
        self.place = Place()

    def select(self, after: Place) -> None:
        """To call within a passage. Raises `Unavailable` on a box that tells nothing of itself."""
        kind, _ = self._client.select("INBOX")
        if kind != "OK":
            raise Refused("NO", "the box cannot be opened")
        validity = self._number("UIDVALIDITY")
        if validity is None:
            raise Unavailable("the operator does not number its mails")
        self.place = after if after.validity == validity else Place(validity)
        flags = " ".join(_text(self._client.response("PERMANENTFLAGS"))).upper()
        self._keeps_keywords = "\\*" in flags or TAKEN.upper() in flags
        exists = self._number("EXISTS") or 0
        self._widest = _EVERY_UID if exists <= WIDE else WIDE
        self._last_uid = (self._number("UIDNEXT") or _EVERY_UID) - 1 if exists else 0

    def waiting(self, limit: int) -> Iterator[Waiting]:
        """See `Reading.waiting`."""
        wanted = islice(self._uids(), limit)
        while batch := list(islice(wanted, _AT_ONCE)):
            sizes = self._sizes(batch)
            for uid in batch:
                if found := self._mail(uid, sizes.get(uid, 0)):
                    yield found
                    del found  # or two mails would be in memory at once

    def mark(self, uids: Sequence[int]) -> None:
        """See `Reading.mark`."""
        for start in range(0, len(uids), _AT_ONCE):
            self._store(uids[start : start + _AT_ONCE])

    def _uids(self) -> Iterator[int]:
        begins, width = self.place.uid + 1, NARROW
        while begins <= self._last_uid:
            ends = min(begins + width - 1, self._last_uid)
            found = self._search(begins, ends)
            yield from found
            begins, width = ends + 1, NARROW if found else min(4 * width, self._widest)

    def _search(self, begins: int, ends: int) -> list[int]:
        untaken = ["UNKEYWORD", TAKEN] if self._keeps_keywords else []
        answer = self._asked("search", "SEARCH", "UID", f"{begins}:{ends}", *untaken)
        words = [word for line in answer if isinstance(line, bytes) for word in line.split()]
        if not all(_NUMBER.fullmatch(word) for word in words):  # to skip what is no number might skip a mail
            raise Unavailable("the operator answers a search with other things than numbers")
        numbers = set(map(int, words))
        return sorted(uid for uid in numbers if begins <= uid <= ends)

    def _sizes(self, uids: Sequence[int]) -> dict[int, int]:
        answer = self._asked("sizes", "FETCH", _set(uids), "(UID RFC822.SIZE)")
        told = [(_UID.search(line), _SIZE.search(line)) for line in answer if isinstance(line, bytes)]
        return {int(uid[1]): int(size[1]) for uid, size in told if uid and size}

    def _mail(self, uid: int, told: int) -> Waiting | None:
        """None when somebody else deleted it meanwhile. What the operator told of its size is not believed: one byte
        too many is asked."""
        if told > self._most_bytes:
            return Waiting(uid, told, None)
        self._client.overflowed = False
        wanted = f"(UID BODY.PEEK[]<0.{self._most_bytes + 1}>)"
        answer = self._asked("fetch", "FETCH", str(uid), wanted)
        raw = next((part[1] for part in answer if isinstance(part, tuple)), None)
        if raw is None:
            self._must_be_gone(uid)
            return None
        if self._client.overflowed or len(raw) > self._most_bytes:
            return Waiting(uid, max(told, self._most_bytes + 1), None)
        return Waiting(uid, len(raw), raw)

    def _must_be_gone(self, uid: int) -> None:
        """A mail that is there and is not given would be lost if the next ones were read."""
        if self._search(uid, uid):
            raise Unavailable("the operator does not give a mail that it announced")

    def _store(self, uids: Sequence[int]) -> None:
        for flag in [TAKEN, r"\Seen"] if self._keeps_keywords else [r"\Seen"]:
            with self._door.passage("mark") as deadline, self._conversation.within(deadline):
                kind, _ = self._client.uid("STORE", _set(uids), "+FLAGS.SILENT", f"({flag})")
            if kind == "OK":
                return
        raise Refused("NO", "the box cannot be written")

    def _asked(self, operation: str, *command: str) -> list[bytes | tuple[bytes, bytes] | None]:
        with self._door.passage(operation) as deadline, self._conversation.within(deadline):
            kind, answer = self._client.uid(*command)
        if kind != "OK":
            raise Unavailable("the operator's IMAP does not do what is asked")
        return list(answer)

    def _number(self, name: str) -> int | None:
        told = _text(self._client.response(name))
        return int(told[-1]) if told and told[-1].isdecimal() and len(told[-1]) < 12 else None


def _text(response: tuple[str, list[bytes | None]]) -> list[str]:
    return [line.decode("ascii", "replace") for line in response[1] if line]


def _set(uids: Sequence[int]) -> str:
    return ",".join(str(uid) for uid in uids)
