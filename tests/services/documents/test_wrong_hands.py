"""What would put a letter in the wrong hands, or keep it there: each was possible once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from flask import Flask
from flask_limiter.util import get_qualified_name
from sqlalchemy import select

from portal import db, establishments
from portal.db import session
from portal.web.limits import limiter
from services.documents import actions
from services.documents.models import Document, DocumentArrival
from services.documents.mss import read_mail
from services.documents.shelf.mes import actions as mes
from services.documents.shelf.mes import queries
from services.documents.tray import actions as deciding
from services.documents.tray.actions import StillRefused
from tests.factories import document_messages, documents, people
from tests.factories.document_messages import mdm
from tests.ground import prepared, rows
from tests.services.documents.boxes import STRANGER, THEIRS, Post, mail
from tests.services.documents.boxes import post as post
from tests.services.documents.conftest import Ground


def said(ground: Ground, message: bytes) -> str:
    return document_messages.hear(ground.here, message).code


def versions() -> Sequence[Document]:
    with prepared():
        return session.scalars(select(Document).order_by(Document.version)).all()


def test_a_misfiled_version_is_taken_back_though_the_former_one_was_withdrawn(ground: Ground) -> None:
    first, second = "1.2.250.1.999.1^DPI", "1.2.250.1.999.2^DPI"
    said(ground, mdm("T02", ground.traits, documents.pdf("Version 1"), number=first))
    said(ground, mdm("T10", ground.traits, documents.pdf("Version 2"), number=second, parent=first))
    assert said(ground, mdm("T04", ground.traits, number=first)) == "AA"
    with db.transaction(ground.as_agent):
        actions.take_back(session.get_one(Document, versions()[1].id), "wrong_patient")
    assert [each.state for each in versions()] == ["withdrawn", "tray"]


def test_an_old_version_does_not_come_back_beside_the_latest(ground: Ground) -> None:
    numbers = [f"1.2.250.1.999.{rank}^DPI" for rank in range(3)]
    for rank, number in enumerate(numbers):
        parent = numbers[rank - 1] if rank else ""
        carried = documents.pdf(f"Version {rank}")
        said(ground, mdm("T10" if rank else "T02", ground.traits, carried, number=number, parent=parent))
    with db.transaction(ground.as_agent):
        actions.take_back(session.get_one(Document, versions()[1].id), "wrong_document")
    first, second, third = versions()
    assert [each.state for each in (first, second, third)] == ["superseded", "tray", "filed"]
    assert first.superseded_by_id == third.id


def test_a_letter_refused_with_its_message_is_not_filed_without_it(ground: Ground) -> None:
    """The message named somebody else, or said who may not see it; it is not kept: its sender sends both again."""
    other = replace(ground.traits, ins="255069910600378")
    assert said(ground, mdm("T02", other, documents.letter(ground.traits), marks=["INVISIBLE_PATIENT"])) == "AE"
    (arrival,) = rows(DocumentArrival)
    with prepared(), pytest.raises(StillRefused, match="patients_differ"):
        deciding.look_again(session.get_one(DocumentArrival, arrival.id), production=False)
    assert rows(Document) == []


@pytest.mark.parametrize("mark", ["INVISIBLE_PATIENT", "MASQUE_PS"])
def test_what_is_hidden_while_it_waits_does_not_leave_for_mon_espace_sante(ground: Ground, mark: str) -> None:
    with prepared():
        establishments.change_setting(ground.here, "documents_mes", "on")
        document = documents.received(ground.hospital.establishment, documents.letter(ground.traits))
        mes.look_at(document)
        assert mes.may_leave(document.id)
        actions.change_visibility(document, [mark])
        assert not mes.may_leave(document.id)


def test_what_was_misfiled_leaves_for_the_mon_espace_sante_of_its_own_patient(ground: Ground) -> None:
    with prepared():
        establishments.change_setting(ground.here, "documents_mes", "on")
        document = documents.received(ground.hospital.establishment, documents.letter(ground.traits))
        mes.look_at(document)
        actions.take_back(document, "wrong_patient")
        right = people.patient("AUTRE", ("Anne",), date(1979, 3, 28))
        people.known_at(right, ground.here, "888")
        actions.assign(document, right.id, "identity_checked")
        assert not mes.may_leave(document.id), "nobody has looked at this patient's wishes yet"
        assert document.id in queries.never_looked_at()
        sending = mes.look_at(document)
        assert sending is not None
        assert sending.patient_id == right.id


def test_a_mail_does_not_replace_what_the_hospitals_own_system_gave(post: Post) -> None:
    """Whoever received a letter knows its identifiers and its keeper, and may write them into another."""
    ground = post.ground
    said(ground, mdm("T02", ground.traits, documents.letter(ground.traits, set_id="1.2.3", version=1)))
    forged = documents.letter(ground.traits, set_id="1.2.3", version=2)
    post.deliver(mail(joined=(("cr.xml", "text/xml", forged),)))
    post.poll()
    assert [(each.version, each.state, each.code) for each in versions()] == [(1, "filed", ""), (2, "tray", "901")]


def test_somebody_elses_mail_under_the_same_name_hides_nothing(post: Post) -> None:
    """Whoever was sent a copy knows its Message-ID, and may write under it first."""
    known = "<abc@medecin.mssante.fr>"
    post.deliver(mail("À la place", sender=STRANGER, key=known), sender=STRANGER)
    post.deliver(mail("Le vrai", key=known))
    post.poll()
    assert [message.text for message in post.messages()] == ["À la place", "Le vrai"]
    post.deliver(mail("Le vrai", key=known))
    post.poll()
    assert len(post.messages()) == 2, "each is taken once"


# -- floods --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "endpoint",
    ["my_messages.write", "my_messages.thread", "my_documents.begin_deposit", "documents.send", "documents.exchange"],
)
def test_one_visitor_does_not_flood_a_unit(app: Flask, endpoint: str) -> None:
    limits = limiter.limit_manager.decorated_limits(get_qualified_name(app.view_functions[endpoint]))
    assert [(each.methods, each.limit.get_expiry()) for each in limits] == [(("post",), 3600)]


# -- forged senders ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "author",
    [
        f'"Dr Adam HODA <{THEIRS}>" <{STRANGER}>',
        f"=?utf-8?q?Dr_Adam_HODA_=3C{THEIRS}=3E?= <{STRANGER}>",
        f"{STRANGER} (<{THEIRS}>)",
        f"{THEIRS} <{STRANGER}>",
        f"<{THEIRS}> <{STRANGER}>",
        f"{THEIRS}, {STRANGER}",
        f"{THEIRS}, Dr Autre <{STRANGER}>",
        f"<{THEIRS}> < {STRANGER} >",
        f"{THEIRS}\r\nFrom: {STRANGER}",
    ],
)
def test_a_name_that_looks_like_an_address_is_not_who_wrote(author: str) -> None:
    """Operators answer for the address of a mail, not for the name before it; who bears two is nobody."""
    raw = mail().replace(f"From: Dr Adam HODA <{THEIRS}>".encode(), f"From: {author}".encode())
    assert f"From: {author}".encode() in raw
    assert read_mail(raw).sender in (STRANGER, "")


def test_a_name_is_read_whatever_it_is_written_in() -> None:
    author = f"=?utf-8?b?RHIgSMOpbMOobmUgTUVSQ0lFUg==?= <{THEIRS}>"
    said = read_mail(mail().replace(f"From: Dr Adam HODA <{THEIRS}>".encode(), f"From: {author}".encode()))
    assert (said.sender, said.label) == (THEIRS, "Dr Hélène MERCIER")
