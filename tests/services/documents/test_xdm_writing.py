"""A package that we make says of its documents what they say of themselves, and other software takes it."""

import hashlib
import io
import re
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from services.documents import cda, mss, parcels, pdfa, xdm
from services.documents.xdm import CannotPack, PackReason
from tests.services.documents.test_cda_national import AUTHOR, PATIENT, letter

EXAMPLES = Path(__file__).parents[3].parent / "shared" / "testdata"
EXAMPLE = EXAMPLES / "xdm" / "IHE_XDM_example_LDL-SES.zip"
needs_examples = pytest.mark.skipif(not EXAMPLE.exists(), reason=f"the example package is not there: {EXAMPLE}")
METADATA = "IHE_XDM/SUBSET01/METADATA.XML"
RIM = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"
SUBMISSION = xdm.Submission(
    unique_id="1.2.250.1.999.1.1.332049181",
    source_id="1.2.250.1.999.1.1",
    sent_at=datetime(2026, 11, 22, 8, tzinfo=UTC),
    sender="CHU TEST",
)


def written(number: int = 1, **changes: Any) -> bytes:
    return cda.write_letter(letter(**{"unique_id": f"1.2.250.1.999.2^{number}"} | changes))


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return {name: package.read(name) for name in package.namelist()}


def said(data: bytes) -> list[tuple[str, ...]]:
    """All that METADATA.XML says, without the order of attributes and the names inside the file."""
    found = []
    for element in etree.fromstring(unzipped(data)[METADATA]).iter(etree.Element):
        attributes = {name: value for name, value in element.attrib.items() if name not in ("id", "objectType")}
        found.append((element.tag, (element.text or "").strip(), repr(sorted(attributes.items()))))
    return found


def slots(data: bytes, kind: str = "ExtrinsicObject") -> dict[str, list[str]]:
    described = etree.fromstring(unzipped(data)[METADATA]).find(f".//{RIM}{kind}")
    assert described is not None
    return {
        slot.get("name", ""): [value.text or "" for value in slot.iter(RIM + "Value")]
        for slot in described.iter(RIM + "Slot")
    }


def codes(data: bytes) -> dict[str, str]:
    described = etree.fromstring(unzipped(data)[METADATA]).find(f".//{RIM}ExtrinsicObject")
    assert described is not None
    return {
        each.get("classificationScheme", "")[9:17]: each.get("nodeRepresentation", "")
        for each in described.iter(RIM + "Classification")
    }


def assert_not_packed(reason: PackReason, *documents: bytes) -> None:
    with pytest.raises(CannotPack) as fact:
        xdm.write(documents, SUBMISSION)
    assert fact.value.reason is reason


# --- what it says -------------------------------------------------------------------------------


@needs_examples
def test_the_package_of_the_example_says_what_the_example_says() -> None:
    document = (EXAMPLES / "cda" / "LDL-SES_2022.01.xml").read_bytes()
    assert said(xdm.write([document], SUBMISSION)) == said(EXAMPLE.read_bytes())


@needs_examples
@pytest.mark.parametrize(
    "path",
    sorted((EXAMPLES / "cda").glob("*.xml")) or [Path("the folder is not there")],
    ids=lambda path: path.name,
)
def test_every_official_document_is_packed_and_read_back(path: Path) -> None:
    document = path.read_bytes()
    if "TROD" in path.name:  # its model has no format in the list of the country
        assert_not_packed(PackReason.NO_FORMAT, document)
        return
    package = xdm.write([document], SUBMISSION)
    header = cda.read_header(document)
    [entry] = xdm.unpack(package).documents
    assert entry.data == document
    assert (entry.metadata.unique_id, entry.metadata.type_code) == (header.unique_id, header.type_code)
    assert entry.metadata.title == header.title
    [taken] = parcels.letters(package, "IHE_XDM.ZIP")
    assert taken.header == header


def test_a_package_has_the_names_of_the_medium() -> None:
    files = unzipped(xdm.write([written(1), written(2)], SUBMISSION))
    assert list(files) == [
        "INDEX.HTM",
        "README.TXT",
        METADATA,
        "IHE_XDM/SUBSET01/DOC0001.XML",
        "IHE_XDM/SUBSET01/DOC0002.XML",
    ]
    assert all(re.fullmatch(r"[A-Z0-9_]{1,8}(\.[A-Z]{3})?", part) for name in files for part in name.split("/"))
    assert b'href="IHE_XDM/SUBSET01/DOC0002.XML"' in files["INDEX.HTM"]
    assert b"CHU TEST" in files["README.TXT"]


