"""Units write by MSSanté: what leaves is told honestly, once, from our boxes, whatever the operator does."""

import email
from collections.abc import Callable
from email import policy

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from portal import db, establishments
from portal.db import session
from portal.gateways.mssante import NotLetIn
from portal.gateways.mssante.twin import Habits, Kind, Point, Receipt
from portal.jobs import enqueue
from portal.kpi import KpiEvent
from services.documents import mailboxes
from services.documents.exchanges.actions import Words
from services.documents.exchanges.models import Exchange
from services.documents.mailboxes import actions, jobs, oppositions, queries
from services.documents.mailboxes.actions import reading, sending
from services.documents.mailboxes.commands import mailbox
from services.documents.mailboxes.models import Mailbox, MailboxReading, Transmission, TransmissionChange
from tests.factories import documents
from tests.services.documents.boxes import CITIZEN, OURS, THEIRS, Post, opening
from tests.services.documents.boxes import post as post

PDF = documents.pdf("Courrier")


def told(post: Post) -> tuple[str, str]:
    found = post.transmission
    return found.state, found.reason


# -- what leaves ---------------------------------------------------------------------------------------------------


def test_a_message_leaves_from_the_unit_s_box_and_its_state_is_accepted(post: Post) -> None:
    post.write("Bonjour,\nvotre avis ?", receipt_wanted=True)
    assert told(post) == ("waiting", "")
    post.send()
    assert told(post) == ("accepted", "")
    (raw,) = post.theirs.contents()
    seen = email.message_from_bytes(raw, policy=policy.default)
    assert OURS in seen["From"]
    assert "Cardiologie" in seen["From"]
    assert seen["Reply-To"] == OURS
    assert seen["Message-ID"] == post.transmission.message_key
    assert seen["X-MSS-NIL"]
    assert seen["Disposition-Notification-To"] == OURS


def test_a_letter_about_a_recognised_patient_leaves_as_a_package_with_its_copy(post: Post) -> None:
    post.write(about=post.ground.patient, joined=[("cr.pdf", PDF)])
    post.send()
    assert told(post) == ("accepted", "")
    seen = email.message_from_bytes(next(iter(post.theirs.contents())), policy=policy.default)
    names = [part.get_filename() for part in seen.iter_attachments()]
    assert names[0] == "IHE_XDM.ZIP"
    assert names[1].endswith(".pdf")
    assert seen["Subject"].startswith("XDM/1.0/DDM+")
    assert "PAT-TROIS DOMINIQUE 28/03/1979" in seen["Subject"].upper()
    assert seen["X-MSS-INS"] == "O"


def test_a_file_about_nobody_recognised_leaves_as_a_plain_pdf(post: Post) -> None:
    post.write(joined=[("cr.pdf", PDF)])
    post.send()
    seen = email.message_from_bytes(next(iter(post.theirs.contents())), policy=policy.default)
    assert [part.get_filename() for part in seen.iter_attachments()] == ["cr.pdf"]
    assert seen["X-MSS-INS"] == "N"


def test_an_identity_that_is_not_qualified_leaves_without_its_national_number(post: Post) -> None:
    with opening():
        patient = session.merge(post.ground.patient)
        patient.identity_status = "VALI"
    post.write(about=post.ground.patient, joined=[("cr.pdf", PDF)])
    post.send()
    raw = next(iter(post.theirs.contents()))
    assert email.message_from_bytes(raw)["X-MSS-INS"] == "N"
    assert documents.TEST_INS.encode() not in raw


def test_answers_of_one_thread_follow_each_other(post: Post) -> None:
    thread = post.write("Un")
    post.answer(thread, Words("Deux"))
    post.send()
    first, second = (email.message_from_bytes(raw) for raw in post.theirs.contents())
    assert second["In-Reply-To"] == first["Message-ID"]
    assert first["Message-ID"] in second["References"]


def test_what_cancels_and_replaces_says_so_and_is_the_next_version(post: Post) -> None:
    thread = post.write(about=post.ground.patient, joined=[("cr.pdf", PDF)])
    former = post.messages()[0]
    with opening():
        pass
    with db.transaction(post.ground.as_agent):
        file_id = post._upload("cr.pdf", documents.pdf("Corrigé"))
    post.answer(thread, Words("", [file_id], replaces_id=former.id))
    post.send()
    first, second = (email.message_from_bytes(raw, policy=policy.default) for raw in post.theirs.contents())
    assert second["Subject"].startswith("[Annule et remplace] XDM/1.0/DDM+")
    assert second["In-Reply-To"] == first["Message-ID"]


# -- what may not leave --------------------------------------------------------------------------------------------


