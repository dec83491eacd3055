"""The twin is an operator for any client: asked here with the standard library's, and by what it sends back."""

import imaplib
import os
import smtplib
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from portal.gateways import OutcomeUnknown, Unavailable
from portal.gateways.mssante import Box, Papers, Place, Submission, connect
from portal.gateways.mssante.twin import Habits, Kind, Receipt, RunningTwin
from portal.gateways.mssante.twin.addresses import CORRESPONDENTS, HOSPITAL_BOXES, PASSWORD, open_all
from portal.gateways.mssante.twin.process import PAPERS, bring_letters, holder_at, write_papers
from tests.gateways.conftest import Portal
from tests.gateways.mssante.conftest import OURS, SECRET, THEIRS, Ground, mail

CITIZEN = "279035121518989@patient.mssante.fr"


@contextmanager
def imap_to(twin: RunningTwin) -> Iterator[imaplib.IMAP4]:
    with imaplib.IMAP4("127.0.0.1", twin._imap.port, timeout=10) as client:
        client.starttls(ssl.create_default_context(cadata=twin.papers.anchors))
        client.login(OURS, SECRET)
        yield client


def came_back(ground: Ground) -> list[EmailMessage]:
    found = [message_from_bytes(raw, policy=policy.default) for raw in ground.ours.contents()]
    assert all(isinstance(each, EmailMessage) and not each.defects for each in found)
    return found  # type: ignore[return-value]  # looked at just above


def send(ground: Ground, recipient: str, raw: bytes = b"") -> None:
    ground.operator().submit(ground.box, Submission([recipient], raw or mail()))


def asking(raw: bytes) -> bytes:
    return b"Disposition-Notification-To: Cardiologie <" + OURS.encode() + b">\r\n" + raw


@pytest.mark.parametrize("mechanism", ["auth_plain", "auth_login"])
def test_another_client_may_submit(ground: Ground, mechanism: str) -> None:
    with smtplib.SMTP("127.0.0.1", ground.twin._smtp.port, "[127.0.0.1]", timeout=10) as session:
        session.starttls(context=ssl.create_default_context(cadata=ground.twin.papers.anchors))
        session.ehlo()
        session.user, session.password = OURS, SECRET
        session.auth(mechanism.removeprefix("auth_").upper(), getattr(session, mechanism))
        assert session.sendmail(OURS, [THEIRS, "personne@medecin.mssante.fr"], mail()).keys() == {
            "personne@medecin.mssante.fr"
        }
        session.sendmail(OURS, [THEIRS], b"Subject: .\r\n\r\n.\r\n..\r\n")
    assert [raw.partition(b"\r\n")[2] for raw in ground.theirs.contents()] == [
        mail(), b"Subject: .\r\n\r\n.\r\n..\r\n",
    ]  # fmt: skip


def test_nobody_submits_without_signing_in_or_in_clear(ground: Ground) -> None:
    with smtplib.SMTP("127.0.0.1", ground.twin._smtp.port, "[127.0.0.1]", timeout=10) as session:
        session.ehlo()
        assert not session.has_extn("auth")
        assert session.docmd("AUTH", "PLAIN AAAA")[0] == 538
        assert session.docmd("MAIL", f"FROM:<{OURS}>")[0] == 530
        assert session.docmd("RCPT", f"TO:<{THEIRS}>")[0] == 503
        assert session.docmd("DATA")[0] == 503
        assert session.docmd("EXPN", "all")[0] == 502


def test_another_client_may_read(ground: Ground) -> None:
    for number in (1, 2, 3):
        ground.ours.put(mail(number))
    with imap_to(ground.twin) as client:
        assert client.list()[0] == "OK"
        assert client.select("INBOX") == ("OK", [b"3"])
        assert client.search(None, "ALL") == ("OK", [b"1 2 3"])
        kind, found = client.fetch("2", "(RFC822)")
        assert (kind, found[0][1]) == ("OK", mail(2))
        assert client.search(None, "SEEN") == ("OK", [b"2"])
        assert client.search(None, "SEEN", "UID", "1,3") == ("OK", [b""])
        _kind, [head, _end] = client.fetch("1", "(FLAGS BODY.PEEK[HEADER] INTERNALDATE RFC822.SIZE)")
        assert head[1] == mail(1).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        assert client.uid("STORE", "1:2", "+FLAGS", "($ParvisTaken)")[0] == "OK"
        assert client.uid("SEARCH", "KEYWORD", "$ParvisTaken") == ("OK", [b"1 2"])
        assert client.uid("STORE", "1", "-FLAGS.SILENT", "($ParvisTaken)")[0] == "OK"
        assert client.uid("SEARCH", "UNKEYWORD", "$ParvisTaken", "UID", "1:*") == ("OK", [b"1 3"])
        assert client.uid("FETCH", "3", "(BODY.PEEK[]<5.10>)")[1][0][1] == mail(3)[5:15]
        assert client.uid("STORE", "1", "+FLAGS", r"(\Deleted)")[0] == "NO"
        with pytest.raises(imaplib.IMAP4.error):
            client.search(None, "FROM", "adam")
        assert client.close()[0] == "OK"


