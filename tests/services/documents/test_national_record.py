"""Documents leave for Mon espace santé from the hospital's box, once, and what became of each is told."""

import email
from datetime import timedelta
from email import policy
from uuid import UUID

import pytest
from sqlalchemy import select

from portal import db, establishments
from portal.db import session
from portal.gateways.mssante.twin import Kind
from services.documents.exchanges.models import Exchange
from services.documents.mailboxes import national_record
from services.documents.mailboxes.models import Transmission
from services.documents.messages import queries as messages
from services.documents.shelf.mes import actions as mes
from services.documents.shelf.mes import jobs as looking
from services.documents.shelf.models import MesSending
from tests.factories import documents
from tests.ground import rows
from tests.services.documents.boxes import CITIZEN, Post, opening
from tests.services.documents.boxes import post as post


@pytest.fixture
def letter(post: Post) -> UUID:
    """A letter on Dominique's shelf, at a hospital that sends what it files to Mon espace santé."""
    post.twin.open_box(CITIZEN, Kind.CITIZEN)
    with opening():
        establishments.change_setting(post.ground.here, "documents_mes", "on")
        made = documents.received(post.ground.hospital.establishment, documents.letter(post.ground.traits))
        assert made.state == "filed", made.reason
        return made.id


def go_on(post: Post) -> None:
    looking.look_at_documents()
    national_record.send_documents()
    post.send()
    national_record.send_documents()


def state() -> tuple[str, str]:
    (sending,) = rows(MesSending)
    return sending.state, sending.reason


def test_a_document_leaves_once_as_it_came_to_a_box_that_answers_nobody(post: Post, letter: UUID) -> None:
    for _ in range(2):
        go_on(post)
    (planned,) = rows(Transmission)
    assert (planned.state, planned.address) == ("accepted", CITIZEN)
    box = post.twin.post.boxes[CITIZEN]
    (raw,) = box.contents()
    seen = email.message_from_bytes(raw, policy=policy.default)
    assert seen["X-MSS-MES"] == "FIN"
    assert seen["X-MSS-INS"] == "O"
    assert next(iter(seen.iter_attachments())).get_filename() == "IHE_XDM.ZIP"


def test_it_is_told_sent_once_no_bounce_can_come(post: Post, letter: UUID) -> None:
    go_on(post)
    assert state() == ("waiting", "")
    with opening():
        session.scalars(select(Transmission)).one().changed_at = db.now() - timedelta(hours=3)
    national_record.send_documents()
    assert state() == ("sent", "")


def test_a_refusal_is_told_with_its_reason(post: Post, letter: UUID) -> None:
    looking.look_at_documents()
    national_record.send_documents()
    with opening():
        planned = session.scalars(select(Transmission)).one()
        planned.state, planned.reason = "refused", "mailbox_closed"
    national_record.send_documents()
    assert state() == ("refused", "mailbox_closed")


def test_whoever_objects_meanwhile_is_sent_nothing(post: Post, letter: UUID) -> None:
    looking.look_at_documents()
    national_record.send_documents()
    with opening():
        mes.object_to(post.ground.patient.id)
    post.send()
    (planned,) = rows(Transmission)
    assert (planned.state, planned.reason) == ("refused", "opposed")


def test_it_is_in_nobodys_messages(post: Post, letter: UUID) -> None:
    go_on(post)
    assert [each.state for each in rows(Exchange)] == ["closed"]
    with db.transaction(post.ground.as_patient):
        assert messages.of_patient(post.ground.patient.id).rows == []


def test_without_a_box_it_waits(post: Post, letter: UUID) -> None:
    with opening():
        national_record_box = national_record._box_of(post.ground.here)
        assert national_record_box is not None
        national_record_box.closed_at = db.now()
    go_on(post)
    assert state() == ("waiting", "")
    assert rows(Transmission) == []


def test_a_number_that_makes_no_address_stops_nobody_else(post: Post, letter: UUID) -> None:
    looking.look_at_documents()
    with opening():
        session.merge(post.ground.patient).ins = "27903512151898X"
    national_record.send_documents()
    assert state() == ("refused", "invalid_address")
