"""Submission (RFC 6409) step by step, to know whether the operator has the mail when the line is cut."""

import base64
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from io import BufferedReader

from portal.gateways import OutcomeUnknown, Refused, Unavailable
from portal.gateways.door import Deadline
from portal.gateways.mssante.contract import Box, NobodyTaken, NotLetIn, Submission, Submitted, TooLarge, Untrusted
from portal.gateways.mssante.line import SILENCE_SECONDS, Line
from portal.gateways.mssante.means import Means, Password
from portal.gateways.mssante.trust import Trust, handshake
from portal.gateways.mssante.url import Host

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)
_NO_ADDRESS = "553 5.1.3"
_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}\b")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_PIECE = 2**16
_MOST_WORDS = 2**20

Answer = tuple[int, bytes]


class _WholeLines:
    """What is read of a line, whole or not at all; and not without an end."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self._left = _MOST_WORDS
        self.close = file.close

    def readline(self, limit: int) -> bytes:
        line = self._file.readline(limit)
        self._left -= len(line)
        if self._left < 0 or (line and not line.endswith(b"\n") and len(line) < limit):
            raise ConnectionResetError
        return line


class _Session(smtplib.SMTP):
    """smtplib's session over a line that is ours."""

    def __init__(self, line: Line, our_name: str) -> None:
        self._line = line
        super().__init__(line.host.name, line.host.port, our_name, timeout=SILENCE_SECONDS)

    def getreply(self) -> Answer:
        """See `smtplib.SMTP.getreply`, which takes the beginning of an answer that was cut for an answer."""
        if self.file is None and self.sock is not None:
            self.file = _WholeLines(self.sock.makefile("rb"))
        return super().getreply()

    def _get_socket(self, host: str, port: int, timeout: float | None) -> socket.socket:
        return self._line.socket


class Submitter:
    """The operator's SMTP."""

    def __init__(self, host: Host, trust: Trust, means: Means) -> None:
        self._host = host
        self._trust = trust
        self._means = means

    def size_limit(self, box: Box, deadline: Deadline) -> int | None:
        """See `Operator.size_limit`."""
        with self._let_in(box, deadline) as session:
            return _size_limit(session)

    def submit(self, box: Box, mail: Submission, deadline: Deadline) -> Submitted:
        """See `Operator.submit`."""
        if not _ADDRESS.fullmatch(box.address):
            raise Refused(_NO_ADDRESS, "the box's address is no address")
        text = _as_lines(mail.raw)
        with self._let_in(box, deadline) as session:
            limit = _size_limit(session)
            if limit is not None and len(text) > limit:
                raise TooLarge(limit)
            _expect(session.mail(box.address, _mail_options(session, mail, text)), 250)
            refused = _recipients(session, mail)
            _hand_over(session, text)
            return Submitted(refused)

    def check(self, box: Box | None, deadline: Deadline) -> None:
        """See `Operator.check`; sends nothing."""
        with self._encrypted(deadline) as session:
            if box is not None:
                self._sign_in(session, box)
            _expect(session.noop(), 250)

    @contextmanager
    def _let_in(self, box: Box, deadline: Deadline) -> Iterator[smtplib.SMTP]:
        with self._encrypted(deadline) as session:
            self._sign_in(session, box)
            yield session

    @contextmanager
    def _encrypted(self, deadline: Deadline) -> Iterator[smtplib.SMTP]:
        context = self._trust.context()  # may fetch a list of revoked certificates: before the line is open
        with closing(Line(self._host, deadline)) as line:
            try:
                with line.within(deadline), closing(_Session(line, "[127.0.0.1]")) as session:
                    self._encrypt(session, context)
                    yield session
                    with suppress(OSError, smtplib.SMTPException):  # a rude goodbye changes nothing
                        session.quit()
            except (OSError, smtplib.SMTPException, ValueError) as error:
                raise _trouble(error) from None

    def _encrypt(self, session: smtplib.SMTP, context: ssl.SSLContext) -> None:
        _hello(session)
        if session.has_extn("starttls"):
            with handshake():
                session.starttls(context=context)
            _hello(session)  # what was announced in clear is forgotten (RFC 3207 § 4.2)
        elif not self._trust.is_blind:
            raise Untrusted("the operator does not encrypt (no STARTTLS)")

    def _sign_in(self, session: smtplib.SMTP, box: Box) -> None:
        means = self._means
        try:
            if isinstance(means, Password):
                session.login(means.user(box), means.password(box))
                return
            if means.needs_certificate and not _announces(session, means.mechanism):
                return  # the certificate of the line says it all
            _show(session, means, box)
        except smtplib.SMTPAuthenticationError as error:
            raise _not_let_in((error.smtp_code, b"")) from None
        except smtplib.SMTPNotSupportedError:
            raise NotLetIn("504") from None


