"""The twin's SMTP: submission (RFC 6409) with STARTTLS, AUTH, SIZE, DSN and enhanced codes."""

import base64
import re
from collections.abc import Callable

from portal.gateways.mssante.twin.entrance import Entrance
from portal.gateways.mssante.twin.faults import Point
from portal.gateways.mssante.twin.line import Line

_PATH = re.compile(r"(?:FROM|TO):\s*<([^<>\s]*)>\s*(.*)", re.IGNORECASE)
_END = b"\r\n.\r\n"


class SmtpConversation:
    """From the greeting to QUIT. Raises `Gone` when the line ends otherwise."""

    def __init__(self, line: Line, entrance: Entrance) -> None:
        self._line = line
        self._entrance = entrance
        self._faults = entrance.faults
        self._post = entrance.post
        self._box = ""
        self._sender: str | None = None
        self._recipients: list[tuple[str, str]] = []

    def run(self) -> None:
        if not self._at(Point.GREETING):
            self._line.say("220 operateur.mssante.test ESMTP")
        verbs: dict[str, Callable[[str], None]] = {
            "EHLO": self._ehlo, "HELO": self._ehlo, "STARTTLS": self._starttls, "AUTH": self._auth, "MAIL": self._mail,
            "RCPT": self._rcpt, "DATA": self._data, "RSET": self._rset, "NOOP": self._noop,
        }  # fmt: skip
        while True:
            verb, _, rest = self._line.read_line().decode("utf-8", "replace").partition(" ")
            if verb.upper() == "QUIT":
                if not self._at(Point.QUIT):
                    self._line.say("221 2.0.0 bye")
                return
            verbs.get(verb.upper(), self._unknown)(rest)

    def _at(self, point: Point) -> bool:
        """Whether the twin was told to say something else here, and said it."""
        self._line.point(point)
        if answer := self._faults.answers.get(point):
            self._line.say(answer)
        return bool(answer)

    def _ehlo(self, _name: str) -> None:
        if self._at(Point.EHLO_AGAIN if self._line.is_encrypted else Point.EHLO):
            return
        offers = ["operateur.mssante.test", f"SIZE {self._post.size_limit}", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN"]
        if self._line.is_encrypted:
            offers.append(f"AUTH {self._entrance.mechanisms(self._line)}")
        elif not self._faults.no_starttls:
            offers.append("STARTTLS")
        for offer in offers[:-1]:
            self._line.say(f"250-{offer}")
        self._line.say(f"250 {offers[-1]}")

    def _starttls(self, _rest: str) -> None:
        if self._at(Point.STARTTLS):
            return
        self._line.say("220 2.0.0 ready")
        self._line.point(Point.HANDSHAKE)
        self._line.encrypt(self._entrance.tls())
        self._box = ""

    def _auth(self, rest: str) -> None:
        if self._at(Point.AUTH):
            return
        if not self._line.is_encrypted:
            self._line.say("538 5.7.11 encryption required")
            return
        mechanism, _, first = rest.partition(" ")
        self._box = self._entrance.opened(mechanism, self._shown(mechanism, first), self._line.client_certificate)
        if self._box:
            self._line.say("235 2.7.0 welcome")
            return
        if mechanism.upper() == "XOAUTH2":
            self._line.say("334 " + base64.b64encode(b'{"status":"401","schemes":"bearer"}').decode())
            self._line.read_line()
        self._line.say("535 5.7.8 not let in")

    def _shown(self, mechanism: str, first: str) -> bytes:
        if mechanism.upper() == "LOGIN":
            answers = [first] if first else []
            for asked in (b"Username:", b"Password:")[len(answers) :]:
                self._line.say("334 " + base64.b64encode(asked).decode())
                answers.append(self._line.read_line().decode("ascii", "replace"))
            return b"\0" + b"\0".join(_decoded(answer) for answer in answers)
        if not first:
            self._line.say("334 ")
            first = self._line.read_line().decode("ascii", "replace")
        return _decoded(first)

    def _mail(self, rest: str) -> None:
        if self._at(Point.MAIL):
            return
        found = _PATH.fullmatch(rest)
        size = re.search(r"\bSIZE=(\d+)", found[2], re.IGNORECASE) if found else None
        if not found:
            self._line.say("501 5.5.4 syntax")
        elif not self._box:
            self._line.say("530 5.7.0 sign in first")
        elif found[1].lower() != self._box:
            self._line.say("550 5.7.1 this box is not yours")
        elif size and int(size[1]) > self._post.size_limit:
            self._line.say("552 5.3.4 too large")
        else:
            self._sender, self._recipients = found[1].lower(), []
            self._line.say("250 2.1.0 ok")

    def _rcpt(self, rest: str) -> None:
        if self._at(Point.RCPT):
            return
        found = _PATH.fullmatch(rest)
        if self._sender is None or not found:
            self._line.say("503 5.5.1 MAIL first" if found else "501 5.1.3 syntax")
        elif answer := self._entrance.recipient_answers.get(found[1].lower()) or self._post.refuses(found[1]):
            self._line.say(answer)
        else:
            notify = re.search(r"\bNOTIFY=(\S+)", found[2], re.IGNORECASE)
            self._recipients.append((found[1].lower(), notify[1] if notify else ""))
            self._line.say("250 2.1.5 ok")

    def _data(self, _rest: str) -> None:
        if self._at(Point.DATA):
            return
        if not self._recipients or self._sender is None:
            self._line.say("503 5.5.1 RCPT first")
            return
        self._line.say("354 go on")
        raw = self._text()
        self._line.point(Point.BEFORE_TAKING)
        if answer := self._faults.answers.get(Point.BEFORE_TAKING):
            self._line.say(answer)
        elif len(raw) > self._post.size_limit:
            self._line.say("552 5.3.4 too large")
        else:
            self._post.take(self._sender, self._recipients, raw)
            if not self._at(Point.AFTER_TAKING):
                self._line.say("250 2.0.0 taken")
        self._rset_quietly()

    def _text(self) -> bytes:
        text, looked = bytearray(b"\r\n"), 0  # the dot that ends an empty mail begins a line too
        while (end := text.find(_END, looked)) < 0:
            looked = max(len(text) - len(_END), 0)
            text += self._line.read_some()
            self._line.point(Point.IN_DATA)
        self._line.give_back(bytes(text[end + len(_END) :]))
        return bytes(text[2 : end + 2]).replace(b"\r\n..", b"\r\n.")

    def _rset(self, _rest: str) -> None:
        self._rset_quietly()
        self._line.say("250 2.0.0 ok")

    def _rset_quietly(self) -> None:
        self._sender, self._recipients = None, []

    def _noop(self, _rest: str) -> None:
        self._line.say("250 2.0.0 ok")

    def _unknown(self, _rest: str) -> None:
        self._line.say("502 5.5.1 unknown")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