def test_nobody_reads_without_signing_in_or_in_clear(ground: Ground) -> None:
    with imaplib.IMAP4("127.0.0.1", ground.twin._imap.port, timeout=10) as client:
        with pytest.raises(imaplib.IMAP4.error):
            client.login(OURS, SECRET)
        with pytest.raises(imaplib.IMAP4.error):
            client.authenticate("PLAIN", lambda _challenge: f"\0{OURS}\0{SECRET}".encode())
        client.starttls(ssl.create_default_context(cadata=ground.twin.papers.anchors))
        with pytest.raises(imaplib.IMAP4.error):
            client.login(OURS, "wrong")
        with pytest.raises(imaplib.IMAP4.error):
            client.select("INBOX")


@pytest.mark.parametrize(
    ("recipient", "status"),
    [("personne@ailleurs.mssante.fr", "5.1.1"), ("ferme@medecin.mssante.fr", "5.2.1"), (CITIZEN, "5.1.1"),
     ("jean.dupont@patient.mssante.fr", "5.1.3"), ("petit@medecin.mssante.fr", "5.3.4")],
)  # fmt: skip
def test_what_cannot_be_delivered_comes_back_with_its_reason(ground: Ground, recipient: str, status: str) -> None:
    ground.twin.open_box("ferme@medecin.mssante.fr").closed = True
    ground.twin.open_box("petit@medecin.mssante.fr").limit = 10
    send(ground, recipient)
    [bounce] = came_back(ground)
    assert bounce.get_content_type() == "multipart/report"
    assert bounce["Content-Type"].params["report-type"] == "delivery-status"
    _text, report, original = bounce.iter_parts()
    _about, told = report.get_payload()
    assert (told["Action"], told["Status"]) == ("failed", status)
    assert told["Final-Recipient"].endswith(recipient)
    assert "<1@ch-essai.mssante.fr>" in original.get_content()


def test_a_mail_may_be_late_and_is_said_to_be(ground: Ground) -> None:
    ground.theirs.is_away = True
    send(ground, THEIRS)
    [late] = came_back(ground)
    assert list(late.iter_parts())[1].get_payload()[1]["Action"] == "delayed"
    assert ground.theirs.mails == []
    ground.twin.post.release()
    assert len(ground.theirs.mails) == 1


def test_a_citizen_takes_25_mb_and_no_more(ground: Ground) -> None:
    ground.twin.post.size_limit = 40 * 2**20
    citizen = ground.twin.open_box(CITIZEN, Kind.CITIZEN)
    send(ground, CITIZEN.upper().replace("PATIENT.MSSANTE.FR", "patient.mssante.fr"), mail(size=24 * 2**20))
    assert len(citizen.mails) == 1
    send(ground, CITIZEN, mail(size=26 * 2**20))
    assert (len(citizen.mails), len(ground.ours.mails)) == (1, 1)


@pytest.mark.parametrize(
    ("kind", "told"),
    [(Receipt.READ, b"Disposition: manual-action/MDN-sent-manually; displayed\r\n"),
     (Receipt.PROCESSED, b"Disposition: automatic-action/MDN-sent-automatically; processed\r\n"),
     (Receipt.KO, b"; processed/error\r\nError: 902^"), (Receipt.KO_OLD, b"; processed/Error: 902^")],
)  # fmt: skip
def test_correspondents_return_receipts_in_each_spelling(ground: Ground, kind: Receipt, told: bytes) -> None:
    ground.theirs.habits = Habits(receipt=kind)
    send(ground, THEIRS)
    assert came_back(ground) == []
    send(ground, THEIRS, asking(mail()))
    [receipt] = came_back(ground)
    assert told in ground.ours.mails[0].content
    assert receipt["Content-Type"].params["report-type"] == "disposition-notification"
    original = list(receipt.iter_parts())[2]
    assert original.get_content_type() == "message/rfc822"
    assert original.get_content()["Message-ID"] == "<1@ch-essai.mssante.fr>"
    assert receipt["Subject"].startswith("[KO Intégration système !][902] ") is (kind in (Receipt.KO, Receipt.KO_OLD))


