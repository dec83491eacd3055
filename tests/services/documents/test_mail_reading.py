"""Boxes are read: each mail once, told to the operator after it is kept, whatever it holds and whoever wrote it."""

import email
from dataclasses import replace

import pytest
from sqlalchemy import select

from portal import db, establishments
from portal.db import session
from portal.gateways.mssante.twin import Habits, Kind, Point, Receipt, letters
from services.documents.exchanges.actions import open_exchange
from services.documents.exchanges.models import Exchange, ExchangeFile
from services.documents.mailboxes import actions, polling
from services.documents.mailboxes.actions import BoxDraft, reading, receiving
from services.documents.mailboxes.models import MailboxReading
from services.documents.mailboxes.polling import Budget
from services.documents.models import Document, DocumentArrival
from tests.factories import documents
from tests.services.documents.boxes import CITIZEN, OURS, PASSWORD, STRANGER, THEIRS, Post, mail, opening
from tests.services.documents.boxes import post as post

PDF = documents.pdf("Courrier")


def outcomes(post: Post) -> list[tuple[str, str, str]]:
    return [(each.kind, each.outcome, each.reason) for each in post.received()]


def the_reading() -> MailboxReading:
    with opening():
        return session.scalars(select(MailboxReading)).one()


def sent(post: Post) -> str:
    """A mail of ours left and was taken; its Message-ID."""
    post.write()
    post.send()
    return post.transmission.message_key


# -- messages ------------------------------------------------------------------------------------------------------


def test_a_mail_begins_a_thread_of_the_unit_whose_box_it_is(post: Post) -> None:
    post.deliver(mail("Bonjour,\nqu’en pensez-vous ?", joined=(("cr.pdf", "application/pdf", PDF),)))
    post.poll()
    (thread,) = post.threads()
    assert (thread.address, thread.correspondent, thread.state, thread.subject) == (
        THEIRS, "Dr Adam HODA", "received", "Avis",
    )  # fmt: skip
    assert thread.unit_id == post.ground.hospital.unit.id
    (message,) = post.messages()
    assert (message.channel, message.sender, message.text) == (
        "mssante", "professional", "Bonjour,\nqu’en pensez-vous ?",
    )  # fmt: skip
    with opening():
        assert session.scalars(select(ExchangeFile)).one().file.name == "cr.pdf"
    assert outcomes(post) == [("message", "message", "")]


def test_an_answer_continues_its_thread(post: Post) -> None:
    key = sent(post)
    post.deliver(mail("Merci", answers=key))
    post.poll()
    (thread,) = post.threads()
    assert thread.state == "received"
    assert [message.text for message in post.messages()] == ["Bonjour", "Merci"]


def test_an_answer_from_somebody_else_does_not_enter_the_thread(post: Post) -> None:
    key = sent(post)
    post.deliver(mail("Montrez-moi tout", sender=STRANGER, answers=key), sender=STRANGER)
    post.poll()
    assert [thread.address for thread in post.threads()] == [THEIRS, STRANGER]


def test_a_letter_goes_through_the_intake_and_the_thread_is_about_its_patient(post: Post) -> None:
    letter = documents.letter(post.ground.traits)
    package = documents.package(letter)
    post.deliver(mail(joined=(("IHE_XDM.ZIP", "application/zip", package), ("cr.pdf", "application/pdf", PDF))))
    post.poll()
    with opening():
        document = session.scalars(select(Document)).one()
        arrival = session.get_one(DocumentArrival, document.arrival_id)
        assert (document.state, document.patient_id) == ("filed", post.ground.patient.id)
        assert arrival.message_id == post.messages()[0].id
        assert session.scalars(select(ExchangeFile)).all() == [], "its copy for people is the same letter"
    assert post.threads()[0].about_id == post.ground.patient.id


def test_a_letter_without_qualified_ins_says_nothing_of_whom_the_thread_is_about(post: Post) -> None:
    letter = documents.letter(replace(post.ground.traits, ins="", ins_oid=""))
    post.deliver(mail(joined=(("cr.xml", "text/xml", letter),)))
    post.poll()
    with opening():
        assert session.scalars(select(Document.state)).one() == "tray"
    assert post.threads()[0].about_id is None


def test_files_that_nobody_opens_here_are_put_in_quarantine_and_the_message_is_read(post: Post) -> None:
    post.deliver(mail("Voir joint", joined=(("macro.docm", "application/vnd.ms-word", b"\xd0\xcf\x11\xe0" * 50),)))
    post.poll()
    assert post.messages()[0].text == "Voir joint"
    with opening():
        arrival = session.scalars(select(DocumentArrival)).one()
        assert (arrival.reason, arrival.message_id) == ("file_type", post.messages()[0].id)


