"""What a mail door promises: asked of the twin, of the console, and of SMTP against a real server."""

import asyncio
import email
import io
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from hypothesis import given
from hypothesis import strategies as st

from portal.gateways import OutcomeUnknown, Refused, Unavailable, UnsupportedUrl
from portal.gateways.mail import Mailer, Message, connect
from portal.gateways.mail.console import ConsoleMailer
from portal.gateways.mail.contract import written
from portal.gateways.mail.smtp import SmtpMailer, SmtpServer
from portal.gateways.mail.twin import MailTwin

SENDER = "Parvis <parvis@hopital.example>"
HELLO = Message(
    to="jeanne@example.org",
    subject="Un document vous attend – vérifiez",
    text="Bonjour,\n\nUn document vous attend.\n.\nÀ bientôt",
)


@dataclass
class Relay:
    """A real SMTP server in a thread. `answers` replaces what it says to a command (MAIL, RCPT, DATA)."""

    answers: dict[str, str] = field(default_factory=dict)
    cut_at: str = ""
    port: int = 0
    received: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self._say(server, "MAIL")

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self._say(server, "RCPT")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = self._say(server, "DATA")
        if answer.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            message = email.message_from_bytes(content, policy=default)
            assert isinstance(message, EmailMessage)
            self.received.append(message)
            self.recipients += envelope.rcpt_tos
        return answer

    def _say(self, server: SMTP, command: str) -> str:
        if self.cut_at == command:
            server.transport.abort()
        return self.answers.get(command, "250 OK")