def test_what_a_patient_opposes_does_not_leave(post: Post) -> None:
    with db.transaction(post.ground.as_agent):
        opposed = oppositions.oppose(post.ground.patient.id, post.ground.here, "professional")
    post.write(about=post.ground.patient)
    post.send()
    assert told(post) == ("refused", "opposed")
    assert not post.theirs.now()
    with db.transaction(post.ground.as_agent):
        oppositions.withdraw(session.merge(opposed))
        actions.send_again(session.merge(post.transmission))
    post.send()
    assert told(post) == ("accepted", "")


def test_a_citizen_is_written_to_from_a_qualified_identity_alone(post: Post) -> None:
    citizen = post.twin.open_box(CITIZEN, Kind.CITIZEN)
    post.write(to=CITIZEN)
    post.send()
    assert told(post) == ("refused", "not_qualified")
    assert not citizen.now()


def test_a_citizen_with_a_qualified_identity_gets_the_letter(post: Post) -> None:
    citizen = post.twin.open_box(CITIZEN, Kind.CITIZEN)
    thread = post.write(to=CITIZEN, about=post.ground.patient, joined=[("cr.pdf", PDF)])
    with opening():
        session.get_one(Exchange, thread).state = "closed"
    post.send()
    assert told(post) == ("accepted", "")
    assert email.message_from_bytes(citizen.now()[0].content)["X-MSS-MES"] == "FIN"


def test_a_closed_box_sends_nothing(post: Post) -> None:
    with opening():
        actions.close_box(session.get_one(Mailbox, post.box_id))
    post.write()
    post.send()
    assert told(post) == ("refused", "box_closed")


def test_a_hospital_without_operator_is_told_so(post: Post) -> None:
    with opening():
        establishments.change_setting(post.ground.here, "mssante_url", "")
    post.write()
    post.send()
    assert told(post) == ("refused", "no_operator")


def test_a_mail_that_is_too_large_for_the_operator_is_refused(post: Post) -> None:
    post.twin.post.size_limit = 2000
    post.write("Bonjour " * 400)
    post.send()
    assert told(post) == ("refused", "too_large")


def test_an_unknown_recipient_is_refused_with_its_code_and_can_be_sent_elsewhere(post: Post) -> None:
    post.write(to="inconnu@medecin.mssante.fr")
    post.send()
    refused = post.transmission
    assert (refused.state, refused.reason) == ("refused", "unknown_recipient")
    assert refused.code == "550 5.1.1"
    with db.transaction(post.ground.as_agent):
        actions.send_elsewhere(session.merge(refused), f"  {THEIRS.upper()}")
    post.send()
    former, again = post.transmissions()
    assert (former.state, former.reason) == ("given_up", "other_address")
    assert (again.state, again.address) == ("accepted", THEIRS)
    assert len(post.theirs.now()) == 1


# -- an operator that drops ----------------------------------------------------------------------------------------

BEFORE_THE_DOT = [
    Point.GREETING, Point.EHLO, Point.STARTTLS, Point.HANDSHAKE, Point.EHLO_AGAIN, Point.AUTH, Point.MAIL, Point.RCPT,
    Point.DATA,
]  # fmt: skip


@pytest.mark.parametrize("point", BEFORE_THE_DOT)
def test_a_mail_waits_when_the_operator_drops_before_it_has_it(post: Post, point: Point) -> None:
    post.twin.faults.cut_at = point
    post.write()
    post.send()
    assert post.transmission.state == "waiting"
    assert post.transmission.next_at
    post.twin.faults.clear()
    post.in_time()
    post.send()
    assert told(post) == ("accepted", "")
    assert len(post.theirs.now()) == 1


@pytest.mark.parametrize("point", [Point.IN_DATA, Point.BEFORE_TAKING, Point.AFTER_TAKING])
def test_when_nobody_knows_it_leaves_again_under_the_same_name(post: Post, point: Point) -> None:
    post.twin.faults.cut_at, post.twin.faults.times = point, 1
    post.write()
    post.send()
    assert told(post) == ("uncertain", "cut")
    post.send()
    assert told(post) == ("uncertain", "cut"), "not at once: a receipt may come"
    post.in_time()
    post.send()
    assert told(post) == ("accepted", "")
    names = {email.message_from_bytes(raw)["Message-ID"] for raw in post.theirs.contents()}
    assert names == {post.transmission.message_key}


def test_a_sender_killed_after_the_operator_took_the_mail_says_that_nobody_knows(post: Post) -> None:
    post.write()

    class Killed(BaseException):
        """As a signal would."""

    def dying() -> object:
        raise Killed

    with pytest.raises(Killed):
        jobs.send(post.transmission.id, opening, dying)  # type: ignore[arg-type]  # it never returns
    assert len(post.theirs.now()) == 1
    post.in_time()
    post.send()
    assert told(post) == ("uncertain", "cut")
    post.in_time()
    post.send()
    assert told(post) == ("accepted", "")


