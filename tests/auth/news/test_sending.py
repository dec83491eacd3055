"""A message leaves by the door of its channel, says nothing of what waits, and a door that fails stops no other."""

import email
import re
import socket
from collections.abc import Callable
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from auth.models import Account
from auth.news import boxes, sending, stopping
from auth.news import mails as words
from auth.news.models import NewsBox, NewsChoice, NewsHours, NewsMessage
from portal import db, jobs
from portal.db import Actor
from portal.gateways import Refused, Unavailable
from portal.gateways.mail import connect
from portal.gateways.mail.twin import MailTwin
from portal.kpi import KpiEvent
from portal.notifications import _outbox
from tests.auth.news.conftest import Ground
from tests.factories import news as made
from tests.ground import prepared, rows

BOX = "paul.leroy@medecin.mssante.fr"
Work = Callable[[], None]


@pytest.fixture
def awake(ground: Ground) -> Ground:
    """Nobody here has quiet hours: these tests run at any hour of any day."""
    with prepared():
        for account_id in (ground.doctor, ground.other, ground.agent):
            db.session.add(
                NewsHours(
                    account_id=account_id, quiet_from=0, quiet_until=0, daily_at=12, weekends=True,
                    time_zone="Europe/Paris",
                )
            )  # fmt: skip
    return ground


@pytest.fixture
def to_box(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str, str]]:
    """A door to professional boxes that keeps what leaves."""
    sent: list[tuple[str, str, str, str]] = []
    monkeypatch.setattr(boxes, "_send", [lambda *mail: sent.append(mail)])
    return sent


def waiting(account_id: object, channel: str = "mail", *, urgent: bool = False, **line: object) -> NewsMessage:
    """A message that is to leave, with its job."""
    with prepared():
        message = made.message(account_id, channel, urgent=urgent)  # type: ignore[arg-type]  # a key
        made.news(account_id, **{f"{channel}_id": message.id, "waiting": False} | line)  # type: ignore[arg-type]  # a key
        jobs.enqueue("news.send", message_id=str(message.id))
    return message


def state() -> tuple[str, str, str]:
    (message,) = rows(NewsMessage)
    return message.channel, message.state, message.because


def test_a_mail_leaves_by_a_real_server_and_names_nobody(
    awake: Ground, work_jobs: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[email.message.EmailMessage] = []

    class Keep:
        async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:
            parsed = email.message_from_bytes(envelope.original_content or b"", policy=default)
            received.append(parsed)  # type: ignore[arg-type]  # as the policy makes it
            return "250 taken"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    relay = Controller(Keep(), hostname="127.0.0.1", port=port)
    relay.start()
    try:
        monkeypatch.setattr(
            _outbox, "door", connect(f"smtp://127.0.0.1:{port}", sender="Parvis <p@hopital.exemple.test>")
        )
        waiting(awake.doctor, path="/pro/echanges/0c7e")
        work_jobs()
    finally:
        relay.stop()
    (mail,) = received
    said = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]  # a text
    assert state() == ("mail", "sent", "")
    assert "http://127.0.0.1/pro/echanges/0c7e" in said
    assert not re.search("leroy|martin|cardio|hôpital d’essai|@", said, re.I)
    assert str(mail["List-Unsubscribe"]).startswith("<http://127.0.0.1/nouvelles/arreter/")


def test_several_pages_lead_to_the_list_of_what_is_new(awake: Ground, work_jobs: Work, mails: MailTwin) -> None:
    message = waiting(awake.doctor, path="/pro/echanges/1")
    with prepared():
        made.news(awake.doctor, path="/pro/echanges/2", mail_id=message.id, waiting=False)
    work_jobs()
    assert "http://127.0.0.1/nouvelles\n" in mails.sent[0].text


def test_it_is_sent_once_however_often_its_job_runs(awake: Ground, work_jobs: Work, mails: MailTwin) -> None:
    message = waiting(awake.doctor)
    with prepared():
        jobs.enqueue("news.send", message_id=str(message.id))
    work_jobs()
    assert len(mails.sent) == 1


def test_a_server_that_is_away_is_asked_again(awake: Ground, work_jobs: Work, mails: MailTwin) -> None:
    mails.faults.down = True
    waiting(awake.doctor)
    work_jobs()
    assert state() == ("mail", "waiting", "")
    mails.faults.down = False
    _now()
    work_jobs()
    assert (state(), len(mails.sent)) == (("mail", "sent", ""), 1)


def test_a_server_that_was_cut_twice_is_asked_no_more(awake: Ground, work_jobs: Work, mails: MailTwin) -> None:
    mails.faults.cut_after = True
    waiting(awake.doctor)
    work_jobs()
    _now()
    work_jobs()
    _now()
    work_jobs()
    assert (state(), len(mails.sent)) == (("mail", "uncertain", "no_answer"), 2)


def test_an_address_that_is_refused_is_written_down(awake: Ground, work_jobs: Work, mails: MailTwin) -> None:
    mails.faults.refuses = True
    waiting(awake.doctor)
    work_jobs()
    assert state() == ("mail", "refused", "refused")


def test_one_refused_person_holds_up_nobody(awake: Ground, work_jobs: Work, mails: MailTwin) -> None:
    with prepared():
        db.session.get_one(Account, awake.doctor).email = "not an address"
    waiting(awake.doctor)
    waiting(awake.other)
    work_jobs()
    assert [mail.to for mail in mails.sent] == ["blanc@exemple.test"]


# -- professional boxes --------------------------------------------------------------------------------------------