def test_citizens_send_pdf_and_pictures_and_nothing_else(post: Post) -> None:
    package = documents.package(documents.letter(post.ground.traits))
    joined = (("IHE_XDM.ZIP", "application/zip", package), ("photo.pdf", "application/pdf", PDF))
    post.deliver(mail(sender=CITIZEN, joined=joined), sender=CITIZEN)
    post.poll()
    with opening():
        assert session.scalars(select(DocumentArrival.reason)).one() == "citizen_file"
        assert session.scalars(select(Document)).all() == []
        assert len(session.scalars(select(ExchangeFile)).all()) == 1


def test_a_message_that_cancels_another_says_which(post: Post) -> None:
    post.deliver(mail("Erreur", key="<un@medecin.mssante.fr>"))
    post.deliver(mail("Corrigé", subject="[Annule et remplace] Avis", answers="<un@medecin.mssante.fr>"))
    post.poll()
    first, second = post.messages()
    assert second.replaces_id == first.id


def test_a_mail_that_closes_and_says_nothing_closes_the_thread(post: Post) -> None:
    key = sent(post)
    post.deliver(mail("", subject="[FIN]", answers=key))
    post.poll()
    assert post.threads()[0].state == "closed"


# -- receipts and bounces ------------------------------------------------------------------------------------------


def test_a_read_receipt_says_that_it_was_read(post: Post) -> None:
    post.theirs.habits = Habits(Receipt.READ)
    post.write(receipt_wanted=True)
    post.send()
    post.poll()
    assert post.transmission.state == "read"
    with opening():
        steps = [change.to_state for change in session.merge(post.transmission).changes]
    assert steps == ["waiting", "accepted", "delivered", "read"]


@pytest.mark.parametrize("spelling", [Receipt.KO, Receipt.KO_OLD])
def test_a_letter_that_their_software_refuses_is_refused_with_its_code(post: Post, spelling: Receipt) -> None:
    post.theirs.habits = Habits(spelling)
    post.write(receipt_wanted=True)
    post.send()
    post.poll()
    found = post.transmission
    assert (found.state, found.reason) == ("refused", "not_integrated")
    assert found.code.startswith("90")


def test_a_bounce_says_why(post: Post) -> None:
    post.theirs.closed = True
    post.write()
    post.send()
    post.poll()
    found = post.transmission
    assert (found.state, found.reason) == ("refused", "mailbox_closed")


def test_a_forged_receipt_changes_nothing_and_is_listed(post: Post) -> None:
    sent(post)
    raw = next(iter(post.theirs.contents()))
    post.poll()  # the operator's own news
    before = post.transmission.state
    post.deliver(letters.receipt(raw, OURS, STRANGER, Receipt.READ), sender=STRANGER)
    post.poll()
    assert post.transmission.state == before
    assert outcomes(post)[-1] == ("receipt", "noted", "forged")


def test_a_forged_bounce_changes_nothing_and_is_listed(post: Post) -> None:
    sent(post)
    post.poll()
    before = post.transmission.state
    raw = letters.bounce(next(iter(post.theirs.contents())), OURS, THEIRS, "5.1.1")
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"From:")]
    post.deliver(b"\r\n".join([b"From: " + STRANGER.encode(), *lines]) + b"\r\n\r\n" + body, sender=STRANGER)
    post.poll()
    assert post.transmission.state == before
    assert outcomes(post)[-1] == ("bounce", "noted", "forged")


# -- loops ---------------------------------------------------------------------------------------------------------


def test_an_automatic_answer_is_shown_in_its_thread_and_nobody_answers_it(post: Post) -> None:
    post.theirs.habits = Habits(away="Absent jusqu’à lundi.")
    sent(post)
    post.poll()
    post.send()
    (thread,) = post.threads()
    assert "Absent jusqu’à lundi." in [message.text for message in post.messages()]
    assert thread.state == "delivered", "there is nothing to answer"
    assert len(post.theirs.now()) == 1


def test_an_automatic_mail_about_nothing_of_ours_begins_no_thread(post: Post) -> None:
    post.deliver(mail("Absent", Auto_Submitted="auto-replied", Disposition_Notification_To=THEIRS))
    post.poll()
    assert outcomes(post) == [("automatic", "noted", "automatic")]
    assert not post.threads()


def test_a_correspondent_that_answers_everything_makes_no_loop(post: Post) -> None:
    post.theirs.habits = Habits(loops=True)
    sent(post)
    for _turn in range(3):
        post.poll()
        post.send()
    assert len(post.theirs.now()) == 1