def test_an_operator_that_failed_is_left_alone_and_costs_no_try(post: Post) -> None:
    post.twin.faults.down = True
    post.write()
    post.send()
    assert told(post) == ("waiting", "away")
    post.write("Un autre")
    post.send()
    assert [each.tries for each in post.transmissions()] == [1, 0]


def test_the_last_try_is_given_up_and_told(post: Post) -> None:
    post.twin.faults.down = True
    post.write()
    with opening():
        session.scalars(select(Transmission)).one().tries = sending.MOST_TRIES - 1
    post.send()
    assert told(post) == ("given_up", "away")
    post.twin.faults.clear()
    post.in_time()
    with db.transaction(post.ground.as_agent):
        actions.send_again(session.merge(post.transmission))
    post.send()
    assert told(post) == ("accepted", "")


def test_each_step_leaves_a_line_that_nobody_edits(post: Post) -> None:
    post.twin.faults.down = True
    post.write()
    post.send()
    post.twin.faults.clear()
    post.in_time()
    post.send()
    with opening():
        steps = session.scalars(select(TransmissionChange.to_state).order_by(TransmissionChange.at)).all()
    assert steps == ["waiting", "waiting", "accepted"]


# -- what operators type and watch ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["990000017", "accueil@ch-essai.mssante.fr", "APP"], ""),
        (["990000017", "accueil@ch-essai.mssante.fr", "APP", "http://ailleurs"], "smtp+imap"),
        (["990000017", "accueil", "ORG"], "is not the address of a hospital's box"),
        (["990000017", "a@ch-essai.mssante.fr", "PER"], "needs --holder"),
        (["990000017", "a@ch-essai.mssante.fr", "ORG", "--unit", "9999"], "no unit 9999"),
        (["000000000", "a@ch-essai.mssante.fr", "ORG"], "No hospital has the FINESS number"),
        (["990000017", OURS, "ORG"], "declared already"),
    ],
)
def test_a_box_is_declared_from_the_command_line(post: Post, app: Flask, arguments: list[str], told: str) -> None:
    finess = post.ground.hospital.establishment.finess
    typed = [finess if each == "990000017" else each for each in arguments]
    result = CliRunner().invoke(mailbox, ["add", *typed], obj=lambda *_settings: app)
    assert (told in result.output) if told else result.exit_code == 0, result.output
    if not told:
        with opening():
            assert session.scalars(select(Mailbox).where(Mailbox.kind == "APP")).one().address == typed[1]


def test_the_check_has_a_line_for_each_box(post: Post) -> None:
    with opening():
        ways = mailboxes.ways()
        way = ways[OURS]
    assert not isinstance(way, str)
    way.check()
    post.ours.password = "un autre"
    with pytest.raises(NotLetIn):
        way.check()
    with opening():
        establishments.change_setting(post.ground.here, "mssante_url", "")
        assert "no operator" in str(mailboxes.ways()[OURS])


def test_what_waits_and_fails_is_counted(post: Post) -> None:
    post.write()
    post.ours.put(b"\x00\xff" * 50)
    post.poll()
    with opening():
        assert queries.backlog() == (1, 0, 1)
    post.twin.faults.down = True
    post.poll()
    with opening():
        assert queries.backlog() == (1, 1, 1)


def test_sent_delivered_and_refused_mails_make_the_figure(post: Post) -> None:
    post.write()
    post.write(to="inconnu@medecin.mssante.fr")
    post.send()
    with opening():
        events = session.execute(select(KpiEvent.event, KpiEvent.dimension).where(KpiEvent.event.like("mss%"))).all()
    assert sorted(map(tuple, events)) == [("mss_bounced", "professional"), ("mss_sent", "professional")]


def test_the_jobs_send_read_and_hear_back_by_themselves(post: Post, work_jobs: Callable[[], None]) -> None:
    post.theirs.habits = Habits(Receipt.READ, answers="Merci.")
    post.write(receipt_wanted=True)
    work_jobs()
    assert told(post)[0] in ("accepted", "read"), "the clock's own reading may have come before"
    with opening():
        for mailbox_id, lease in reading.lease_due(db.now()):
            enqueue("documents.read_box", mailbox_id=str(mailbox_id), lease=str(lease))
    work_jobs()
    assert told(post) == ("read", "")
    assert [message.text for message in post.messages()][1:] == ["Merci."]
    with opening():
        assert session.scalars(select(MailboxReading)).one().lease is None
