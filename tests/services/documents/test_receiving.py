"""A letter reaches the right patient, or a person decides; nothing is guessed, lost or taken twice."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select

from auth.models import PatientRecord
from portal import db, files
from portal.audit import AuditEvent
from portal.config import Settings
from portal.db import session
from portal.files import StoredFile
from portal.gateways.antivirus.twin import EICAR
from portal.kpi import KpiEvent
from portal.notifications import Notification
from services.documents import cda, jobs
from services.documents.actions import Outcome
from services.documents.commands import documents as command
from services.documents.models import Document, DocumentArrival
from tests.conftest import TESTDATA
from tests.factories import documents, people
from tests.services.documents.conftest import Ground

EXAMPLES = sorted((TESTDATA / "cda").glob("*.xml"))
needs_examples = pytest.mark.skipif(not EXAMPLES, reason=f"the official examples are not there: {TESTDATA}")


def take_in(ground: Ground, data: bytes, name: str = "lettre.xml", *, production: bool = False) -> list[Outcome]:
    with db.transaction(db.system("tests")):
        return jobs.take_in_file(ground.here, "command", name, data, production=production)


def one(ground: Ground, data: bytes, name: str = "lettre.xml", *, production: bool = False) -> Outcome:
    (outcome,) = take_in(ground, data, name, production=production)
    return outcome


def found(outcome: Outcome) -> Document:
    """The document of an outcome, with its files, as the system sees it."""
    with db.transaction(db.system("tests")):
        document = session.get_one(Document, outcome.document_id)
        _ = document.file, document.content
        return document


def bytes_of(stored: StoredFile | None) -> bytes:
    assert stored is not None
    return b"".join(files.open_(stored))


# -- who it is for -------------------------------------------------------------------------------------------------


def test_a_letter_with_the_exact_identity_is_filed_with_its_patient(ground: Ground) -> None:
    outcome = one(ground, documents.letter(ground.traits))
    assert (outcome.outcome, outcome.code) == ("filed", "")
    document = found(outcome)
    assert document.patient_id == ground.patient.id
    assert document.file.patient_id == ground.patient.id
    assert document.file.staff_right == "documents"


@pytest.mark.parametrize("written", ["Pat-Trois", "PÄT-TROIS"])
def test_case_and_accents_do_not_make_another_person(ground: Ground, written: str) -> None:
    assert one(ground, documents.letter(replace(ground.traits, birth_name=written))).outcome == "filed"


@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [
        ({"ins": "", "ins_oid": ""}, "903", "ins_missing"),
        ({"ins": "279035121518988"}, "904", "ins_key"),
        ({"ins": "2790351215189"}, "905", "ins_form"),
        ({"ins_oid": "1.2.250.1.213.1.4.11"}, "904", "namesake"),
        ({"ins": "255069910600378"}, "904", "namesake"),
        ({"ins": "255069910600378", "birth_name": "INCONNUE"}, "902", "unknown"),
        ({"birth_name": "PAT-QUATRE"}, "904", "traits_differ"),
        ({"birth_name": "PAT TROIS"}, "904", "traits_differ"),
        ({"first_name": "MARIE-LOUISE"}, "904", "traits_differ"),
        ({"birth_on": date(1979, 3, 29)}, "904", "traits_differ"),
        ({"sex": "M"}, "904", "traits_differ"),
        ({"sex": ""}, "905", "sex_missing"),
        ({"birth_on": None}, "905", "birth_date_missing"),
        ({"birth_name": ""}, "905", "name_missing"),
    ],
)
def test_any_doubt_sends_the_letter_to_the_tray(ground: Ground, change: dict[str, Any], code: str, reason: str) -> None:
    outcome = one(ground, documents.letter(replace(ground.traits, **change)))
    assert (outcome.outcome, outcome.code, outcome.reason) == ("tray", code, reason)
    assert found(outcome).patient_id is None


@pytest.mark.parametrize("status", ["PROV", "RECUP", "VALI"])
def test_only_a_qualified_identity_receives_by_itself(ground: Ground, status: str) -> None:
    with db.transaction(db.system("tests")):
        session.merge(ground.patient).identity_status = status
    outcome = one(ground, documents.letter(ground.traits))
    assert (outcome.outcome, outcome.code, outcome.reason) == ("tray", "904", "not_qualified")


def test_two_patients_with_one_ins_are_a_matter_for_people(ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        twin = people.patient("PAT-TROIS", ("DOMINIQUE",), date(1979, 3, 28))
        documents.qualified(twin)
    outcome = one(ground, documents.letter(ground.traits))
    assert (outcome.outcome, outcome.code, outcome.reason) == ("tray", "906", "several_bearers")


def test_a_restricted_letter_waits_for_a_person(ground: Ground) -> None:
    outcome = one(ground, documents.letter(ground.traits, confidentiality="R"))
    assert (outcome.outcome, outcome.code, outcome.reason) == ("tray", "906", "confidential")


def test_a_patient_of_another_hospital_of_the_group_becomes_known_here(ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        documents.qualified(session.merge(ground.other_patient), "255069910600378")
    about = replace(documents.traits(ground.other_patient), ins="255069910600378", ins_oid=documents.TEST_OID)
    assert one(ground, documents.letter(about)).outcome == "filed"
    with db.transaction(db.system("tests")):
        assert session.get(PatientRecord, (ground.other_patient.id, ground.here)) is not None


def test_test_identities_and_real_ones_never_meet(ground: Ground) -> None:
    real = replace(ground.traits, ins_oid="1.2.250.1.213.1.4.8")
    assert one(ground, documents.letter(ground.traits), production=True).reason == "test_identity"
    refused = one(ground, documents.letter(real))
    assert (refused.outcome, refused.reason) == ("quarantined", "real_identity")
    with db.transaction(db.system("tests")):
        assert session.scalars(select(Document)).all() == []
        assert session.scalars(select(DocumentArrival.file_id)).all() == [None, None]


# -- what it is ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("note.xml", b"<?xml version='1.0'?><note/>", "not_cda"),
        ("note.xml", b"<?xml version='1.0'?><note>", "not_cda"),
        ("vide.xml", b"", "empty"),
        ("photo.png", b"\x89PNG\r\n\x1a\n", "not_cda"),
        ("lettre.pdf", documents.pdf(), "not_cda"),
        ("faux.zip", b"PK\x03\x04 not a zip", "damaged"),
        ("resultats.er7", b"MSH|^~\\&|LABO|CH", "hl7_not_supported"),
        ("resultats.hl7", b"\x0bMSH|^~\\&|LABO|CH", "hl7_not_supported"),
        ("vide.eml", b"Subject: rien\r\n\r\nBonjour", "no_document"),
        (
            "bombe.xml",
            b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
            b'<ClinicalDocument xmlns="urn:hl7-org:v3">&x;</ClinicalDocument>',
            "dtd",
        ),
        ("profond.xml", b"<?xml version='1.0'?>" + b"<a>" * 200 + b"</a>" * 200, "too_deep"),
    ],
)
def test_what_is_no_letter_goes_to_quarantine(ground: Ground, name: str, data: bytes, reason: str) -> None:
    outcome = one(ground, data, name)
    assert (outcome.outcome, outcome.code, outcome.reason) == ("quarantined", "906", reason)
    with db.transaction(ground.as_agent):
        (arrival,) = session.scalars(select(DocumentArrival)).all()
        assert (arrival.name, arrival.reason) == (name, reason)
        if arrival.file_id is not None:
            with pytest.raises(files.FileNotReadable):
                files.open_(session.get_one(StoredFile, arrival.file_id))


def infected_pdf() -> bytes:
    return documents.pdf().replace(b"%%EOF", EICAR + b"\n%%EOF")


def test_a_virus_is_found_inside_the_envelope(ground: Ground) -> None:
    outcome = one(ground, documents.letter(ground.traits, body=infected_pdf()))
    assert (outcome.outcome, outcome.reason) == ("quarantined", "infected")
    with db.transaction(db.system("tests")):
        assert session.scalars(select(DocumentArrival.file_id)).one() is None, "it is forgotten within a day"


def test_a_virus_in_the_document_itself_is_not_kept(ground: Ground) -> None:
    outcome = one(ground, documents.letter(ground.traits) + b"<!--" + EICAR + b"-->")
    assert (outcome.outcome, outcome.reason) == ("quarantined", "infected")
    with db.transaction(db.system("tests")):
        assert session.scalars(select(StoredFile)).all() == []


def test_a_letter_whose_pdf_is_none_is_refused(ground: Ground) -> None:
    outcome = one(ground, documents.letter(ground.traits, body=b"%PDF-1.7 nothing"))
    assert (outcome.outcome, outcome.reason) == ("quarantined", "body_unreadable")


def test_original_bytes_are_kept_exactly(ground: Ground) -> None:
    body = documents.pdf("Lettre")
    sent = documents.letter(ground.traits, body=body)
    document = found(one(ground, sent))
    assert bytes_of(document.file) == sent
    assert bytes_of(document.content) == body


def test_when_the_scanner_is_down_nothing_is_lost_and_nothing_is_open(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files._place.scanner.faults, "down", True)
    document = found(one(ground, documents.letter(ground.traits)))
    assert document.state == "filed"
    with pytest.raises(files.FileNotReadable):
        files.open_(document.file)


# -- again, and in packages ----------------------------------------------------------------------------------------


def test_the_same_letter_is_taken_once_per_hospital(ground: Ground) -> None:
    data = documents.letter(ground.traits)
    first, again = one(ground, data), one(ground, data)
    assert (again.outcome, again.document_id) == ("duplicate", first.document_id)
    with db.transaction(db.system("tests")):
        elsewhere = documents.receive(ground.other_hospital.establishment, data)
    assert elsewhere.outcome == "filed"


def test_two_doors_that_bring_one_letter_at_once_file_it_once(app: Flask, ground: Ground) -> None:
    data = documents.letter(ground.traits)
    together = Barrier(2)

    def bring(_door: int) -> str:
        with app.app_context(), db.transaction(db.system("tests")):
            session.connection()
            together.wait(timeout=10)
            return documents.receive(ground.hospital.establishment, data).outcome

    with ThreadPoolExecutor(2) as doors:
        assert sorted(doors.map(bring, range(2))) == ["duplicate", "filed"]


def test_another_letter_under_the_same_identifier_is_not_taken_for_the_first(ground: Ground) -> None:
    one(ground, documents.letter(ground.traits, unique_id="1.2.3^1"))
    other = one(ground, documents.letter(ground.traits, unique_id="1.2.3^1", title="Autre chose"))
    assert (other.outcome, other.code, other.reason) == ("tray", "906", "same_identifier")
    again = one(ground, documents.letter(ground.traits, unique_id="1.2.3^1", title="Encore autre chose"))
    assert again.outcome == "tray", "nothing is lost, whatever comes under one number"


def test_a_package_gives_each_of_its_letters(ground: Ground) -> None:
    letters = [documents.letter(ground.traits), documents.letter(ground.traits, title="Deuxième")]
    sent = documents.package(*letters)
    outcomes = take_in(ground, sent, "IHE_XDM.ZIP")
    assert [outcome.outcome for outcome in outcomes] == ["filed", "filed"]
    assert [bytes_of(found(outcome).file) for outcome in outcomes] == letters
    with db.transaction(db.system("tests")):
        arrival = session.scalars(select(DocumentArrival)).one()
        assert bytes_of(session.get(StoredFile, arrival.file_id)) == sent


def test_a_package_is_refused_whole(ground: Ground) -> None:
    infected = documents.letter(ground.traits, body=infected_pdf())
    outcomes = take_in(ground, documents.package(documents.letter(ground.traits), infected), "paquet.zip")
    assert [(each.outcome, each.reason) for each in outcomes] == [("quarantined", "infected")]
    with db.transaction(db.system("tests")):
        assert session.scalar(select(func.count()).select_from(Document)) == 0


@pytest.mark.parametrize(
    ("lie", "reason"),
    [({"ins": "255069910600378"}, "patients_differ"), ({"unique_id": "1.2.3"}, "identifiers_differ")],
)
def test_a_package_that_contradicts_its_letter_is_refused(ground: Ground, lie: dict[str, str], reason: str) -> None:
    outcome = one(ground, documents.package(documents.letter(ground.traits), **lie), "paquet.zip")
    assert (outcome.outcome, outcome.reason) == ("quarantined", reason)


def test_a_package_about_two_patients_is_refused(ground: Ground) -> None:
    about_another = documents.letter(replace(ground.traits, ins="255069910600378"))
    outcome = one(ground, documents.package(documents.letter(ground.traits), about_another), "paquet.zip")
    assert (outcome.outcome, outcome.reason) == ("quarantined", "several_patients")


def test_a_mail_gives_its_letters_once(ground: Ground) -> None:
    letter = documents.letter(ground.traits)
    mail = documents.mail(("IHE_XDM.ZIP", documents.package(letter)), ("lettre.pdf", documents.pdf()))
    assert [outcome.outcome for outcome in take_in(ground, mail, "courriel.eml")] == ["filed"]
    loose = documents.mail(("lettre.xml", documents.letter(ground.traits)))
    assert [outcome.outcome for outcome in take_in(ground, loose, "courriel.eml")] == ["filed"]


# -- versions ------------------------------------------------------------------------------------------------------


def test_a_newer_version_takes_the_place_of_the_older(ground: Ground) -> None:
    first = one(ground, documents.letter(ground.traits, unique_id="1.2.3^1", set_id="1.2.3^0"))
    second = one(ground, documents.letter(ground.traits, unique_id="1.2.3^2", set_id="1.2.3^0", version=2))
    older = found(first)
    assert (older.state, older.superseded_by_id) == ("superseded", second.document_id)
    assert found(second).state == "filed"


def test_a_letter_that_replaces_another_by_its_identifier_does_so(ground: Ground) -> None:
    first = one(ground, documents.letter(ground.traits, unique_id="1.2.3^1"))
    one(ground, documents.letter(ground.traits, replaces="1.2.3^1"))
    assert found(first).state == "superseded"


def test_an_older_version_that_comes_late_stays_behind(ground: Ground) -> None:
    newer = one(ground, documents.letter(ground.traits, unique_id="1.2.3^2", set_id="1.2.3^0", version=2))
    late = one(ground, documents.letter(ground.traits, unique_id="1.2.3^1", set_id="1.2.3^0", version=1))
    assert found(late).state == "superseded"
    assert found(late).superseded_by_id == newer.document_id
    assert found(newer).state == "filed"


def test_nobody_replaces_a_letter_of_another_patient(ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        other = documents.qualified(people.patient("AUTRE", ("LUC",), date(1970, 1, 1), sex="M"), "170017511600151")
        about = documents.traits(other)
    first = one(ground, documents.letter(ground.traits, unique_id="1.2.3^1"))
    claim = one(ground, documents.letter(about, replaces="1.2.3^1"))
    assert (claim.outcome, claim.code, claim.reason) == ("tray", "901", "replaces_another_patient")
    assert found(first).state == "filed"


# -- what is written besides ---------------------------------------------------------------------------------------


def test_a_reception_is_audited_counted_and_told_without_health_data(
    ground: Ground, work_jobs: Callable[[], None]
) -> None:
    document = found(one(ground, documents.letter(ground.traits, title="Cardiologie : lettre")))
    work_jobs()
    with db.transaction(db.system("tests")):
        audited = session.scalars(select(AuditEvent.action).where(AuditEvent.object_id == document.id)).all()
        counted = session.execute(select(KpiEvent.event, KpiEvent.channel, KpiEvent.dimension)).all()
        (mail,) = session.scalars(select(Notification)).all()
    assert "document.received" in audited
    assert ("document_received", "command", "filed") in [tuple(row) for row in counted]
    assert mail.recipient == ground.account.email
    told = f"{mail.subject} {mail.body}"
    assert not any(word in told for word in ("Cardiologie", "PAT-TROIS", "Dominique", "essai", str(document.id)))


def test_a_letter_in_the_tray_tells_nobody(ground: Ground, work_jobs: Callable[[], None]) -> None:
    one(ground, documents.letter(replace(ground.traits, sex="M")))
    work_jobs()
    with db.transaction(db.system("tests")):
        assert session.scalars(select(Notification)).all() == []


# -- the command ---------------------------------------------------------------------------------------------------


def run(app: Flask, settings: Settings, *arguments: str) -> list[dict[str, Any]]:
    environment = {
        "PORTAL_ENV": "test",
        "PORTAL_DATABASE_URL": settings.database_url.get_secret_value(),
        "PORTAL_SECRET_KEY": settings.secret_key.get_secret_value(),
        "PORTAL_FILE_KEYS": settings.file_keys.get_secret_value(),
        "PORTAL_STORAGE_URL": settings.storage_url,
    }
    result = CliRunner().invoke(command, ["receive", *arguments], obj=lambda: app, env=environment)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.output.splitlines()]


@needs_examples
def test_official_examples_reach_their_patient(app: Flask, settings: Settings, ground: Ground) -> None:
    lines = run(app, settings, "--establishment", "990000017", *map(str, EXAMPLES))
    assert [(line["file"], line["outcome"], line["code"]) for line in lines] == [
        (str(path), "filed", "") for path in EXAMPLES
    ]
    with db.transaction(ground.as_patient):
        kept = [bytes_of(document.file) for document in session.scalars(select(Document))]
    assert sorted(kept) == sorted(path.read_bytes() for path in EXAMPLES)


@needs_examples
def test_the_official_package_and_mail_are_one_letter(app: Flask, settings: Settings, ground: Ground) -> None:
    paths = [*(TESTDATA / "xdm").glob("*.zip"), TESTDATA / "eml" / "01_inbound_pro_xdm.eml"]
    lines = run(app, settings, "--establishment", "990000017", *map(str, paths))
    assert [line["outcome"] for line in lines] == ["filed", "duplicate"]
    assert lines[0]["document_id"] == lines[1]["document_id"]


def test_the_command_says_one_line_for_each_letter(
    app: Flask, settings: Settings, ground: Ground, tmp_path: Path
) -> None:
    sent = tmp_path / "paquet.zip"
    sent.write_bytes(documents.package(documents.letter(ground.traits), documents.letter(ground.traits)))
    refused = tmp_path / "note.xml"
    refused.write_bytes(b"<?xml version='1.0'?><note/>")
    lines = run(app, settings, "--establishment", "990000017", str(sent), str(refused))
    assert [line["outcome"] for line in lines] == ["filed", "filed", "quarantined"]
    assert lines[2] == {
        "file": str(refused),
        "outcome": "quarantined",
        "code": "906",
        "reason": "not_cda",
        "document_id": None,
    }


def test_the_command_refuses_an_unknown_hospital(app: Flask, settings: Settings, ground: Ground) -> None:
    with pytest.raises(AssertionError, match="No hospital has the FINESS number"):
        run(app, settings, "--establishment", "123456789", __file__)


def test_every_reason_has_words(app: Flask) -> None:
    from services.documents import matching, parcels, wording, xdm

    words = {str(each) for each in (*parcels.ParcelReason, *cda.CdaReason, *xdm.XdmReason)} - {"not_xdm"}
    words |= {doubt.reason for doubt in matching._INS_FAULTS.values()}
    assert sorted(word for word in words if word not in wording.REASONS) == []