# -- receipts that we give -----------------------------------------------------------------------------------------


def opened(post: Post) -> None:
    """An agent opens the thread."""
    with db.transaction(post.ground.as_agent):
        open_exchange(session.scalars(select(Exchange)).one())


def test_an_agent_who_opens_a_mail_tells_its_sender(post: Post, work_jobs: object) -> None:
    post.deliver(mail(Disposition_Notification_To=THEIRS))
    post.poll()
    opened(post)
    work_jobs()  # type: ignore[operator]  # a fixture
    assert post.received()[0].receipt == "sent"
    receipt = email.message_from_bytes(post.theirs.now()[-1].content)
    assert receipt.get_content_type() == "multipart/report"
    assert b"displayed" in post.theirs.now()[-1].content


def test_a_receipt_is_never_given_to_a_third_address(post: Post, work_jobs: object) -> None:
    post.deliver(mail(Disposition_Notification_To=STRANGER))
    post.poll()
    assert post.received()[0].receipt == ""
    opened(post)
    work_jobs()  # type: ignore[operator]  # a fixture
    assert not post.theirs.now()


@pytest.mark.parametrize(("wanted", "told"), [("no", 0), ("refused", 1), ("all", 1)])
def test_a_letter_that_is_refused_is_told_when_the_hospital_wants_it(
    post: Post, work_jobs: object, wanted: str, told: int
) -> None:
    with opening():
        establishments.change_setting(post.ground.here, "mssante_error_receipts", wanted)
    post.deliver(mail(joined=(("IHE_XDM.ZIP", "application/zip", b"PK\x03\x04 broken"),)))
    post.poll()
    work_jobs()  # type: ignore[operator]  # a fixture
    assert len(post.theirs.now()) == told
    if told:
        assert b"906" in post.theirs.now()[0].content


# -- once, whatever happens ----------------------------------------------------------------------------------------


def test_a_poll_killed_between_its_effect_and_the_mark_takes_nothing_twice(post: Post) -> None:
    class Killed(BaseException):
        """As a signal would."""

    def dying(*_arguments: object) -> None:
        raise Killed

    post.deliver(mail("Un"))
    post.deliver(mail("Deux"))
    kept = polling._mark
    polling._mark = dying
    try:
        with pytest.raises(Killed):
            post.poll(Budget(marked=1))
    finally:
        polling._mark = kept
    assert [message.text for message in post.messages()] == ["Un"]
    post.in_time()
    post.poll()
    assert [message.text for message in post.messages()] == ["Un", "Deux"]


def test_the_same_mail_is_taken_once_when_the_box_is_numbered_anew(post: Post) -> None:
    post.deliver(mail("Un"))
    post.poll()
    post.ours.renumber()
    for each in post.ours.now():
        each.flags.clear()
    post.deliver(mail("Deux"))
    post.poll()
    assert [message.text for message in post.messages()] == ["Un", "Deux"]
    assert the_reading().validity == post.ours.validity


def test_a_mail_without_a_name_is_taken_once_too(post: Post) -> None:
    raw = b"\r\n".join(line for line in mail("Un").split(b"\r\n") if not line.lower().startswith(b"message-id"))
    post.ours.put(raw)
    post.ours.put(raw)
    post.poll()
    assert len(post.messages()) == 1


def test_the_same_mail_in_two_boxes_is_a_message_in_each(post: Post) -> None:
    other = post.twin.open_box("imagerie@ch-essai.mssante.fr", Kind.ORG, PASSWORD)
    with opening():
        draft = BoxDraft(other.address, "ORG", "Imagerie", url=post.twin.url(user=f":{PASSWORD}"))
        actions.add_box(post.ground.other_hospital.establishment, draft)
    raw = mail("Aux deux")
    post.deliver(raw)
    post.deliver(raw, to=other.address)
    post.poll()
    hospitals = {thread.establishment_id for thread in post.threads()}
    assert hospitals == {post.ground.here, post.ground.other_hospital.establishment.id}


def test_a_large_box_is_read_by_turns(post: Post) -> None:
    post.ours.fill(50_000, lambda uid: mail(f"Numéro {uid}", key=f"<{uid}@medecin.mssante.fr>"))
    post.poll(Budget(mails=5))
    assert len(post.messages()) == 5
    assert the_reading().uid == 5
    with opening():
        lease = session.scalars(select(MailboxReading)).one().lease
    assert lease, "the next turn follows at once"
    polling.poll(post.box_id, lease, opening, Budget(mails=5))
    assert the_reading().uid == 10