def test_each_document_is_described_by_its_hash_size_and_moments_in_utc() -> None:
    zone = timezone(timedelta(hours=4))
    document = written(
        created_at=datetime(2026, 7, 14, 23, 30, tzinfo=zone),
        care_at=datetime(2026, 7, 1, 2, tzinfo=zone),
        care_until=datetime(2026, 7, 3, tzinfo=zone),
    )
    told = slots(xdm.write([document], SUBMISSION))
    assert told["hash"] == [hashlib.sha1(document).hexdigest()]
    assert told["size"] == [str(len(document))]
    assert told["creationTime"] == ["20260714193000"]
    assert told["serviceStartTime"] == ["20260630220000"]
    assert told["serviceStopTime"] == ["20260702200000"]
    assert told["languageCode"] == ["fr-FR"]
    assert told["sourcePatientId"] == ["0012345^^^&1.2.250.1.999.1&ISO^PI"]
    assert told["sourcePatientInfo"] == [
        "PID-5|PAT-TROIS^DOMINIQUE^DOMINIQUE MARIE-LOUISE^^^^L",
        "PID-7|19790328",
        "PID-8|F",
    ]
    assert told["legalAuthenticator"] == ["810000000009^LEMAIRE^Aline^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"]


def test_each_document_is_sorted_by_class_type_format_place_and_confidentiality() -> None:
    told = codes(xdm.write([written(confidentiality="R", media_type="text/plain", body=b"x")], SUBMISSION))
    assert told["41a5887f"] == "10"
    assert told["f0306f51"] == "11490-0"
    assert told["a09d5840"] == "urn:ihe:iti:xds-sd:text:2008"
    assert told["f4f85eac"] == "R"
    assert told["f33fb8ac"] == "SA01"
    assert told["cccf5598"] == "ETABLISSEMENT"


def test_a_patient_without_ins_is_known_by_the_number_of_the_hospital() -> None:
    package = xdm.write([written(patient=replace(PATIENT, ins="", ins_oid=""))], SUBMISSION)
    assert xdm.unpack(package).patient == xdm.PatientId("0012345", "1.2.250.1.999.1")


def test_the_same_documents_make_the_same_bytes() -> None:
    assert xdm.write([written(1), written(2)], SUBMISSION) == xdm.write([written(1), written(2)], SUBMISSION)


def test_words_that_look_like_markup_or_separators_stay_words() -> None:
    hostile = "<b>&\"'^|~\\ x"
    document = written(title=hostile, author=replace(AUTHOR, family=hostile, organization=hostile))
    package = xdm.write([document], replace(SUBMISSION, sender="<script>\r\nBcc: x"))
    [entry] = xdm.unpack(package).documents
    assert entry.metadata.title == hostile
    assert slots(package)["legalAuthenticator"][0].count("^") == 12
    files = unzipped(package)
    assert b"<script>" not in files["INDEX.HTM"]
    assert b"<b>" not in files["INDEX.HTM"]
    assert etree.fromstring(files["INDEX.HTM"].split(b"\r\n", 2)[2]) is not None


# --- what is not packed -------------------------------------------------------------------------


def test_two_patients_never_travel_together() -> None:
    for other in (
        {"ins": "187027800100130"},
        {"ins_oid": "1.2.250.1.213.1.4.11"},
        {"ipp": "99"},
        {"birth_name": "AUTRE"},
        {"birth_on": date(1980, 1, 1)},
        {"ins": "", "ins_oid": ""},
    ):
        assert_not_packed(PackReason.SEVERAL_PATIENTS, written(1), written(2, patient=replace(PATIENT, **other)))  # type: ignore[arg-type]  # a dict of traits


def test_what_cannot_be_sorted_is_not_packed() -> None:
    assert_not_packed(PackReason.NO_DOCUMENT)
    assert_not_packed(PackReason.TOO_MANY_DOCUMENTS, *[written()] * 51)
    assert_not_packed(PackReason.REPEATED, written(1), written(1, title="Autre"))
    assert_not_packed(PackReason.NO_PATIENT_NUMBER, written(patient=replace(PATIENT, ins="", ipp="")))
    assert_not_packed(PackReason.NO_CLASS, written(type_code="101881-1"))
    assert_not_packed(PackReason.NO_CONTEXT, written().replace(b"standardIndustryClassCode", b"elsewhere"))
    with pytest.raises(cda.NotCda):
        xdm.write([b"<a/>"], SUBMISSION)