def serve(relay: Relay, **options: object) -> Callable[[], None]:
    """Start an SMTP server for a relay; returns what stops it."""
    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(
        loop.create_server(lambda: SMTP(relay, hostname="relay.test", loop=loop, **options), "127.0.0.1", 0)
    )
    relay.port = listening.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def close() -> None:
        listening.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def stop() -> None:
        asyncio.run_coroutine_threadsafe(close(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()

    return stop


@pytest.fixture
def relay() -> Iterator[Relay]:
    relay = Relay()
    stop = serve(relay)
    yield relay
    stop()


@pytest.fixture
def smtp(relay: Relay) -> Mailer:
    return connect(f"smtp://127.0.0.1:{relay.port}", sender=SENDER)


@dataclass
class Case:
    mailer: Mailer
    recipients: Callable[[], list[str]]


@pytest.fixture(params=["twin", "console", "smtp"])
def case(request: pytest.FixtureRequest, relay: Relay, smtp: Mailer) -> Case:
    if request.param == "smtp":
        return Case(smtp, lambda: relay.recipients)
    if request.param == "twin":
        twin = MailTwin()
        return Case(twin, lambda: [message.to for message in twin.sent])
    stream = io.StringIO()
    return Case(ConsoleMailer(sender=SENDER, stream=stream), lambda: re.findall(r"^To: (.*)$", stream.getvalue(), re.M))


def test_a_message_reaches_its_person_once(case: Case) -> None:
    case.mailer.check()
    case.mailer.send(HELLO)
    assert case.recipients() == ["jeanne@example.org"]


@pytest.mark.parametrize(
    "message",
    [
        Message("jeanne@example.org\nBcc: all@example.org", "s", "t"),
        Message("jeanne@example.org, all@example.org", "s", "t"),
        Message("Jeanne <jeanne@example.org>", "s", "t"),
        Message("", "s", "t"),
        Message("jeanne", "s", "t"),
        Message("jeanne@example.org", "s\r\nBcc: all@example.org", "t"),
        Message("jeanne@example.org", "s\u2028x", "t"),
        Message("jeanne@example.org", "s", "t", headers={"Bcc": "all@example.org"}),
        Message("jeanne@example.org", "s", "t", headers={"X-A\nBcc": "x"}),
        Message("jeanne@example.org", "s", "t", headers={"X-A": "x\nBcc: all@example.org"}),
        Message("jeanne@example.org", "s", "t", headers={"content-type": "text/html"}),
    ],
)
def test_nobody_can_slip_a_header_or_a_second_person_in(case: Case, message: Message) -> None:
    with pytest.raises(Refused):
        case.mailer.send(message)
    assert case.recipients() == []


@given(st.text(), st.text(), st.text())
def test_whatever_is_written_the_mail_has_our_headers_and_no_other(to: str, subject: str, text: str) -> None:
    try:
        mail = written(Message(to, subject, text), SENDER)
    except Refused:
        return
    read = email.message_from_bytes(mail.as_bytes(), policy=default)
    assert {name.lower() for name in read} <= {
        "from", "to", "subject", "date", "auto-submitted", "message-id", "mime-version", "content-type",
        "content-transfer-encoding",
    }  # fmt: skip
    assert len(read.get_all("to")) == 1
    assert mail.as_bytes().isascii()


def test_a_mail_arrives_as_it_was_written(relay: Relay, smtp: Mailer) -> None:
    smtp.send(HELLO)
    received = relay.received[0]
    assert received["Subject"] == HELLO.subject
    assert received["From"] == SENDER
    assert received["To"] == HELLO.to
    assert received.get_content().replace("\r\n", "\n").rstrip("\n") == HELLO.text
    assert received["Auto-Submitted"] == "auto-generated"
    assert received["Message-ID"].endswith("@hopital.example>")


def test_a_mail_may_have_a_second_form_and_headers_of_its_own(relay: Relay, smtp: Mailer) -> None:
    headers = {"Reply-To": "accueil@hopital.example", "Message-ID": "<one@hopital.example>"}
    smtp.send(Message("jeanne@example.org", "Bonjour", "texte", "<p>texte</p>", headers))
    received = relay.received[0]
    assert received.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in received.iter_parts()] == ["text/plain", "text/html"]
    assert received["Reply-To"] == "accueil@hopital.example"
    assert received.get_all("Message-ID") == ["<one@hopital.example>"]


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_a_temporary_no_can_be_tried_again(relay: Relay, smtp: Mailer, command: str) -> None:
    relay.answers = {command: "451 4.3.0 jeanne@example.org: try again"}
    with pytest.raises(Unavailable) as caught:
        smtp.send(HELLO)
    assert "451" in str(caught.value)
    assert "jeanne" not in str(caught.value)


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_a_final_no_is_a_refusal_without_the_address(relay: Relay, smtp: Mailer, command: str) -> None:
    relay.answers = {command: "550 5.1.1 jeanne@example.org: no such person"}
    with pytest.raises(Refused) as caught:
        smtp.send(HELLO)
    assert caught.value.code == "550"
    assert "jeanne" not in str(caught.value)
    assert relay.received == []


@pytest.mark.parametrize("command", ["MAIL", "RCPT"])
def test_a_line_cut_before_the_text_means_nothing_was_sent(relay: Relay, smtp: Mailer, command: str) -> None:
    relay.cut_at = command
    with pytest.raises(Unavailable):
        smtp.send(HELLO)


def test_a_line_cut_after_the_text_leaves_the_outcome_unknown(relay: Relay, smtp: Mailer) -> None:
    relay.cut_at = "DATA"
    with pytest.raises(OutcomeUnknown):
        smtp.send(HELLO)
    assert len(relay.received) == 1


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        free = listening.getsockname()[1]
    mailer = connect(f"smtp://127.0.0.1:{free}")
    with pytest.raises(Unavailable):
        mailer.check()
    with pytest.raises(Unavailable):
        mailer.send(HELLO)


def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = SmtpServer("127.0.0.1", listening.getsockname()[1])
        with pytest.raises(Unavailable):
            SmtpMailer(server, sender=SENDER, timeout_seconds=0.1).send(HELLO)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
@pytest.mark.parametrize(("password", "enters"), [("p:ss@word", True), ("wrong", False)])
def test_a_wrong_password_concerns_no_message(password: str, enters: bool) -> None:
    def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        return AuthResult(success=getattr(data, "password", b"") == b"p:ss@word", handled=False)

    relay = Relay()
    stop = serve(relay, authenticator=authenticate, auth_require_tls=False, auth_required=True)
    try:
        mailer = SmtpMailer(SmtpServer("127.0.0.1", relay.port, "parvis", password), sender=SENDER)
        if enters:
            mailer.send(HELLO)
            assert relay.recipients == [HELLO.to]
        else:
            with pytest.raises(Unavailable):
                mailer.send(HELLO)
    finally:
        stop()


def test_a_server_without_the_tls_we_ask_for_gets_nothing(relay: Relay) -> None:
    with pytest.raises(Unavailable):
        connect(f"smtp://127.0.0.1:{relay.port}?starttls=1").send(HELLO)
    assert relay.received == []


def test_a_password_never_travels_in_clear_nor_shows() -> None:
    with pytest.raises(UnsupportedUrl) as caught:
        connect("smtp://user:s3cret@mail.example")
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr(SmtpServer("mail.example", 25, "user", "s3cret"))
    connect("smtp://user:s3cret@mail.example?starttls=1")
    connect("smtps://user:s3cret@mail.example")


@pytest.mark.parametrize("url", ["", "mailto:x", "smtp:", "smtp://", "smtp://host:port"])
def test_a_url_nobody_can_open_is_told_at_once(url: str) -> None:
    with pytest.raises(UnsupportedUrl):
        connect(url)


def test_the_twin_can_be_told_to_fail() -> None:
    twin = MailTwin()
    twin.faults.cut_after = True
    with pytest.raises(OutcomeUnknown):
        twin.send(HELLO)
    assert twin.sent == [HELLO]
    twin.faults.refuses = True
    with pytest.raises(Refused):
        twin.send(HELLO)
    twin.faults.down = True
    with pytest.raises(Unavailable):
        twin.check()
    assert twin.sent == [HELLO]


def test_the_console_shows_what_a_person_needs(capsys: pytest.CaptureFixture[str]) -> None:
    connect("console:").send(HELLO)
    printed = capsys.readouterr().out
    assert "Subject: Un document vous attend – vérifiez" in printed
    assert "À bientôt" in printed
