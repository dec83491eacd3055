"""What hospital systems say of documents is done once, for the right person, and only by those who keep them."""

import io
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pikepdf
import pytest
from flask import Flask
from sqlalchemy import select

from portal import db
from portal.db import session
from portal.gateways.antivirus.twin import EICAR
from portal.gateways.his.hl7v2 import Acknowledgement
from portal.kpi import KpiEvent
from services.documents.his.models import HisDocument
from services.documents.models import Document, DocumentArrival
from services.documents.reading.models import DocumentResult
from services.exchanges.models import HisMessage
from tests.conftest import TESTDATA
from tests.factories import document_messages, documents
from tests.factories.document_messages import mdm, oru
from tests.ground import audited, prepared, rows
from tests.services.documents.conftest import Ground

NUMBER = "1.2.250.1.999.1^DPI"


def said(ground: Ground, message: bytes) -> Acknowledgement:
    return document_messages.hear(ground.here, message)


def new(ground: Ground, data: bytes | None = None, **facts: Any) -> Acknowledgement:
    return said(ground, mdm("T02", ground.traits, data or documents.letter(ground.traits), **facts))


def the_documents() -> Sequence[Document]:
    with prepared():
        found = session.scalars(select(Document).order_by(Document.version, Document.received_at)).all()
        for each in found:
            _ = each.file, each.content
        return found


def the_document() -> Document:
    (document,) = the_documents()
    return document


# -- a new document ------------------------------------------------------------------------------------------------


def test_a_letter_of_the_hospital_system_reaches_its_patient(ground: Ground) -> None:
    answer = new(ground)
    assert (answer.code, answer.error) == ("AA", "")
    document = the_document()
    assert (document.state, document.patient_id, document.level) == ("filed", ground.patient.id, "N1")
    assert [each.channel for each in rows(DocumentArrival)] == ["his"]
    assert {"document.received", "his_message.received"} <= set(audited())


def test_a_plain_pdf_is_filed_by_what_the_message_says(ground: Ground) -> None:
    assert new(ground, documents.pdf("Compte rendu")).code == "AA"
    document = the_document()
    assert (document.state, document.level, document.title) == ("filed", "FILE", "Lettre de liaison")
    assert document.file.patient_id == ground.patient.id
    assert document.author_name == "Hélène MERCIER"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ins": "", "ins_oid": ""}, "903"),
        ({"ins": "279035121518988"}, "904"),
        ({"ins_oid": "1.2.250.1.213.1.4.11"}, "904"),
        ({"birth_name": "PAT-QUATRE"}, "904"),
        ({"sex": ""}, "905"),
        ({"birth_on": None}, "905"),
        ({"first_name": "ANNE"}, "904"),
    ],
)
@pytest.mark.parametrize("plain", [True, False])
def test_any_doubt_about_the_identity_leaves_it_to_people(
    ground: Ground, change: dict[str, Any], code: str, plain: bool
) -> None:
    about = replace(ground.traits, **change)
    carried = documents.pdf() if plain else documents.letter(about)
    answer = said(ground, mdm("T02", about, carried))
    assert answer.code == "AA", "it is kept: the hospital has nothing to send again"
    document = the_document()
    assert (document.state, document.code, document.patient_id) == ("tray", code, None)


def test_a_letter_about_another_number_than_its_message_is_refused_whole(ground: Ground) -> None:
    other = replace(ground.traits, ins="255069910600378")
    answer = said(ground, mdm("T02", other, documents.letter(ground.traits)))
    assert (answer.code, answer.error) == ("AE", "102")
    assert the_documents() == []
    assert [each.reason for each in rows(DocumentArrival)] == ["patients_differ"]


def test_a_letter_that_writes_a_trait_otherwise_than_its_message_waits(ground: Ground) -> None:
    said(ground, mdm("T02", replace(ground.traits, birth_name="PAT TROIS"), documents.letter(ground.traits)))
    assert (the_document().state, the_document().reason) == ("tray", "message_differs")


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"status": "PA"}, "not_final"),
        ({"status": "IN"}, "not_final"),
        ({"identity": "PROV"}, "identity_not_validated"),
        ({"identity": "DOUT"}, "identity_not_validated"),
        ({"confidentiality": "R"}, "confidential"),
        ({"confidentiality": "V"}, "confidential"),
    ],
)
@pytest.mark.parametrize("plain", [True, False])
def test_what_is_not_final_not_sure_or_restricted_waits_for_a_person(
    ground: Ground, facts: dict[str, str], reason: str, plain: bool
) -> None:
    assert new(ground, documents.pdf() if plain else None, **facts).code == "AA"
    assert (the_document().state, the_document().reason) == ("tray", reason)


