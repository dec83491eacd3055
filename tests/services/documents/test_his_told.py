"""What practitioners and patients sent, and agents took, is told to the hospital's system: once, in order, honestly."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select, update

from portal import config, db, establishments
from portal.config import Settings
from portal.db import session
from portal.gateways.his.twin import HisTrouble, HisTwin, Kept
from services.documents import actions
from services.documents.actions import Publication
from services.documents.actions import filing as shelf
from services.documents.commands import documents as command
from services.documents.his import states, telling
from services.documents.models import Document
from services.exchanges import actions as exchange
from services.exchanges.models import Delivery, Follower
from tests.factories import document_messages, documents, exchanges
from tests.ground import audited, prepared, rows
from tests.services.documents.conftest import Ground

PDF = documents.pdf("Ordonnance")


@pytest.fixture
def his(ground: Ground) -> Iterator[HisTwin]:
    """The hospital's system, which takes documents from now on."""
    with HisTwin() as twin:
        with prepared():
            document_messages.follow(ground.here, twin.url)
        yield twin


def filed(ground: Ground, channel: str = "exchange", data: bytes = PDF) -> Document:
    """A file that came by a way, and that an agent put in the patient's documents."""
    with prepared():
        stored = documents.files.attach(
            documents.stored(data).id, establishment_id=ground.here, staff_right="documents"
        )
        words = Publication(ground.patient.id, "Ordonnance", "57833-6", "Prescription")
        document = shelf.written(ground.here, stored, words, channel=channel)
        actions.filing.give(document, ground.patient.id)
        return document


def known_there(his: HisTwin) -> list[Kept]:
    return list(his.agenda.documents.values())


def test_what_a_practitioner_sent_reaches_the_hospitals_system_with_its_bytes(ground: Ground, his: HisTwin) -> None:
    document = filed(ground)
    exchanges.tick()
    assert his.agenda.documents == {document.unique_id: Kept("PAT-TROIS", "current", PDF)}
    (message,) = his.agenda.received
    assert (message.trigger, message.first("TXA").value(17), message.first("OBX").value(5, 3)) == ("T02", "AU", "PDF")
    assert message.first("PID").value(3, 1, 3) == "279035121518989"
    assert "document.told" in audited()


@pytest.mark.parametrize("channel", ["his", "command", "staff", "upload"])
def test_what_came_from_the_hospital_does_not_go_back(ground: Ground, his: HisTwin, channel: str) -> None:
    filed(ground, channel)
    exchanges.tick()
    assert his.agenda.received == []


def test_nothing_is_told_to_a_hospital_that_has_not_said_how(ground: Ground) -> None:
    with HisTwin() as twin:
        with prepared():
            exchanges.set_his(ground.here, twin.url)
        filed(ground)
        exchanges.tick()
        assert twin.agenda.received == []
        with prepared():
            establishments.change_setting(ground.here, states.FORMAT, states.HL7)
        exchanges.tick()
        assert len(twin.agenda.documents) == 1, "what was filed meanwhile was not lost"


def test_a_format_that_nobody_knows_is_refused(ground: Ground) -> None:
    with prepared(), pytest.raises(ValueError, match="his_documents_format"):
        establishments.change_setting(ground.here, states.FORMAT, "fax")


def test_what_is_taken_back_is_taken_back_there(ground: Ground, his: HisTwin) -> None:
    document = filed(ground)
    exchanges.tick()
    with prepared():
        actions.take_back(session.get_one(Document, document.id), "wrong_patient")
    exchanges.tick()
    assert [each.trigger for each in his.agenda.received] == ["T02", "T04"]
    assert [each.state for each in known_there(his)] == ["withdrawn"]
    assert "PAT-TROIS" not in his.agenda.received[1].write().decode(), "a wrong person is not named once more"


def test_what_was_taken_back_before_it_left_is_not_told_at_all(ground: Ground, his: HisTwin) -> None:
    document = filed(ground)
    with prepared():
        actions.take_back(session.get_one(Document, document.id), "wrong_patient")
    exchanges.tick()
    assert his.agenda.received == []


