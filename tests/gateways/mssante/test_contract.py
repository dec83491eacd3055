"""What the door promises of a submission, whoever wrote the operator's server: asked of the twin and of aiosmtpd."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from portal.gateways import OutcomeUnknown, Refused, Unavailable
from portal.gateways.mssante import Box, NobodyTaken, NotLetIn, Operator, Submission, TooLarge, connect
from portal.gateways.mssante.twin import Kind, Point, RunningTwin, start_in_thread
from tests.gateways.mssante.conftest import OURS, SECRET, THEIRS, mail

NOBODY = "personne@medecin.mssante.fr"
LIMIT = 2_000_000


@dataclass
class Other:
    """aiosmtpd, with the twin's certificate. cuts: when it hangs up; says: what it answers to the text."""

    cuts: str = ""
    says: str = "250 OK"
    arrived: list[bytes] = field(default_factory=list)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.cuts == "before":
            server.transport.abort()
        if address == NOBODY:
            return "550 5.1.1 nobody"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.says.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.arrived.append(envelope.content)
        if self.cuts == "after":
            server.transport.abort()
        return self.says


def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword) -> AuthResult:
    return AuthResult(success=(data.login.decode(), data.password.decode()) == (OURS, SECRET), handled=False)


@dataclass
class Case:
    operator: Operator
    arrived: Callable[[], list[bytes]]
    cut: Callable[[str], None]
    refuse: Callable[[str], None]


def of_twin(twin: RunningTwin) -> Case:
    def cut(when: str) -> None:
        twin.faults.cut_at = Point.RCPT if when == "before" else Point.AFTER_TAKING

    def refuse(answer: str) -> None:
        twin.faults.answers = {Point.BEFORE_TAKING: answer}

    theirs = twin.open_box(THEIRS)
    operator = connect(twin.url(), twin.papers, production=False)
    return Case(operator, lambda: [raw.partition(b"\r\n")[2] for raw in theirs.contents()], cut, refuse)


def of_other(twin: RunningTwin, other: Other, port: int) -> Case:
    url = f"smtp+imap://127.0.0.1:{port}?imap=127.0.0.1:{twin._imap.port}&auth=password"
    operator = connect(url, twin.papers, production=False)
    return Case(
        operator,
        lambda: other.arrived,
        lambda when: setattr(other, "cuts", when),
        lambda answer: setattr(other, "says", answer),
    )


@pytest.fixture(params=["twin", "aiosmtpd"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    with start_in_thread() as twin:
        twin.post.size_limit = LIMIT
        twin.open_box(OURS, Kind.ORG, SECRET)
        if request.param == "twin":
            yield of_twin(twin)
            return
        other = Other()
        port, stop = listening(other, twin, tmp_path)
        yield of_other(twin, other, port)
        stop()


def listening(other: Other, twin: RunningTwin, folder: Path) -> tuple[int, Callable[[], None]]:
    loop = asyncio.new_event_loop()

    def conversation() -> SMTP:
        return SMTP(
            other, hostname="other.test", loop=loop, tls_context=shown(twin, folder), require_starttls=True,
            authenticator=authenticate, auth_required=True, data_size_limit=LIMIT,
        )  # fmt: skip

    server = loop.run_until_complete(loop.create_server(conversation, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def close() -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def stop() -> None:
        asyncio.run_coroutine_threadsafe(close(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()

    return server.sockets[0].getsockname()[1], stop


def shown(twin: RunningTwin, folder: Path) -> ssl.SSLContext:
    issued = twin.wallet.authority.issue("Autre serveur", hosts=("127.0.0.1",))
    path = folder / "paper.pem"
    path.write_text(issued.key + issued.certificate)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(path)
    return made


def submit(case: Case, raw: bytes, *others: str, secret: str = SECRET) -> dict[str, str]:
    return case.operator.submit(Box(OURS, secret), Submission([*others, THEIRS], raw)).refused


def test_a_mail_arrives_as_it_was_written(case: Case) -> None:
    raw = mail() + b".\r\n..\r\n.fin\r\n"
    assert submit(case, raw) == {}
    assert case.arrived() == [raw]


def test_a_large_mail_arrives_whole(case: Case) -> None:
    raw = mail(size=1_900_000)
    submit(case, raw)
    assert case.arrived() == [raw]


def test_the_announced_size_is_respected(case: Case) -> None:
    assert case.operator.size_limit(Box(OURS, SECRET)) == LIMIT
    with pytest.raises(TooLarge):
        submit(case, mail(size=LIMIT + 1000))


def test_each_recipient_is_refused_by_itself(case: Case) -> None:
    assert submit(case, mail(), NOBODY) == {NOBODY: "550 5.1.1"}
    assert len(case.arrived()) == 1
    with pytest.raises(NobodyTaken):
        case.operator.submit(Box(OURS, SECRET), Submission([NOBODY], mail()))


def test_a_wrong_secret_says_nothing_of_the_mail(case: Case) -> None:
    with pytest.raises(NotLetIn):
        submit(case, mail(), secret="wrong")
    assert case.arrived() == []


def test_a_line_cut_before_the_text_means_that_nobody_has_it(case: Case) -> None:
    case.cut("before")
    with pytest.raises(Unavailable):
        submit(case, mail())
    assert case.arrived() == []


def test_a_line_cut_after_the_text_leaves_the_outcome_unknown(case: Case) -> None:
    case.cut("after")
    with pytest.raises(OutcomeUnknown):
        submit(case, mail())
    assert len(case.arrived()) == 1


@pytest.mark.parametrize(("answer", "fact"), [("451 4.3.0 later", Unavailable), ("554 5.6.0 never", Refused)])
def test_a_no_to_the_text_is_final_or_not(case: Case, answer: str, fact: type[Exception]) -> None:
    case.refuse(answer)
    with pytest.raises(fact):
        submit(case, mail())
    assert case.arrived() == []