def test_two_readers_never_get_the_same_box(post: Post) -> None:
    with opening():
        first = reading.lease_due(db.now())
        assert len(first) == 1
        assert reading.lease_due(db.now()) == []


def test_a_reader_whose_lease_ended_stops(post: Post) -> None:
    post.deliver(mail("Un"))
    with opening():
        ((box_id, lease),) = reading.lease_due(db.now())
    post.in_time()
    with opening():
        reading.lease_due(db.now())
    polling.poll(box_id, lease, opening)
    assert post.messages() == []


# -- an operator that drops ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", [point for point in Point if point.startswith("imap_")])
def test_nothing_is_lost_nor_doubled_when_the_operator_drops(post: Post, point: Point) -> None:
    for number in range(3):
        post.deliver(mail(f"Numéro {number}" + "x" * 3000))
    post.twin.faults.cut_at, post.twin.faults.times = point, 1
    post.poll()
    post.twin.faults.clear()
    post.in_time()
    post.poll()
    assert [message.text[:8] for message in post.messages()] == ["Numéro 0", "Numéro 1", "Numéro 2"]
    assert the_reading().trouble == ""


def test_an_operator_that_fails_is_left_alone_longer_each_time(post: Post) -> None:
    post.twin.faults.down = True
    post.poll()
    first = the_reading()
    assert (first.trouble, first.failures) == ("away", 1)
    assert first.again_at
    post.poll()
    assert the_reading().failures == 1, "nothing was tried"


def test_a_wrong_secret_is_told_of_the_box_and_not_of_the_operator(post: Post) -> None:
    post.ours.password = "un autre"
    post.poll()
    assert the_reading().trouble == "not_let_in"


# -- what breaks us ------------------------------------------------------------------------------------------------

_IN_PARTS = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n"
DEEP = b"From: a@b.mssante.fr\r\nSubject: x\r\nMessage-ID: <deep@b.fr>\r\n" + (_IN_PARTS + b"--a\r\n") * 5000


@pytest.mark.parametrize("raw", [b"\x00\xff" * 500, DEEP, b"Bonjour\r\n\r\n"], ids=["noise", "deep", "no-headers"])
def test_a_malformed_mail_is_put_aside_and_the_next_one_is_read(post: Post, raw: bytes) -> None:
    post.ours.put(raw)
    post.deliver(mail("Suivant"))
    post.poll()
    assert [message.text for message in post.messages()] == ["Suivant"]
    aside = [each for each in post.received() if each.outcome == "quarantined"]
    assert len(aside) == 1
    assert aside[0].reason
    assert aside[0].file_id


def test_a_mail_that_breaks_us_is_kept_and_can_be_read_again(
    post: Post, work_jobs: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise RuntimeError("a defect of ours")

    post.deliver(mail("Important"))
    with monkeypatch.context() as patched:
        patched.setattr(receiving, "_as_message", broken)
        post.poll()
    assert outcomes(post) == [("message", "quarantined", "broke_us")]
    with db.transaction(post.ground.as_agent):
        actions.ask_reading(session.merge(post.received()[0]))
    work_jobs()  # type: ignore[operator]  # a fixture
    assert [message.text for message in post.messages()] == ["Important"]
    assert outcomes(post)[0][1] == "released"


def test_a_mail_larger_than_what_is_read_is_told(post: Post) -> None:
    post.twin.faults.told_size = 60 * 2**20
    post.deliver(mail("Gros"))
    post.poll()
    assert outcomes(post) == [("unknown", "quarantined", "too_large")]


def test_a_mail_of_24_megabytes_is_taken(post: Post) -> None:
    heavy = documents.pdf("Lourd") + b"\n%" + b"x" * (17 * 2**20)
    raw = mail("Gros", joined=(("gros.pdf", "application/pdf", heavy),))
    assert len(raw) > 23 * 2**20
    post.deliver(raw)
    post.poll()
    assert outcomes(post) == [("message", "message", "")]


def test_two_patients_in_one_package_are_filed_nowhere(post: Post) -> None:
    other = replace(post.ground.traits, ins="1" + documents.TEST_INS[1:], birth_name="AUTRE")
    package = documents.package(documents.letter(post.ground.traits), documents.letter(other))
    post.deliver(mail(joined=(("IHE_XDM.ZIP", "application/zip", package),)))
    post.poll()
    with opening():
        assert session.scalars(select(Document)).all() == []
        assert session.scalars(select(DocumentArrival)).one().reason in ("several_patients", "patients_differ")
    assert post.threads()[0].about_id is None