@pytest.mark.parametrize(
    "changes",
    [{"unique_id": "x"}, {"source_id": ""}, {"content": "99"}, {"sent_at": datetime(2026, 1, 1)}],
)
def test_a_submission_is_identified_dated_and_of_a_known_type(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        replace(SUBMISSION, **changes)


# --- round trips --------------------------------------------------------------------------------

words = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=40)


@settings(max_examples=60)
@given(titles=st.lists(words, min_size=1, max_size=4), name=words, body=st.binary(min_size=1, max_size=3000))
def test_whatever_is_packed_comes_out_whole(titles: list[str], name: str, body: bytes) -> None:
    patient = replace(PATIENT, birth_name=name)
    documents = [written(number, title=title, body=body, patient=patient) for number, title in enumerate(titles, 1)]
    package = xdm.unpack(xdm.write(documents, SUBMISSION))
    assert [entry.data for entry in package.documents] == documents
    assert package.patient == xdm.PatientId(PATIENT.ins, PATIENT.ins_oid)
    for entry in package.documents:
        assert entry.metadata.sha1 == hashlib.sha1(entry.data).hexdigest()
        assert entry.metadata.title == cda.read_header(entry.data).title


# --- with their copies for people ---------------------------------------------------------------


@needs_examples
def test_documents_travel_with_the_same_documents_as_pdf() -> None:
    documents = [
        (EXAMPLES / "cda" / name).read_bytes() for name in ("LDL-SES_2022.01.xml", "DOC_NON_STRUCTURE_CDA-R2-N1.xml")
    ]
    pair = mss.pair(documents, SUBMISSION)
    assert [copy.name for copy in pair.copies] == [
        "20191029_Lettre de liaison a la sortie d'un etabl_PAT-TROIS_DOMINIQUE.pdf",
        "20210104_CR d'examens biologiques_PAT-TROIS_DOMINIQUE.pdf",
    ]
    inside = cda.embedded(documents[1])
    assert inside is not None
    assert pair.copies[1].data == inside[1]  # byte for byte (ECO.2.1.5)
    assert [copy.is_pdfa for copy in pair.copies] == [True, False]  # the second makes no such claim, and we make none
    assert pair.type_codes == ("11490-0", "11502-2")
    assert (pair.number, pair.has_ins) == ("279035121518989", True)
    assert [entry.data for entry in xdm.unpack(pair.package).documents] == documents


def test_two_copies_of_one_name_are_told_apart() -> None:
    pair = mss.pair([written(1), written(2), written(3)], SUBMISSION, file_number="D7")
    assert [copy.name[-20:] for copy in pair.copies] == [
        "-TROIS_DOMINIQUE_D7.pdf"[-20:],
        "IS_DOMINIQUE_D7 (2).pdf"[-20:],
        "IS_DOMINIQUE_D7 (3).pdf"[-20:],
    ]


@pytest.mark.parametrize(
    "changes", [{"ins": ""}, {"ins_oid": "1.2.3"}, {"sex": ""}, {"birth_on": None}, {"birth_name": ""}]
)
def test_an_ins_is_announced_with_its_four_traits_alone(changes: dict[str, Any]) -> None:
    assert mss.has_ins(PATIENT)
    assert not mss.has_ins(replace(PATIENT, **changes))


def test_an_envelope_that_holds_no_pdf_has_no_copy() -> None:
    with pytest.raises(pdfa.CannotCopy):
        mss.pair([written(body=b"not a pdf")], SUBMISSION)
    with pytest.raises(pdfa.CannotCopy):
        mss.pair([written(media_type="text/rtf", body=rb"{\rtf1 x}")], SUBMISSION)


def test_the_day_of_the_act_is_that_of_the_hospital() -> None:
    document = written(care_at=datetime(2026, 1, 1, 23, 30, tzinfo=UTC))
    assert mss.pair([document], SUBMISSION).copies[0].name.startswith("20260102_")
    assert mss.pair([document], SUBMISSION, UTC).copies[0].name.startswith("20260101_")


def test_a_pair_in_a_mail_is_filed_at_the_other_end() -> None:
    pair = mss.pair([written(1), written(2)], SUBMISSION)
    mail = mss.compose(
        mss.Outgoing(
            message_id="<1@x.fr>", sender=mss.Sender("a@x.fr", "A"), recipients=("b@y.fr",), product="P",
            sent_at=datetime(2026, 1, 1, tzinfo=UTC), text="Voici", pair=pair,
        )
    )  # fmt: skip
    [package] = mss.read_mail(mail).packages
    assert [each.header.unique_id for each in parcels.letters(package.data, package.name)] == [
        "1.2.250.1.999.2^1",
        "1.2.250.1.999.2^2",
    ]