def test_the_same_message_again_gets_the_same_answer_and_does_nothing(ground: Ground) -> None:
    message = mdm("T02", ground.traits, documents.letter(ground.traits))
    first, again = said(ground, message), said(ground, message)
    assert (first.code, again.code) == ("AA", "AA")
    assert len(the_documents()) == len(rows(DocumentArrival)) == 1
    assert [each.times for each in rows(HisMessage)] == [2]


def test_the_same_document_in_another_message_is_a_duplicate(ground: Ground) -> None:
    data = documents.letter(ground.traits)
    assert [new(ground, data).code, new(ground, data).code] == ["AA", "AA"]
    assert len(the_documents()) == 1


def test_another_document_under_the_same_number_waits(ground: Ground) -> None:
    new(ground)
    new(ground, documents.pdf("Autre chose"))
    assert {(each.state, each.reason) for each in the_documents()} == {("filed", ""), ("tray", "number_taken")}


def test_what_a_message_carries_is_scanned(ground: Ground) -> None:
    infected = documents.pdf().replace(b"%%EOF", EICAR + b"\n%%EOF")
    answer = new(ground, infected)
    assert (answer.code, answer.error) == ("AE", "102")
    assert [each.reason for each in rows(DocumentArrival)] == ["infected"]


def test_a_message_refused_and_sent_again_and_again_is_put_aside_once(ground: Ground) -> None:
    for _each in range(3):
        assert new(ground, b"<nothing/>").code == "AE"
    assert len(rows(DocumentArrival)) == 1


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"MSH|^~\\&|DPI|CHU|PARVIS|H|20260101||MDM^T08^MDM_T02|1|P|2.6\rPID|1\r", "AR"),
        (b"MSH|^~\\&|DPI|CHU|PARVIS|H|20260101||MDM^T02^MDM_T02|2|P|2.6\rTXA|1\r", "AR"),
        (b"MSH|^~\\&|DPI|CHU|PARVIS|H|20260101||MDM^T02^MDM_T02|3|P|2.6\rPID|1\rPID|2\rTXA|1|||||||||||N1\r", "AR"),
        (b"MSH|^~\\&|DPI|CHU|PARVIS|H|20260101||MDM^T02^MDM_T02|4|P|2.6\rPID|1\rTXA|1|||||||||||N1\r", "AE"),
        (b"MSH|^~\\&|DPI|CHU|PARVIS|H|20260101||MDM^T02^MDM_T02|5|P|2.6\rPID|1\rTXA|1|||||||||||N1\r"
         b"OBX|1|ED|1^a||^text^XML^Base64^\xff\xfe!!\r", "AR"),
        (b"MSH|^~\\&|DPI|CHU|PARVIS|H|20260101||MDM^T02^MDM_T02|6|P|2.6\rPID|1\rTXA|1|||||||||||N1\r"
         b"OBX|1|ED|1^a||^text^XML^Hex^00\r", "AR"),
        (b"MSH|^~\\&|DPI|CHU|PARVIS|H|29990101||MDM^T02^MDM_T02|7|P|2.6\rPID|1\rTXA|1|||||||||||N1\r", "AR"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_answered_and_does_nothing(ground: Ground, message: bytes, code: str) -> None:
    assert said(ground, message).code == code
    assert the_documents() == []


def test_files_are_kept_once_and_not_in_the_message(ground: Ground) -> None:
    new(ground, documents.letter(ground.traits, body=documents.pdf("Lettre " * 500)))
    (message,) = rows(HisMessage)
    assert len(message.body) < 3000
    assert "bytes)" in message.body


def test_a_large_document_comes_through_where_other_messages_stop_at_a_mebibyte(ground: Ground) -> None:
    with pikepdf.open(io.BytesIO(documents.pdf("Grande"))) as made:
        made.Root.Scan = made.make_stream(random.Random(1).randbytes(3_000_000))
        made.save(scanned := io.BytesIO())
    heavy = documents.letter(ground.traits, body=scanned.getvalue())
    assert new(ground, heavy).code == "AA"
    long = b"MSH|^~\\&|DPI|CHU|PARVIS|H|20260101||SIU^S12|1|P|2.5\rNTE|" + b"x" * 2_000_000
    assert said(ground, long).code == "AR"


# -- who may see it ------------------------------------------------------------------------------------------------


def test_what_the_hospital_hides_from_the_patient_is_neither_shown_nor_told(ground: Ground) -> None:
    new(ground, marks=["INVISIBLE_PATIENT"])
    document = the_document()
    assert (document.state, document.patient_id, document.visibility) == (
        "filed", ground.patient.id, ["INVISIBLE_PATIENT"],
    )  # fmt: skip
    with db.transaction(ground.as_patient):
        assert session.scalars(select(Document)).all() == []
    with db.transaction(ground.as_agent):
        assert len(session.scalars(select(Document)).all()) == 1
    assert document.file.patient_id is None
    assert not [each for each in rows(KpiEvent) if each.event == "document_filed"]


@pytest.mark.parametrize("mark", ["INVISIBLE_REP_LEGAUX", "CONNEXION_SECRETE"])
def test_what_the_hospital_hides_from_representatives_is_masked(ground: Ground, mark: str) -> None:
    new(ground, marks=[mark, "DESTDMP"])
    document = the_document()
    assert (document.masked, document.visibility, document.wishes) == (True, [mark], ["DESTDMP"])


def test_a_change_of_visibility_alone_shows_the_same_document(ground: Ground) -> None:
    data = documents.letter(ground.traits)
    new(ground, data, marks=["INVISIBLE_PATIENT"])
    said(ground, mdm("T10", ground.traits, data, marks=["MODIF_CONF_CODE"]))
    document = the_document()
    assert (document.visibility, document.file.patient_id) == ([], ground.patient.id)
    assert "document.visibility_changed" in audited()


# -- another version, taken back -----------------------------------------------------------------------------------


@pytest.mark.parametrize("parent", ["", NUMBER])
def test_a_newer_version_takes_the_place_of_the_former(ground: Ground, parent: str) -> None:
    new(ground, documents.pdf("Version 1"))
    number = "1.2.250.1.999.2^DPI" if parent else NUMBER
    said(ground, mdm("T10", ground.traits, documents.pdf("Version 2"), number=number, parent=parent))
    first, second = the_documents()
    assert (first.state, second.state, first.superseded_by_id) == ("superseded", "filed", second.id)
    assert (first.set_id, second.version) == (second.set_id, 2)


def test_a_replacement_of_what_never_came_waits(ground: Ground) -> None:
    said(ground, mdm("T10", ground.traits, documents.pdf(), parent="1.2.3^DPI"))
    assert (the_document().state, the_document().reason) == ("tray", "nothing_to_replace")


def test_another_organisation_replaces_nothing(ground: Ground) -> None:
    """901: only who keeps a letter may take its place."""
    with prepared():
        documents.received(ground.hospital.establishment, documents.letter(ground.traits, unique_id="1.2.3^1"))
    other = documents.letter(
        ground.traits, replaces="1.2.3^1", custodian=documents.cda.Organization("1990000025", "Ailleurs")
    )
    new(ground, other)
    states = {(each.state, each.code, each.reason) for each in the_documents()}
    assert states == {("filed", "", ""), ("tray", "901", "replaces_another_organization")}


def test_a_document_that_its_hospital_withdraws_is_no_longer_open(ground: Ground) -> None:
    new(ground)
    assert said(ground, mdm("T04", ground.traits)).code == "AA"
    document = the_document()
    assert (document.state, document.patient_id, document.file.patient_id) == ("withdrawn", ground.patient.id, None)
    with db.transaction(ground.as_patient):
        (seen,) = session.scalars(select(Document)).all()
        assert seen.state == "withdrawn", "the patient sees that there was one"
    assert said(ground, mdm("T04", ground.traits)).code == "AA", "again is the same"


def test_a_document_that_becomes_obsolete_is_withdrawn(ground: Ground) -> None:
    new(ground)
    said(ground, mdm("T02", ground.traits, availability="CA"))
    assert the_document().state == "withdrawn"


@pytest.mark.parametrize(
    ("facts", "change", "reason"),
    [
        ({"number": "9.9.9^DPI"}, {}, "unknown_document"),
        ({"sender": "RIS"}, {}, "not_yours"),
        ({}, {"ins": "255069910600378"}, "patients_differ"),
        ({}, {"birth_name": "PAT-QUATRE"}, "patients_differ"),
    ],
)
def test_nobody_else_withdraws_it_nor_for_somebody_else(
    ground: Ground, facts: dict[str, str], change: dict[str, Any], reason: str
) -> None:
    new(ground)
    answer = said(ground, mdm("T04", replace(ground.traits, **change), **facts))
    assert (answer.code, answer.error) == ("AE", "204")
    assert the_document().state == "filed"
    assert reason in [each.told for each in rows(HisMessage)]


def test_an_older_version_of_what_was_withdrawn_does_not_come_back_by_itself(ground: Ground) -> None:
    new(ground, documents.letter(ground.traits, set_id="1.2.3", version=2))
    said(ground, mdm("T04", ground.traits))
    new(ground, documents.letter(ground.traits, set_id="1.2.3", version=1), number="1.2.250.1.999.9^DPI")
    assert [(each.version, each.state, each.reason) for each in the_documents()] == [
        (1, "tray", "older_than_withdrawn"),
        (2, "withdrawn", "sender_withdrew"),
    ]


def test_a_message_written_in_the_future_does_nothing(ground: Ground) -> None:
    assert new(ground, said_at=db.now() + timedelta(days=3)).code == "AR"
    assert the_documents() == []


def test_another_hospital_has_numbers_of_its_own(ground: Ground) -> None:
    new(ground)
    elsewhere = document_messages.hear(ground.other_hospital.establishment.id, mdm("T04", ground.traits))
    assert (elsewhere.code, the_document().state) == ("AE", "filed")


# -- results -------------------------------------------------------------------------------------------------------


def test_results_are_kept_as_rows_beside_their_report(ground: Ground) -> None:
    values = [
        {1: "2", 2: "NM", 3: ("14682-9", "Créatinine", "LN"), 5: "71,5", 6: "umol/L", 7: "49-90", 8: "N", 11: "F"},
        {1: "3", 2: "SN", 3: ("1988-5", "CRP", "LN"), 5: ("<", "5"), 6: "mg/L", 7: "<5", 11: "F"},
        {1: "4", 2: "ST", 3: ("X1", "Aspect", "L"), 5: "Limpide", 11: "F"},
        {1: "5", 2: "NM", 3: ("2160-0", "Erreur", "LN"), 5: "1", 11: "W"},
    ]
    assert said(ground, oru(ground.traits, documents.letter(ground.traits), results=values)).code == "AA"
    found = sorted((each.label, each.value, each.unit) for each in rows(DocumentResult))
    assert found == [("Aspect", "Limpide", ""), ("CRP", "< 5", "mg/L"), ("Créatinine", "71,5", "umol/L")]


def test_a_corrected_report_replaces_the_first(ground: Ground) -> None:
    said(ground, oru(ground.traits, documents.pdf("Résultats")))
    said(ground, oru(ground.traits, documents.pdf("Résultats corrigés"), status="C"))
    assert [each.state for each in the_documents()] == ["superseded", "filed"]


def test_results_without_a_report_are_sent_back(ground: Ground) -> None:
    value = {1: "1", 2: "NM", 3: ("14682-9", "Créatinine", "LN"), 5: "71", 11: "F"}
    answer = said(ground, oru(ground.traits, results=[value]))
    assert (answer.code, answer.error) == ("AE", "101")


# -- the official examples -----------------------------------------------------------------------------------------

OFFICIAL = sorted((TESTDATA / "hl7v2").glob("*R_R01*")) + sorted((TESTDATA / "hl7v2").glob("MDM_*"))


@pytest.mark.skipif(not OFFICIAL, reason=f"the official examples are not there: {TESTDATA}")
def test_the_official_examples_are_taken(app: Flask, ground: Ground) -> None:
    for path in [*OFFICIAL, *sorted((TESTDATA / "hl7v2").glob("ORU_*"))]:
        answer = said(ground, path.read_bytes())
        assert (path.name, answer.code) == (path.name, "AA"), answer.told
    assert {each.type_code for each in the_documents()} >= {"11502-2"}


def test_the_numbers_of_a_hospital_are_nobody_elses_to_read(ground: Ground) -> None:
    new(ground)
    for who in (ground.as_patient, ground.as_other_agent, ground.as_professional, db.ANONYMOUS):
        with db.transaction(who):
            assert session.scalars(select(HisDocument)).all() == []
    with db.transaction(ground.as_agent):
        assert [each.number for each in session.scalars(select(HisDocument))] == ["1.2.250.1.999.1"]
