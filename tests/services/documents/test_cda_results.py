"""The results of laboratories are read for what they say, and hostile ones cost nothing."""

import tarfile
import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from services.documents import cda
from services.documents.cda import Quantity
from tests.services.documents.test_cda import EXAMPLES, only_facts, structured

OFFICIAL = sorted((EXAMPLES / "cda").glob("*.xml"))
ALL_OF_THEM = EXAMPLES / "testcontenucda-3.0-full.tgz"
LABORATORY = "1.3.6.1.4.1.19376.1.3.1.6"


def observed(value: str = '<value xsi:type="PQ" value="7.67" unit="pg/mL"/>', more: str = "", **changes: str) -> bytes:
    """A letter with one coded result, and the words it points at."""
    said = {"template": LABORATORY, "code": "3024-7", "name": "Thyroxine libre", "at": "20140402145521+0200"} | changes
    observation = (
        '<observation xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" classCode="OBS" moodCode="EVN">'
        f'<templateId root="{said["template"]}"/><code code="{said["code"]}" displayName="{said["name"]}"/>'
        f'<effectiveTime value="{said["at"]}"/>{value}{more}</observation>'
    )
    text = '<content ID="ft4">Thyroxine libre (FT4)</content>'
    letter = structured(text, title="BIOCHIMIE")
    return letter.replace(b"</text></section>", f"</text><entry>{observation}</entry></section>".encode())


def only(data: bytes) -> cda.Result:
    (found,) = cda.results(data)
    return found


def test_a_result_says_what_how_much_when_and_under_which_title() -> None:
    found = only(observed())
    assert (found.group, found.label, found.code) == ("BIOCHIMIE", "Thyroxine libre", "3024-7")
    assert found.value == Quantity("7.67", Decimal("7.67"), "pg/mL")
    assert found.at is not None
    assert found.at.isoformat() == "2014-04-02T12:55:21+00:00"
    assert found.flag == ""


def test_a_result_is_called_as_the_letter_calls_it() -> None:
    pointing = b'displayName="Thyroxine libre"><originalText><reference value="#ft4"/></originalText></code>'
    data = observed().replace(b'displayName="Thyroxine libre"/>', pointing)
    assert only(data).label == "Thyroxine libre (FT4)"


@pytest.mark.parametrize(
    ("value", "text", "number", "unit"),
    [
        ('xsi:type="PQ" value="1,95" unit="g/L"', "1,95", Decimal("1.95"), "g/L"),
        ('xsi:type="INT" value="12"', "12", Decimal(12), ""),
        ('xsi:type="PQ" value="3" unit="1"', "3", Decimal(3), ""),
        ('xsi:type="PQ" value="NaN" unit="g/L"', "NaN", None, "g/L"),
        ('xsi:type="PQ" value="1e400" unit="g/L"', "1e400", None, "g/L"),
        ('xsi:type="CD" code="260385009" displayName="Négatif"', "Négatif", None, ""),
        ('xsi:type="BL" value="true"', "+", None, ""),
    ],
)
def test_a_value_is_kept_as_it_was_written(value: str, text: str, number: Decimal | None, unit: str) -> None:
    assert only(observed(f"<value {value}/>")).value == Quantity(text, number, unit)


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        ('<high value="5" unit="g/L" inclusive="false"/>', "< 5"),
        ('<high value="5" unit="g/L"/>', "≤ 5"),
        ('<low value="5" unit="g/L"/>', "≥ 5"),
        ('<low value="5" unit="g/L"/><high value="7" unit="g/L"/>', "5 – 7"),
    ],
)
def test_a_value_beyond_a_limit_says_so_and_is_no_number(inside: str, text: str) -> None:
    found = only(observed(f'<value xsi:type="IVL_PQ">{inside}</value>'))
    assert found.value == Quantity(text, None, "g/L")


def test_the_usual_range_and_the_mark_are_the_laboratorys() -> None:
    usual = (
        '<interpretationCode code="L"/><referenceRange><observationRange><value xsi:type="IVL_PQ">'
        '<low value="9.30" unit="pg/mL"/><high value="17.00" unit="pg/mL"/></value></observationRange></referenceRange>'
    )
    found = only(observed(more=usual))
    assert (found.low.text, found.high.text, found.flag) == ("9.30", "17.00", "L")


@pytest.mark.parametrize("code", ["", "high", "H+", "NORMAL"])
def test_a_mark_of_another_table_is_no_mark(code: str) -> None:
    assert only(observed(more=f'<interpretationCode code="{code}"/>')).flag == ""


def test_a_diagnosis_coded_like_a_result_is_none() -> None:
    assert cda.results(observed(template="1.3.6.1.4.1.19376.1.5.3.1.4.5")) == []


def test_a_result_without_a_value_is_none() -> None:
    assert cda.results(observed("")) == []
    assert cda.results(observed('<value xsi:type="PQ" nullFlavor="UNK"/>')) == []


def test_a_hundred_thousand_results_cost_a_moment() -> None:
    data = observed()
    start, end = data.index(b"<observation"), data.index(b"</observation>") + len(b"</observation>")
    many = data[:start] + data[start:end] * 20_000 + data[end:]
    started = time.process_time()
    assert len(cda.results(many)) == cda.MAX_RESULTS
    assert time.process_time() - started < 10


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40), st.sampled_from(["value", "unit", "code", "root", "displayName", "ID"]))
def test_any_value_in_a_result_gives_rows_or_a_fact(value: str, name: str) -> None:
    tree = etree.fromstring(observed())
    for element in tree.iter():
        if name in element.attrib:
            try:
                element.set(name, value)
            except ValueError:  # a character that no XML can hold
                return
    only_facts(etree.tostring(tree))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_result_damaged_anywhere_gives_rows_or_a_fact(data: st.DataObject) -> None:
    broken = bytearray(observed())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(broken) - 1))
        broken[at : at + data.draw(st.integers(0, 60))] = data.draw(st.binary(max_size=6))
    only_facts(bytes(broken))


@pytest.mark.skipif(not OFFICIAL, reason=f"the official examples are not there: {EXAMPLES}")
@pytest.mark.parametrize("path", OFFICIAL, ids=lambda path: path.name)
def test_of_the_official_examples_only_those_of_laboratories_have_results(path: Path) -> None:
    expected = {"BIO-CR-BIO_2024.01_TSH_1.xml": 2, "BIO-TROD_2024.01_Angine.xml": 1}
    assert len(cda.results(path.read_bytes())) == expected.get(path.name, 0)


@pytest.mark.skipif(not ALL_OF_THEM.exists(), reason=f"the whole official test content is not there: {ALL_OF_THEM}")
def test_whatever_the_official_test_content_holds_is_read_or_refused_for_a_reason() -> None:
    with tarfile.open(ALL_OF_THEM) as archive:
        names = [each for each in archive if each.isfile() and each.name.endswith(".xml")]
        assert names
        for each in names:
            member = archive.extractfile(each)
            assert member is not None
            only_facts(member.read())
