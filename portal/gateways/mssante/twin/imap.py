"""The twin's IMAP (RFC 3501): one folder a box, read, marked, never emptied."""

import base64
from bisect import bisect_left, bisect_right
from collections.abc import Callable

from portal.gateways.mssante.twin.boxes import Mail, TwinBox
from portal.gateways.mssante.twin.entrance import Entrance
from portal.gateways.mssante.twin.faults import Point
from portal.gateways.mssante.twin.imap_words import Part, Word, flat, numbers, part, read_command
from portal.gateways.mssante.twin.line import Gone, Line

_PIECE = 65536
_DATE = "%d-%b-%Y %H:%M:%S +0000"
_SYSTEM_FLAGS = r"\Answered \Flagged \Deleted \Seen \Draft"


class _No(Exception):
    """NO, or BAD when the command makes no sense, and why."""

    def __init__(self, why: str, kind: str = "NO") -> None:
        super().__init__(why)
        self.kind = kind


class ImapConversation:
    """From the greeting to LOGOUT. Raises `Gone` when the line ends otherwise."""

    def __init__(self, line: Line, entrance: Entrance) -> None:
        self._line = line
        self._entrance = entrance
        self._faults = entrance.faults
        self._box: TwinBox | None = None
        self._mails: list[Mail] | None = None  # those of the folder, as they were when it was selected
        self._uids: list[int] = []
        self._verbs: dict[str, Callable[[list[Word]], None]] = {
            "CAPABILITY": self._capability, "NOOP": self._noop, "CHECK": self._noop, "STARTTLS": self._starttls,
            "LOGIN": self._login, "AUTHENTICATE": self._authenticate, "SELECT": self._select, "EXAMINE": self._select,
            "CLOSE": self._close, "LIST": self._list, "UID": self._by_uid,
            "SEARCH": self._search, "FETCH": self._fetch, "STORE": self._store,
        }  # fmt: skip
        self._uses_uids = False

    def run(self) -> None:
        self._line.point(Point.IMAP_GREETING)
        self._line.say(self._faults.answers.get(Point.IMAP_GREETING) or f"* OK [CAPABILITY {self._abilities()}] ready")
        while True:
            tag, words = read_command(self._line)
            verb = "".join(flat(words[:1])).upper()
            if verb == "LOGOUT":
                self._line.point(Point.IMAP_LOGOUT)
                self._line.say("* BYE")
                self._line.say(f"{tag} OK bye")
                return
            self._answer(tag, verb, words[1:])

    def _answer(self, tag: str, verb: str, words: list[Word]) -> None:
        self._uses_uids = False
        try:
            do = self._verbs.get(verb)
            if do is None:
                raise _No("unknown", "BAD")
            do(words)
        except _No as no:
            self._line.say(f"{tag} {no.kind} {no}")
        except (ValueError, IndexError):
            self._line.say(f"{tag} BAD arguments")
        else:
            self._line.say(f"{tag} OK done")
            if verb == "STARTTLS":
                self._line.point(Point.IMAP_HANDSHAKE)
                self._line.encrypt(self._entrance.tls())

    def _at(self, point: Point) -> None:
        """A moment where something may go wrong, or where the twin was told to say no (`NO …`, `BAD …`)."""
        self._line.point(point)
        if answer := self._faults.answers.get(point):
            kind, _, why = answer.partition(" ")
            raise _No(why, kind)

    def _abilities(self) -> str:
        if self._line.is_encrypted:
            return "IMAP4rev1 " + self._entrance.mechanisms(self._line, "AUTH=")
        return "IMAP4rev1 LOGINDISABLED" + ("" if self._faults.no_starttls else " STARTTLS")

    def _capability(self, _words: list[Word]) -> None:
        self._at(Point.IMAP_CAPABILITY)
        self._line.say(f"* CAPABILITY {self._abilities()}")

    def _noop(self, _words: list[Word]) -> None:
        pass

    def _starttls(self, _words: list[Word]) -> None:
        self._at(Point.IMAP_STARTTLS)
        if self._line.is_encrypted or self._faults.no_starttls:
            raise _No("not now", "BAD")

    def _login(self, words: list[Word]) -> None:
        user, password = flat(words)
        self._let_in("PLAIN", f"\0{user}\0{password}".encode())

    def _authenticate(self, words: list[Word]) -> None:
        mechanism, *first = flat(words)
        if not self._line.is_encrypted:
            raise _No("[PRIVACYREQUIRED] encryption required")
        if not first:
            self._line.say("+ ")
            first = [self._line.read_line().decode("ascii", "replace")]
        shown = base64.b64decode(first[0])
        if mechanism.upper() == "XOAUTH2" and not self._entrance.opened(mechanism, shown, None):
            self._line.say("+ " + base64.b64encode(b'{"status":"401"}').decode())
            self._line.read_line()
        self._let_in(mechanism, shown)

    def _let_in(self, mechanism: str, shown: bytes) -> None:
        self._at(Point.IMAP_LOGIN)
        if not self._line.is_encrypted:
            raise _No("[PRIVACYREQUIRED] encryption required")
        self._box = self._entrance.post.box(self._entrance.opened(mechanism, shown, self._line.client_certificate))
        if self._box is None:
            raise _No("[AUTHENTICATIONFAILED] not let in")

    def _select(self, words: list[Word]) -> None:
        self._at(Point.IMAP_SELECT)
        if self._box is None or flat(words)[0].upper() != "INBOX":
            raise _No("no such folder")
        if self._faults.validity_drifts:
            self._box.validity += 1
        self._mails = self._box.now()
        self._uids = [mail.uid for mail in self._mails]
        keywords = r" \*" if self._faults.keeps_keywords else ""
        told = [f"{len(self._mails)} EXISTS", "0 RECENT", f"FLAGS ({_SYSTEM_FLAGS})"]
        told.append(rf"OK [PERMANENTFLAGS (\Seen \Flagged{keywords})] kept")
        told.append(f"OK [UIDVALIDITY {self._box.validity}] now")
        if self._faults.tells_uidnext:
            told.append(f"OK [UIDNEXT {self._box.next_uid}] next")
        self._line.write("".join(f"* {line}\r\n" for line in told).encode())

    def _close(self, _words: list[Word]) -> None:
        self._mails = None

    def _list(self, _words: list[Word]) -> None:
        self._line.say(r'* LIST (\HasNoChildren) "/" INBOX')

    def _by_uid(self, words: list[Word]) -> None:
        verb = flat(words[:1])[0].upper()
        self._uses_uids = True
        {"SEARCH": self._search, "FETCH": self._fetch, "STORE": self._store}.get(verb, self._nothing)(words[1:])

    def _nothing(self, _words: list[Word]) -> None:
        raise _No("unknown", "BAD")

    def _folder(self) -> list[Mail]:
        if self._mails is None:
            raise _No("SELECT first", "BAD")
        return self._mails

    def _chosen(self, text: str, *, by_uid: bool) -> list[tuple[int, Mail]]:
        """(place in the folder, mail), in order."""
        mails = self._folder()
        last = len(mails) if not by_uid else self._uids[-1] if mails else 0
        places: set[int] = set()
        for begins, ends in numbers(text, last):
            if by_uid:
                begins, ends = bisect_left(self._uids, begins) + 1, bisect_right(self._uids, ends)
            places.update(range(max(begins, 1), min(ends, len(mails)) + 1))
        return [(place, mails[place - 1]) for place in sorted(places)]

    def _search(self, words: list[Word]) -> None:
        self._at(Point.IMAP_SEARCH)
        asked = flat(words)
        # A range of uids comes first: the whole folder need not be looked at.
        begins_with_uids = asked[0].upper() == "UID"
        found = self._chosen(asked[1] if begins_with_uids else "1:*", by_uid=begins_with_uids)
        while asked:
            key = asked.pop(0).upper()
            if key == "UID":
                chosen = {place for place, _mail in self._chosen(asked.pop(0), by_uid=True)}
                found = [each for each in found if each[0] in chosen]
            elif key in ("KEYWORD", "UNKEYWORD"):
                flag = asked.pop(0)
                found = [each for each in found if (flag in each[1].flags) == (key == "KEYWORD")]
            elif key in ("SEEN", "UNSEEN"):
                found = [each for each in found if ("\\Seen" in each[1].flags) == (key == "SEEN")]
            elif key != "ALL":
                raise _No("unknown key", "BAD")
        told = [mail.uid if self._uses_uids else place for place, mail in found]
        self._line.say("* SEARCH" + "".join(f" {number}" for number in told))

    def _fetch(self, words: list[Word]) -> None:
        items = [item.upper() for item in flat(words[1:])]
        gives_mails = any(part(item) for item in items)
        self._at(Point.IMAP_FETCH if gives_mails else Point.IMAP_SIZES)
        if self._faults.gives_nothing if gives_mails else not self._faults.tells_sizes:
            return
        if self._uses_uids and "UID" not in items:
            items.append("UID")
        for place, mail in self._chosen(flat(words[:1])[0], by_uid=self._uses_uids):
            self._line.write(f"* {place} FETCH (".encode())
            for position, item in enumerate(items):
                self._line.write(b" " if position else b"")
                self._item(mail, item)
            self._line.write(b")\r\n")

    def _item(self, mail: Mail, item: str) -> None:
        if piece := part(item):
            self._literal(mail, piece)
            if "PEEK" not in item and not item.endswith("HEADER"):
                mail.flags.add("\\Seen")
            return
        size = self._faults.told_size
        told = {
            "UID": lambda: str(mail.uid),
            "FLAGS": lambda: f"({' '.join(sorted(mail.flags))})",
            "RFC822.SIZE": lambda: str(len(mail.content) if size is None else size),
            "INTERNALDATE": lambda: f'"{mail.at.strftime(_DATE)}"',
        }.get(item)
        if told is None:
            raise Gone  # in the middle of an answer there is no other way out
        self._line.write(f"{item} {told()}".encode())

    def _literal(self, mail: Mail, piece: Part) -> None:
        content = piece.of(mail.content, whole=self._faults.ignores_partial)
        self._line.write(f"{piece.name} {{{len(content)}}}\r\n".encode())
        for start in range(0, len(content), _PIECE):
            self._line.write(content[start : start + _PIECE][: _PIECE // 2])
            self._line.point(Point.IMAP_IN_LITERAL)
            self._line.write(content[start : start + _PIECE][_PIECE // 2 :])

    def _store(self, words: list[Word]) -> None:
        self._at(Point.IMAP_BEFORE_STORE)
        chosen, action, flags = flat(words[:1])[0], flat(words[1:2])[0].upper(), set(flat(words[2:]))
        known = set(_SYSTEM_FLAGS.split())
        if not self._faults.keeps_keywords and flags - known:
            raise _No("[CANNOT] no keywords here")
        if "\\Deleted" in flags:
            raise _No("[NOPERM] nothing is deleted here")
        for place, mail in self._chosen(chosen, by_uid=self._uses_uids):
            mail.flags = mail.flags - flags if action.startswith("-") else mail.flags | flags
            if not action.endswith(".SILENT"):
                self._line.say(f"* {place} FETCH (FLAGS ({' '.join(sorted(mail.flags))}))")
        self._line.point(Point.IMAP_AFTER_STORE)