def test_a_proven_box_takes_the_place_of_plain_mail(
    awake: Ground, work_jobs: Work, mails: MailTwin, to_box: list[tuple[str, str, str, str]]
) -> None:
    with prepared():
        made.box(awake.doctor, BOX)
    message = waiting(awake.doctor, "mssante")
    work_jobs()
    ((address, _subject, said, key),) = to_box
    assert (address, key, mails.sent) == (BOX, str(message.id), [])
    assert "http://127.0.0.1/pro" in said


@pytest.mark.parametrize(
    ("error", "because"), [(boxes.NoBox(), "no_box"), (Refused("550"), "refused")], ids=["no box", "refused"]
)
def test_plain_mail_takes_the_place_of_a_box_that_cannot_be_written_to(
    awake: Ground, work_jobs: Work, mails: MailTwin, monkeypatch: pytest.MonkeyPatch, error: Exception, because: str
) -> None:
    def fail(*_mail: str) -> None:
        raise error

    monkeypatch.setattr(boxes, "_send", [fail])
    with prepared():
        made.box(awake.doctor, BOX)
    waiting(awake.doctor, "mssante")
    work_jobs()
    assert [mail.to for mail in mails.sent] == ["leroy@exemple.test"]
    assert state() == ("mail", "sent", "")
    assert rows(NewsBox)[0].trouble == because


def test_whoever_is_told_by_mail_anyway_gets_no_second_one(
    awake: Ground, work_jobs: Work, mails: MailTwin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boxes, "_send", [])
    with prepared():
        made.box(awake.doctor, BOX)
        db.session.add(NewsChoice(account_id=awake.doctor, kind="messages", channel="mail", rhythm="at_once"))
    waiting(awake.doctor, "mssante")
    work_jobs()
    assert (mails.sent, state()) == ([], ("mssante", "refused", "no_box"))


def test_an_operator_that_is_away_for_hours_gives_way_to_plain_mail(
    awake: Ground, work_jobs: Work, mails: MailTwin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_mail: str) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(boxes, "_send", [fail])
    with prepared():
        made.box(awake.doctor, BOX)
    waiting(awake.doctor, "mssante")
    work_jobs()
    assert state()[:2] == ("mssante", "waiting")
    with prepared():
        db.session.execute(text("update news_message set formed_at = formed_at - interval '3 hours'"))
    _now()
    work_jobs()
    assert len(mails.sent) == 1


# -- stopping ------------------------------------------------------------------------------------------------------


def _stop_path(ground: Ground, *kinds: str) -> str:
    return words.stop_path(ground.doctor, "mail", kinds)


def test_looking_at_the_page_that_stops_changes_nothing(awake: Ground, client: FlaskClient) -> None:
    assert client.get(_stop_path(awake, "communities")).status_code == 200
    assert rows(NewsChoice) == []


def test_one_gesture_without_signing_in_stops_a_kind(
    awake: Ground, client: FlaskClient, work_jobs: Work, mails: MailTwin
) -> None:
    waiting(awake.doctor, kind="communities")
    with prepared():
        db.session.execute(text("update news_message set kinds = '{communities}'"))
    page = client.post(mails_stop := _stop_path(awake, "communities"))
    assert page.status_code == 200, mails_stop
    (choice,) = rows(NewsChoice)
    assert (choice.account_id, choice.kind, choice.channel, choice.rhythm) == (
        awake.doctor, "communities", "mail", "never",
    )  # fmt: skip
    work_jobs()
    assert (mails.sent, state()) == ([], ("mail", "withheld", "stopped"))


def test_what_must_be_heard_of_does_not_stop(awake: Ground, client: FlaskClient) -> None:
    assert client.post(_stop_path(awake, "messages", "communities")).status_code == 200
    assert [choice.kind for choice in rows(NewsChoice)] == ["communities"]


@pytest.mark.parametrize("change", ["kind", "channel", "account", "token"])
def test_an_address_that_we_did_not_write_is_not_found(awake: Ground, client: FlaskClient, change: str) -> None:
    path = _stop_path(awake, "communities")
    changed = {
        "kind": path.replace("communities", "appointments"),
        "channel": path.replace("/mail/", "/mssante/"),
        "account": path.replace(str(awake.doctor), str(awake.other)),
        "token": path[:-3] + "abc",
    }[change]
    assert client.post(changed).status_code == 404
    assert rows(NewsChoice) == []


def test_a_token_names_known_kinds_only(app: Flask, ground: Ground) -> None:
    token = stopping.token(ground.doctor, "mail", "gossip")
    assert stopping.read(ground.doctor, "mail", "gossip", token) == []
    assert stopping.read(ground.doctor, "mail", "gossip", "é") == []


# -- figures -------------------------------------------------------------------------------------------------------


def test_what_was_told_and_withheld_is_counted(awake: Ground, work_jobs: Work, mails: MailTwin) -> None:
    waiting(awake.doctor)
    withheld = waiting(awake.other)
    with prepared():
        db.session.execute(text("update news set read_at = now() where mail_id = :id"), {"id": withheld.id})
    work_jobs()
    with prepared():
        found = db.session.execute(
            select(KpiEvent.event, KpiEvent.quantity).where(KpiEvent.event.in_(("news_told", "news_withheld")))
        ).all()
    assert sorted(map(tuple, found)) == [("news_told", 1), ("news_withheld", 1)]


def test_a_message_that_is_gone_is_nobody_s(app: Flask, ground: Ground) -> None:
    with db.transaction(Actor("system", "tests")):
        assert sending.prepare(ground.doctor, db.now()) is None


def _now() -> None:
    """The wait of the jobs that failed is over."""
    with prepared():
        db.session.execute(text("update procrastinate_jobs set scheduled_at = now() where status = 'todo'"))