def test_an_absent_correspondent_answers_people_and_no_machine(ground: Ground) -> None:
    ground.theirs.habits = Habits(away="Je suis absent.")
    send(ground, THEIRS)
    [away] = came_back(ground)
    assert away["Auto-Submitted"] == "auto-replied"
    assert away["In-Reply-To"] == "<1@ch-essai.mssante.fr>"
    send(ground, THEIRS, b"Auto-Submitted: auto-replied\r\n" + mail())
    assert len(ground.ours.mails) == 1


def test_a_correspondent_answers_with_a_package(ground: Ground) -> None:
    ground.theirs.habits = Habits(answers="Merci.", package=b"PK\x03\x04 a package")
    send(ground, THEIRS)
    [answer] = came_back(ground)
    [joined] = answer.iter_attachments()
    assert (joined.get_filename(), joined.get_content()) == ("IHE_XDM.ZIP", b"PK\x03\x04 a package")
    assert answer["References"] == "<1@ch-essai.mssante.fr>"


def test_two_machines_that_answer_each_other_end_by_hops(ground: Ground) -> None:
    ground.theirs.habits = ground.ours.habits = Habits(loops=True)
    send(ground, THEIRS)
    assert 2 < len(ground.ours.mails) + len(ground.theirs.mails) < 30


def test_the_demonstration_has_boxes_for_both_hospitals_and_people_to_write_to(ground: Ground) -> None:
    open_all(ground.twin.post)
    assert {each.finess for each in HOSPITAL_BOXES} == {"990000011", "990000029"}
    operator = connect(ground.twin.url(password=PASSWORD), ground.twin.papers, production=False)
    for each in HOSPITAL_BOXES:
        operator.check(Box(each.address))
    operator.submit(Box(HOSPITAL_BOXES[0].address), Submission([each.address for each in CORRESPONDENTS], mail()))
    with operator.read(Box(HOSPITAL_BOXES[0].address), Place()) as reading:
        assert len(list(reading.waiting(100))) == 2  # a closed box and an absence


def test_a_persons_box_opens_with_their_token_while_it_lives(ground: Ground, portal: Portal) -> None:
    ground.ours.holder = "899700000021"
    ground.twin.post.holder_of = {"good": "899700000021", "of another": "899700000013"}.get  # type: ignore[assignment]  # "" or None: nobody
    operator = ground.operator("xoauth2")
    operator.check(Box(OURS, "good"))
    for token in ("of another", "ended"):
        with pytest.raises(Exception, match="let this box in"):
            operator.check(Box(OURS, token))
    assert holder_at(portal.url)("a token") == ""
    assert portal.calls[0][0] == "GET"


def test_its_papers_and_letters_are_files(ground: Ground, tmp_path: Path) -> None:
    write_papers(ground.twin, tmp_path / "papers")
    paths = [str(tmp_path / "papers" / name) for name in PAPERS]
    assert {os.stat(path).st_mode & 0o077 for path in paths} == {0}
    connect(ground.twin.url("client_cert"), Papers(*paths), production=False).check(Box(OURS))
    (tmp_path / "one.eml").write_bytes(mail())
    bring_letters(ground.twin.post, tmp_path)
    assert len(ground.theirs.mails) == 1


@pytest.mark.parametrize(("point", "fact"), [("in_data", Unavailable), ("after_taking", OutcomeUnknown)])
def test_an_operator_killed_in_the_middle_of_a_transfer_is_told_as_it_is(
    tmp_path: Path, point: str, fact: type[Exception]
) -> None:
    command = ["-m", "portal.gateways.mssante.twin", "--papers", str(tmp_path), "--fault", f"silent_at={point}"]
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().rpartition(" ")[2].strip()
        operator = connect(url, Papers(*(str(tmp_path / name) for name in PAPERS)), production=False)
        submission = Submission([THEIRS], mail(size=9_000_000 if point == "in_data" else 0))
        killing = threading.Timer(0.5, process.kill)
        killing.start()
        with pytest.raises(fact):
            operator.submit(Box(HOSPITAL_BOXES[0].address), submission)
        killing.join()