def _hello(session: smtplib.SMTP) -> None:
    code = session.ehlo()[0]
    if code != 250:
        raise Unavailable(f"the operator cannot be spoken to now ({code})")


def _show(session: smtplib.SMTP, means: Means, box: Box) -> None:
    shown = base64.b64encode(means.shown(box)).decode()
    answer = session.docmd("AUTH", f"{means.mechanism} {shown}")
    if answer[0] == 334:  # XOAUTH2 tells why in a challenge, and waits for an empty answer to say no
        answer = session.docmd("")
    if answer[0] != 235:
        raise _not_let_in(answer)


def _not_let_in(answer: Answer) -> Refused | Unavailable:
    if answer[0] >= 500:
        return NotLetIn(_code(answer))
    return Unavailable(f"the operator cannot let anybody in now ({answer[0]})")


def _announces(session: smtplib.SMTP, mechanism: str) -> bool:
    return mechanism in session.esmtp_features.get("auth", "").upper().split()


def _size_limit(session: smtplib.SMTP) -> int | None:
    """0 means that there is none (RFC 1870 § 4)."""
    told = session.esmtp_features.get("size", "").strip()
    return int(told) or None if told.isdecimal() and len(told) < 20 else None


def _mail_options(session: smtplib.SMTP, mail: Submission, text: bytes) -> list[str]:
    options = []
    if session.has_extn("size"):
        options.append(f"SIZE={len(text)}")
    if session.has_extn("8bitmime") and not text.isascii():
        options.append("BODY=8BITMIME")
    if session.has_extn("dsn"):
        options.append("RET=HDRS")  # a bounce need not carry the documents once more
    return options


def _recipients(session: smtplib.SMTP, mail: Submission) -> dict[str, str]:
    """Those it refuses. Raises `NobodyTaken`, or `Unavailable` when some of them may pass later."""
    refused = {}
    for recipient in mail.recipients:
        answer = _recipient(session, recipient, mail)
        if answer[0] not in (250, 251):
            refused[recipient] = _code(answer)
    if len(refused) < len(set(mail.recipients)):
        return refused
    if any(code.startswith("4") for code in refused.values()):
        raise Unavailable("the operator takes none of the recipients now")
    raise NobodyTaken(refused)


def _recipient(session: smtplib.SMTP, recipient: str, mail: Submission) -> Answer:
    if not _ADDRESS.fullmatch(recipient):
        code, _, enhanced = _NO_ADDRESS.partition(" ")
        return int(code), enhanced.encode()
    wanted = "SUCCESS,FAILURE,DELAY" if mail.asks_delivery else "FAILURE,DELAY"
    answer = session.rcpt(recipient, [f"NOTIFY={wanted}"] if session.has_extn("dsn") else ())
    if answer[0] == 421 or not 200 <= answer[0] < 600:
        raise Unavailable("the operator hangs up")
    return answer


def _hand_over(session: smtplib.SMTP, text: bytes) -> None:
    """DATA and the text. Until the final dot leaves nobody has it; from then on a cut line no longer says."""
    _expect(session.docmd("DATA"), 354)
    stuffed = (b"." if text.startswith(b".") else b"") + text.replace(b"\r\n.", b"\r\n..")
    for start in range(0, len(stuffed), _PIECE):
        session.send(stuffed[start : start + _PIECE])
    try:
        session.send(b".\r\n")
        answer = session.getreply()
    except (OSError, smtplib.SMTPException, ValueError):
        raise OutcomeUnknown("the operator was cut while it took the mail") from None
    if 200 <= answer[0] < 300:
        return
    if not 400 <= answer[0] < 600:  # the beginning of an answer that was cut is no answer
        raise OutcomeUnknown("what the operator said of the mail cannot be understood")
    _expect(answer)


def _as_lines(raw: bytes) -> bytes:
    """Every line ends as RFC 5321 § 2.3.8 wants: a bare line feed is where smuggled commands hide."""
    ends = raw.count(b"\r\n")
    text = raw if raw.count(b"\n") == raw.count(b"\r") == ends else _LINE_END.sub(b"\r\n", raw)
    return text if text.endswith(b"\r\n") else text + b"\r\n"


def _expect(answer: Answer, *codes: int) -> None:
    """What the operator said, as a fact. Its text is dropped: it usually quotes the address."""
    if answer[0] in codes:
        return
    if 500 <= answer[0] < 600:
        raise Refused(_code(answer), "the operator refuses this mail")
    raise Unavailable(f"the operator cannot take this mail now ({answer[0]})")


def _code(answer: Answer) -> str:
    enhanced = _ENHANCED.match(answer[1])
    return f"{answer[0]} {enhanced[0].decode()}" if enhanced else str(answer[0])


def _trouble(error: Exception) -> Unavailable:
    if isinstance(error, smtplib.SMTPResponseException):
        return Unavailable(f"the operator cannot be spoken to now ({error.smtp_code})")
    return Unavailable("the operator stopped answering")
