"""What we write is judged by the national schema and schematron, as the receivers of the country judge it."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from lxml import etree

from services.documents import cda
from services.documents.cda import Lacking

OFFICIAL = Path(__file__).parents[3].parent / "shared" / "testdata" / "testcontenucda"
RULES = OFFICIAL / "schematrons" / "profils" / "structurationMinimale" / "ASIP-STRUCT-MIN-StrucMin.sch"
FAILED = "{http://purl.oclc.org/dsdl/svrl}failed-assert"
PATIENT = cda.Patient(
    ins="279035121518989",
    ins_oid="1.2.250.1.213.1.4.10",
    ipp="0012345",
    ipp_oid="1.2.250.1.999.1",
    birth_name="PAT-TROIS",
    used_name="D'ÉTÉ",
    first_names="DOMINIQUE MARIE-LOUISE",
    first_name="DOMINIQUE",
    used_first_name="DOM",
    sex="F",
    birth_on=date(1979, 3, 28),
    birthplace_insee="51215",
)
AUTHOR = cda.Author(
    id=cda.practitioner_id("10000000009"),
    family="LEMAIRE",
    given="Aline",
    speciality="G15_10/SM27",
    organization="Centre hospitalier de démonstration",
    organization_id=cda.structure_id(finess="990000018"),
)


def letter(**changes: Any) -> cda.Letter:
    said: dict[str, Any] = {
        "unique_id": cda.identifier(UUID("0f1e2d3c-0000-4000-8000-000000000001")),
        "set_id": cda.identifier(UUID("0f1e2d3c-0000-4000-8000-000000000002")),
        "type_code": "11490-0",
        "title": "Lettre de sortie",
        "created_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "patient": PATIENT,
        "author": AUTHOR,
        "custodian": cda.Organization("1990000018", "Centre hospitalier de démonstration"),
        "body": b"%PDF-1.7 a letter",
    }
    return cda.Letter(**said | changes)


LETTERS: dict[str, dict[str, Any]] = {
    "usual": {},
    "a correction": {"version": 2, "replaces": "1.2.250.1.999.2^41", "confidentiality": "V"},
    "restricted": {"confidentiality": "R"},
    "care of several days": {
        "care_at": datetime(2025, 12, 24, tzinfo=UTC),
        "care_until": datetime(2026, 1, 2, tzinfo=UTC),
        "practice_setting": "HAD",
        "facility": "SA04",
    },
    "without INS": {"patient": replace(PATIENT, ins="", ins_oid="")},
    "without hospital number": {"patient": replace(PATIENT, ipp="", ipp_oid="")},
    "born in Corsica": {"patient": replace(PATIENT, ins="179072A00100137", sex="M", birthplace_insee="2A001")},
    "born abroad": {"patient": replace(PATIENT, ins="179079935200145", birthplace_insee="99352")},
    "long and foreign names": {
        "patient": replace(
            PATIENT,
            birth_name="ĐẶNG-NGUYỄN D'OLIVEIRA DE LA " + "X" * 150,
            used_name="ŁÓDŹ",
            first_names="ZOÉ ÇAĞLA ÅSA",
        )
    },
    "of a minor with a parent": {
        "patient": replace(PATIENT, birth_on=date(2020, 2, 29)),
        "guardian": cda.Guardian("DUPONT", "Jeanne"),
    },
    "of unknown sex, without INS": {"patient": replace(PATIENT, ins="", ins_oid="", sex="")},
    "signed by another": {"signer": replace(AUTHOR, id=cda.practitioner_id("10000000017"), family="ROUSSEL")},
    "of a place with a SIRET": {"author": replace(AUTHOR, organization_id=cda.structure_id(siret="20000000000018"))},
    "of an author without a place": {"author": replace(AUTHOR, organization="", organization_id="", speciality="")},
    "of a hospital's own professional": {"author": replace(AUTHOR, id=cda.staff_id("1990000018", "1234"), given="")},
    "of a type that is not LOINC": {"type_code": "PRESC-BIO", "title": "Prescription"},
    "what a patient says": {"type_code": "EXPPAT_2", "practice_setting": "EXP_PATIENT", "facility": "EXP_PATIENT"},
    "plain text": {"media_type": "text/plain", "body": "Bonjour l’été".encode()},
    "rich text": {"media_type": "text/rtf", "body": rb"{\rtf1 Bonjour}"},
    "a photo": {"media_type": "image/jpeg", "body": b"\xff\xd8\xff"},
    "a scan": {"media_type": "image/tiff", "body": b"II*\x00"},
    "identified by UUID": {"unique_id": "0f1e2d3c-0000-4000-8000-000000000001", "set_id": "1.2.250.1.999.2^7"},
}


@pytest.fixture(scope="module")
def schematron(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[bytes], list[str]]]:
    """The national rules, made into a stylesheet once (ten seconds, a gigabyte); they read files beside them."""
    if not RULES.exists():
        pytest.skip(f"the national schematron is not there: {RULES}")
    saxonche = pytest.importorskip("saxonche")
    home = tmp_path_factory.mktemp("national") / "schematrons"
    shutil.copytree(OFFICIAL / "schematrons", home, copy_function=shutil.copyfile)
    for folder, _, _ in os.walk(home):
        Path(folder).chmod(0o755)
    with saxonche.PySaxonProcessor(license=False) as processor:
        rules = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=_stylesheet(processor, home))

        def judge(document: bytes) -> list[str]:
            (home / "letter.xml").write_bytes(document)
            verdict = rules.transform_to_string(source_file=str(home / "letter.xml"))
            failed = etree.fromstring(verdict.encode()).iter(FAILED)
            return [" ".join("".join(each.itertext()).split())[:300] for each in failed]

        yield judge


def _stylesheet(processor: Any, home: Path) -> str:
    """Turn the rules into XSLT by the three steps of ISO schematron, beside the lists they refer to."""
    source = home / RULES.relative_to(OFFICIAL / "schematrons")
    for step in ("iso_dsdl_include", "iso_abstract_expand", "iso_svrl_for_xslt2"):
        executable = processor.new_xslt30_processor().compile_stylesheet(
            stylesheet_file=str(home / "moteur" / f"{step}.xsl")
        )
        if step == "iso_svrl_for_xslt2":
            executable.set_parameter("allow-foreign", processor.make_string_value("true"))
        made = source.parent / f"made-{step}.xsl"
        executable.transform_to_file(source_file=str(source), output_file=str(made))
        source = made
    return str(source)


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_is_valid_against_the_national_schema_and_rules(
    name: str, schematron: Callable[[bytes], list[str]]
) -> None:
    said = letter(**LETTERS[name])
    assert cda.lacking(said) == ()
    written = cda.write_letter(said)
    schema = etree.XMLSchema(etree.parse(OFFICIAL / "infrastructure" / "cda" / "CDA_extended.xsd"))
    schema.assertValid(etree.fromstring(written))
    assert schematron(written) == []


def test_the_rules_do_refuse_a_letter(schematron: Callable[[bytes], list[str]]) -> None:
    written = cda.write_letter(letter())
    assert schematron(written.replace(b'code="11490-0"', b'code="11490-9"'))
    assert schematron(cda.write_letter(letter(author=replace(AUTHOR, id=""))))


def test_identifiers_are_written_in_the_national_way() -> None:
    assert cda.practitioner_id("10000000009") == "810000000009"
    assert cda.structure_id(finess="990000018") == "1990000018"
    assert cda.structure_id(siret="20000000000018") == "320000000000018"
    assert cda.staff_id("1990000018", "1234") == "3990000018/1234"
    assert cda.staff_id("320000000000018", "1234") == "520000000000018/1234"
    assert cda.identifier(UUID(int=7)) == "2.25.7"


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_reads_back_as_it_was(name: str) -> None:
    said = letter(**LETTERS[name])
    header = cda.read_header(cda.write_letter(said))
    assert header.patient == said.patient
    assert (header.version, header.replaces, header.title) == (said.version, said.replaces, said.title)
    assert (header.author.id, header.author.family) == (said.author.id, said.author.family)
    assert cda.embedded(cda.write_letter(said)) == (said.media_type, said.body)
    assert cda.lacking(header) == ()


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        ({"patient": replace(PATIENT, birth_name="")}, {Lacking.NAME, Lacking.INS_TRAITS}),
        ({"patient": replace(PATIENT, first_names="", first_name="")}, {Lacking.FIRST_NAMES, Lacking.INS_TRAITS}),
        ({"patient": replace(PATIENT, birth_on=None)}, {Lacking.BIRTH_DATE, Lacking.INS_TRAITS}),
        ({"patient": replace(PATIENT, birthplace_insee="")}, {Lacking.INS_TRAITS}),
        ({"patient": replace(PATIENT, birthplace_insee="", ins="", ins_oid="")}, set()),
        ({"patient": replace(PATIENT, ins="", ins_oid="", ipp="")}, {Lacking.PATIENT_NUMBER}),
        ({"author": replace(AUTHOR, id="")}, {Lacking.AUTHOR}),
        ({"custodian": cda.Organization("", "")}, {Lacking.CUSTODIAN}),
    ],
)
def test_what_a_letter_lacks_to_be_sent_is_told(changes: dict[str, Any], lacks: set[Lacking]) -> None:
    assert set(cda.lacking(letter(**changes))) == lacks


@pytest.mark.parametrize(
    "changes",
    [
        {"type_code": "NONE-1"},
        {"practice_setting": "X"},
        {"facility": "X"},
        {"care_until": datetime(2026, 1, 1)},
        {"media_type": "application/zip"},
    ],
)
def test_a_code_that_no_list_has_is_not_written(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        letter(**changes)