def test_a_newer_version_replaces_the_former_there(ground: Ground, his: HisTwin) -> None:
    former = filed(ground)
    exchanges.tick()
    with prepared():
        stored = documents.files.attach(documents.stored(documents.pdf("v2")).id, establishment_id=ground.here)
        words = Publication(ground.patient.id, "Ordonnance", "57833-6", "Prescription")
        newer = shelf.written(ground.here, stored, words, channel="exchange")
        newer.set_id, newer.version = former.set_id, 2
        actions.filing.give(newer, ground.patient.id)
    exchanges.tick()
    assert [each.trigger for each in his.agenda.received] == ["T02", "T10"]
    assert [each.state for each in known_there(his)] == ["replaced", "current"]


@pytest.mark.parametrize("trouble", [HisTrouble.DEAF, HisTrouble.FORGETS, HisTrouble.GARBAGE])
def test_a_system_that_hangs_up_is_told_the_same_again(ground: Ground, his: HisTwin, trouble: HisTrouble) -> None:
    filed(ground)
    his.faults.trouble, his.faults.once = trouble, True
    exchanges.tick()
    exchanges.come_back()
    exchanges.tick()
    assert [each.state for each in rows(Delivery)] == ["accepted"]
    assert len({each.control_id for each in his.agenda.received}) == 1


def test_what_it_refused_waits_for_people_and_is_told_again(ground: Ground, his: HisTwin) -> None:
    filed(ground)
    his.faults.trouble, his.faults.once = HisTrouble.REFUSES, True
    exchanges.tick()
    assert [each.state for each in rows(Delivery)] == ["refused"]
    with prepared():
        (delivery,) = session.scalars(select(Delivery)).all()
        assert exchange.replay(delivery) == 1
    exchanges.tick()
    assert [each.state for each in known_there(his)] == ["current"]


def test_all_since_a_moment_is_told_again_after_a_restore(ground: Ground, his: HisTwin) -> None:
    since = db.now()
    filed(ground)
    exchanges.tick()
    his.agenda.documents.clear()
    with prepared():
        (follower,) = session.scalars(select(Follower)).all()
        assert exchange.replay_since(follower, since, kind=states.SUBJECT) == 1
    exchanges.tick()
    assert len(known_there(his)) == 1


def test_a_file_the_antivirus_has_not_accepted_waits(ground: Ground, his: HisTwin) -> None:
    document = filed(ground)
    with prepared():
        session.execute(
            update(documents.StoredFile).where(documents.StoredFile.id == document.file_id).values(state="waiting")
        )
    exchanges.tick()
    assert his.agenda.received == []
    with prepared():
        session.execute(
            update(documents.StoredFile).where(documents.StoredFile.id == document.file_id).values(state="clean")
        )
    exchanges.tick()
    assert len(known_there(his)) == 1


def test_what_is_kept_to_be_looked_at_does_not_hold_the_file(ground: Ground, his: HisTwin) -> None:
    document = filed(ground)
    exchanges.tick()
    (delivery,) = rows(Delivery)
    with prepared():
        written = telling.write(session.get_one(Delivery, delivery.id), document_messages_dialect())
    assert written is not None
    assert written.content is not None
    assert base64.b64encode(PDF) not in written.body
    assert base64.b64encode(PDF) in written.content()
    assert document.unique_id.encode() in written.body


def document_messages_dialect() -> telling.Dialect:
    return telling.Dialect().named("990000017")


def test_an_operator_tells_everything_again(
    app: Flask, ground: Ground, his: HisTwin, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    filed(ground)
    exchanges.tick()
    his.agenda.documents.clear()
    monkeypatch.setattr(config, "load", lambda: settings)
    asked = ["replay", ground.hospital.establishment.finess, "--since", "2026-01-01"]
    result = CliRunner().invoke(command, asked, obj=lambda _settings: app)
    assert result.output == "1 to tell again\n"
    exchanges.tick()
    assert len(known_there(his)) == 1


def test_a_message_brought_as_a_file_is_taken_like_any_other(app: Flask, ground: Ground, tmp_path: Path) -> None:
    path = tmp_path / "lettre.hl7"
    path.write_bytes(document_messages.mdm("T02", ground.traits, documents.letter(ground.traits)))
    asked = ["receive", "--establishment", ground.hospital.establishment.finess, str(path)]
    (line,) = CliRunner().invoke(command, asked, obj=lambda: app).output.splitlines()
    assert json.loads(line)["outcome"] == "filed"
    path.write_bytes(document_messages.mdm("T04", ground.traits))
    (line,) = CliRunner().invoke(command, asked, obj=lambda: app).output.splitlines()
    assert json.loads(line)["outcome"] == "withdrawn"
