"""A box of the hospital tells a practitioner that something waits, through a real operator; nothing of it is kept."""

import pytest

from auth.news import boxes
from auth.news.boxes import NoBox
from portal import db
from portal.db import session
from portal.gateways import Refused
from services.documents.exchanges.models import ExchangeMessage
from services.documents.mailboxes.models import Mailbox, Transmission
from tests.ground import count, prepared
from tests.services.documents.boxes import OURS, THEIRS, Post
from tests.services.documents.boxes import post as post

SAID = "Il y a du nouveau : https://portail.exemple.test/nouvelles"


def test_it_leaves_from_the_hospital_s_box_and_no_thread_keeps_it(post: Post) -> None:
    boxes.send(THEIRS, "Du nouveau", SAID, "0b5f")
    (mail,) = post.theirs.mails
    raw = mail.raw.decode()
    assert f"<{OURS}>" in raw
    assert "Message-ID: <news.0b5f@ch-essai.mssante.fr>" in raw
    assert "Auto-Submitted: auto-generated" in raw
    assert count(Transmission) == count(ExchangeMessage) == 0


def test_without_an_open_box_there_is_none(post: Post) -> None:
    with prepared():
        session.get_one(Mailbox, post.box_id).closed_at = db.now()
    with pytest.raises(NoBox):
        boxes.send(THEIRS, "Du nouveau", SAID, "0b5f")


def test_an_address_that_the_operator_does_not_know_is_refused(post: Post) -> None:
    with pytest.raises(Refused):
        boxes.send("personne@medecin.mssante.fr", "Du nouveau", SAID, "0b5f")


def test_what_is_no_address_never_leaves(post: Post) -> None:
    with pytest.raises(Refused):
        boxes.send("a\r\nBcc: b@medecin.mssante.fr", "Du nouveau", SAID, "0b5f")
