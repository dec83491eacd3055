"""The national lists are those of the country, and a code has one label, one class and one format."""

import csv
import re
from pathlib import Path

import pytest
from lxml import etree

from services.documents import value_sets

LISTS = Path(__file__).parents[3].parent / "shared" / "testdata" / "jdv"
needs_lists = pytest.mark.skipif(not LISTS.exists(), reason=f"the national lists are not there: {LISTS}")


def concepts(name: str) -> dict[str, tuple[str, str]]:
    """A published list: code → (system, label)."""
    found = etree.parse(LISTS / f"{name}.xml").iter("{urn:ihe:iti:svs:2008}Concept")
    return {each.get("code", ""): (each.get("codeSystem", ""), each.get("displayName", "")) for each in found}


def rows(name: str) -> list[dict[str, str]]:
    with (LISTS / f"{name}.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


@needs_lists
def test_every_type_has_its_national_label_and_system() -> None:
    published = concepts("JDV_J07_XdsTypeCode_CISIS")
    assert {code: (each.system, each.label) for code, each in value_sets.types().items()} == published


@needs_lists
def test_every_type_has_its_national_class() -> None:
    for row in rows("typecode_classcode"):
        found = value_sets.class_of(row["typeCode"])
        assert found is not None
        assert found.code == row["classCode"]
    assert dict(value_sets.CLASS_LABELS) == {row["code"]: row["display"] for row in rows("JDV_J06_XdsClassCode_CISIS")}


@needs_lists
def test_every_model_and_every_file_has_its_national_format() -> None:
    assert {row["mediaType"]: row["formatCode"] for row in rows("n1_mediatype_formatcode")} == value_sets.N1_FORMATS
    for row in rows("cda_template_formatcode"):
        if row["templateId"] == "1.3.6.1.4.1.19376.1.2.20":  # a file in an envelope
            continue
        found = value_sets.format_of(("1.2.3", row["templateId"]))
        assert found is not None
        assert found.code == row["formatCode"]


@needs_lists
@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("JDV_J01_XdsAuthorSpecialty_CISIS", value_sets.speciality),
        ("JDV_J02_XdsHealthcareFacilityTypeCode_CISIS", value_sets.facility),
        ("JDV_J04_XdsPracticeSettingCode_CISIS", value_sets.practice_setting),
        ("JDV_J08_XdsConfidentialityCode_CISIS", value_sets.confidentiality),
    ],
)
def test_every_other_code_has_its_national_label(name: str, function: object) -> None:
    assert callable(function)
    for code, (system, label) in concepts(name).items():
        assert function(code) == value_sets.Concept(code, system, label)
        assert function(code + "?") is None


def test_a_letter_of_discharge_is_a_report() -> None:
    found = value_sets.type_of("11490-0")
    assert found is not None
    assert found.label == "Lettre de liaison à la sortie d'un établissement de soins"
    assert found.class_ == value_sets.Concept("10", value_sets.CLASSES, "Compte rendu")


def test_a_type_that_is_not_listed_keeps_the_words_of_its_document() -> None:
    assert value_sets.type_of("99999-9") is None
    assert value_sets.type_label("99999-9", "Autre") == "Autre"
    assert value_sets.type_label("99999-9") == "99999-9"
    assert value_sets.type_system("99999-9") == value_sets.LOINC
    assert value_sets.class_of("99999-9") is None


def test_a_file_has_the_format_of_its_type_whatever_its_model() -> None:
    pdf = value_sets.format_of(("1.2.250.1.213.1.1.1.29",), "application/pdf")
    assert pdf is not None
    assert pdf.code == "urn:ihe:iti:xds-sd:pdf:2008"
    assert value_sets.format_of((), "text/html") is None
    assert value_sets.format_of(("1.2.3",)) is None


def test_labels_are_words_without_spaces_around() -> None:
    assert all(re.fullmatch(r"\S(?:.*\S)?", each.label) for each in value_sets.types().values())
