"""A package gives the documents of one patient, exactly as sent; a hostile one gives nothing and costs little."""

import hashlib
import io
import json
import stat
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.documents import xdm
from services.documents.xdm import Limits, NotXdm, XdmReason, XdmRefused, XdmTooLarge

EXAMPLES = Path(__file__).parents[3].parent / "shared" / "testdata"
EXAMPLE = EXAMPLES / "xdm" / "IHE_XDM_example_LDL-SES.zip"

LETTER = b"<ClinicalDocument>one letter</ClinicalDocument>"
SECOND = b"<ClinicalDocument>another letter</ClinicalDocument>"
PATIENT = "279035121518989^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH"
OTHER_PATIENT = "187027800100130^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH"
SUBSET = "IHE_XDM/SUBSET01/"
METADATA = SUBSET + "METADATA.XML"


def described(
    data: bytes = LETTER,
    uri: str = "DOC0001.XML",
    unique_id: str = "1.2.3^1",
    patient: str = PATIENT,
    sha1: str | None = None,
    size: str | None = None,
) -> str:
    """One document as METADATA.XML describes it."""
    slots = {
        "URI": uri,
        "hash": hashlib.sha1(data).hexdigest() if sha1 is None else sha1,
        "size": str(len(data)) if size is None else size,
    }
    return (
        '<ExtrinsicObject mimeType="text/xml">'
        + "".join(f'<Slot name="{k}"><ValueList><Value>{v}</Value></ValueList></Slot>' for k, v in slots.items())
        + '<Name><LocalizedString value="Lettre de sortie"/></Name>'
        + '<Classification classificationScheme="urn:uuid:f0306f51-975f-434e-a61c-c59651d33983"'
        + ' nodeRepresentation="11490-0"/>'
        + '<ExternalIdentifier identificationScheme="urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"'
        + f' value="{patient}"/>'
        + '<ExternalIdentifier identificationScheme="urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"'
        + f' value="{unique_id}"/></ExtrinsicObject>'
    )


def metadata(*documents: str, submission_patient: str = PATIENT) -> bytes:
    return (
        '<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"'
        ' xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"><RegistryObjectList>'
        + "".join(documents)
        + '<RegistryPackage><ExternalIdentifier value="'
        + submission_patient
        + '" identificationScheme="urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446"/></RegistryPackage>'
        "</RegistryObjectList></lcm:SubmitObjectsRequest>"
    ).encode()


def good() -> dict[str, bytes]:
    return {"INDEX.HTM": b"<html/>", METADATA: metadata(described()), SUBSET + "DOC0001.XML": LETTER}


def zipped(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as package:
        for name, data in entries.items():
            package.writestr(name, data)
    return stream.getvalue()


def assert_refused(data: bytes, reason: XdmReason, limits: Limits = xdm.USUAL_LIMITS) -> None:
    with pytest.raises(XdmRefused) as fact:
        xdm.unpack(data, limits)
    assert fact.value.reason is reason


# --- what is taken ------------------------------------------------------------------------------


@pytest.mark.skipif(not EXAMPLE.exists(), reason=f"the example package is not there: {EXAMPLE}")
def test_the_example_package_gives_its_letter_byte_for_byte() -> None:
    package = xdm.unpack(EXAMPLE.read_bytes())
    expected = json.loads((EXAMPLES / "cda_expected.json").read_text())["LDL-SES_2022.01.xml"]
    assert package.patient == xdm.PatientId("279035121518989", "1.2.250.1.213.1.4.10")
    [document] = package.documents
    assert document.data == (EXAMPLES / "cda" / "LDL-SES_2022.01.xml").read_bytes()
    assert document.metadata.unique_id == expected["uniqueId"]
    assert (document.metadata.sha1, document.metadata.size) == (expected["sha1"], expected["size"])


def test_a_package_gives_its_documents_and_what_is_said_of_them() -> None:
    [document] = xdm.unpack(zipped(good())).documents
    assert (document.name, document.data) == (SUBSET + "DOC0001.XML", LETTER)
    assert document.metadata == xdm.Metadata(
        uri="DOC0001.XML",
        unique_id="1.2.3^1",
        sha1=hashlib.sha1(LETTER).hexdigest(),
        size=len(LETTER),
        mime_type="text/xml",
        type_code="11490-0",
        title="Lettre de sortie",
        patient=xdm.PatientId("279035121518989", "1.2.250.1.213.1.4.10"),
    )


def test_several_documents_and_several_subsets_of_one_patient_are_taken() -> None:
    entries = good() | {
        METADATA: metadata(described(), described(SECOND, "DOC0002.XML", "1.2.3^2")),
        SUBSET + "DOC0002.XML": SECOND,
        "IHE_XDM/SUBSET02/METADATA.XML": metadata(described(unique_id="1.2.3^3")),
        "IHE_XDM/SUBSET02/DOC0001.XML": LETTER,
    }
    package = xdm.unpack(zipped(entries))
    assert [document.metadata.unique_id for document in package.documents] == ["1.2.3^1", "1.2.3^2", "1.2.3^3"]
    assert [document.data for document in package.documents] == [LETTER, SECOND, LETTER]


def test_names_in_another_case_and_hashes_in_capitals_are_the_same() -> None:
    entries = {
        "ihe_xdm/subset01/metadata.xml": metadata(described(sha1=hashlib.sha1(LETTER).hexdigest().upper())),
        "ihe_xdm/subset01/doc0001.xml": LETTER,
    }
    assert len(xdm.unpack(zipped(entries)).documents) == 1


def test_what_the_metadata_do_not_describe_is_not_given() -> None:
    package = xdm.unpack(zipped(good() | {SUBSET + "EXTRA.EXE": b"MZ"}))
    assert [document.name for document in package.documents] == [SUBSET + "DOC0001.XML"]


def test_folders_of_their_own_are_harmless() -> None:
    assert xdm.unpack(zipped({"IHE_XDM/": b"", SUBSET: b""} | good())).documents


# --- what the metadata get wrong ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (metadata(described(sha1="0" * 40)), XdmReason.HASH),
        (metadata(described(sha1="")), XdmReason.HASH),
        (metadata(described(size="1")), XdmReason.SIZE),
        (metadata(described(size="")), XdmReason.METADATA),
        (metadata(described(size="-1")), XdmReason.METADATA),
        (metadata(described(unique_id="")), XdmReason.METADATA),
        (metadata(described(unique_id="1" * 129)), XdmReason.METADATA),
        (metadata(described(uri="DOC0009.XML")), XdmReason.DOCUMENT_MISSING),
        (metadata(described(uri="../../INDEX.HTM")), XdmReason.DOCUMENT_MISSING),
        (metadata(described(), described(unique_id="1.2.3^2")), XdmReason.METADATA),
        (metadata(), XdmReason.METADATA),
        (metadata(described(patient="")), XdmReason.NO_PATIENT),
        (metadata(described(patient="279035121518989")), XdmReason.NO_PATIENT),
        (metadata(described(patient=OTHER_PATIENT)), XdmReason.SEVERAL_PATIENTS),
        (metadata(described(), submission_patient=OTHER_PATIENT), XdmReason.SEVERAL_PATIENTS),
        (b"not xml", XdmReason.METADATA),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', XdmReason.METADATA),
        (b"<a>" * 300 + b"</a>" * 300, XdmReason.METADATA),
    ],
)
def test_metadata_that_do_not_hold_refuse_the_whole_package(written: bytes, reason: XdmReason) -> None:
    assert_refused(zipped(good() | {METADATA: written}), reason)


def test_two_patients_in_two_subsets_are_refused() -> None:
    other = metadata(described(unique_id="1.2.3^2", patient=OTHER_PATIENT), submission_patient=OTHER_PATIENT)
    entries = good() | {"IHE_XDM/SUBSET02/METADATA.XML": other, "IHE_XDM/SUBSET02/DOC0001.XML": LETTER}
    assert_refused(zipped(entries), XdmReason.SEVERAL_PATIENTS)


def test_one_identifier_for_two_documents_is_refused() -> None:
    written = metadata(described(), described(SECOND, "DOC0002.XML"))
    assert_refused(zipped(good() | {METADATA: written, SUBSET + "DOC0002.XML": SECOND}), XdmReason.METADATA)


# --- hostile ZIPs -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../evil.sh",
        "/etc/passwd",
        "a/../../b",
        "./a",
        "a//b",
        "C:/a",
        "a\\..\\b",
        "a\x01b",
        "a\u202eb",
        "index.htm",
    ],
)
def test_a_name_that_leaves_its_place_or_hides_another_is_refused(name: str) -> None:
    assert_refused(zipped(good() | {name: b""}), XdmReason.NAME)


def test_a_name_given_twice_is_refused() -> None:
    data = zipped(good() | {SUBSET + "DOC0002.XML": SECOND})
    assert_refused(data.replace(b"DOC0002.XML", b"DOC0001.XML"), XdmReason.NAME)


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_a_link_or_a_device_is_refused(mode: int) -> None:
    stream = io.BytesIO(zipped(good()))
    with zipfile.ZipFile(stream, "a") as package:
        link = zipfile.ZipInfo("LINK")
        link.external_attr = (mode | 0o777) << 16
        package.writestr(link, "/etc/passwd")
    assert_refused(stream.getvalue(), XdmReason.LINK)


def test_a_zip_in_the_zip_is_refused_whatever_its_name() -> None:
    inner = zipped({"a": b"a"})
    assert_refused(zipped(good() | {"MORE.ZIP": inner}), XdmReason.NESTED)
    assert_refused(zipped({METADATA: metadata(described(inner)), SUBSET + "DOC0001.XML": inner}), XdmReason.NESTED)


def test_a_compression_bomb_is_refused() -> None:
    assert_refused(zipped(good() | {"BOMB": bytes(5_000_000)}), XdmReason.RATIO)


def test_more_bytes_unpacked_than_the_limit_are_refused() -> None:
    assert_refused(zipped(good() | {"BIG": bytes(2000)}), XdmReason.TOO_LARGE_UNPACKED, Limits(unpacked=2000))


def test_metadata_above_their_own_limit_are_refused() -> None:
    assert_refused(zipped(good()), XdmReason.METADATA, Limits(metadata=100))


def test_more_entries_than_the_limit_are_refused() -> None:
    many = zipped(good() | {f"F{number}": b"" for number in range(98)}, zipfile.ZIP_STORED)
    assert_refused(many, XdmReason.TOO_MANY_ENTRIES)


def test_a_package_above_the_limit_is_not_opened() -> None:
    data = zipped(good())
    with pytest.raises(XdmTooLarge):
        xdm.unpack(data, Limits(packed=len(data) - 1))
    assert xdm.unpack(data, Limits(packed=len(data)))


def test_an_entry_that_lies_about_its_size_costs_what_it_declares() -> None:
    """The classic against ``ZipFile.read``: 50 MB of nothing announced as the size of a letter."""
    data = bytearray(zipped({METADATA: metadata(described()), SUBSET + "DOC0001.XML": bytes(50_000_000)}))
    true_size = (50_000_000).to_bytes(4, "little")
    assert data.count(true_size) == 2
    lying = bytes(data).replace(true_size, len(LETTER).to_bytes(4, "little"))
    tracemalloc.start()
    assert_refused(lying, XdmReason.DAMAGED)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_unusual_compression_is_refused(method: int) -> None:
    assert_refused(zipped(good(), method), XdmReason.LOCKED)


def test_a_package_under_a_password_is_refused() -> None:
    data = bytearray(zipped(good()))
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    assert_refused(bytes(data), XdmReason.LOCKED)


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.99])
def test_a_package_cut_on_its_way_is_damaged(part: float) -> None:
    data = zipped(good())
    assert_refused(data[: int(len(data) * part)], XdmReason.DAMAGED)


def test_a_document_damaged_on_its_way_is_noticed() -> None:
    data = zipped(good(), zipfile.ZIP_STORED)
    assert_refused(data.replace(b"one letter", b"own letter"), XdmReason.DAMAGED)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", LETTER, zipped({"a.txt": b"hello"}), zipped({})])
def test_what_is_no_package_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(NotXdm):
        xdm.unpack(data)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_package_damaged_anywhere_gives_its_letter_or_a_fact(data: st.DataObject) -> None:
    broken = bytearray(zipped(good(), data.draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))))
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        documents = xdm.unpack(bytes(broken)).documents
    except xdm.XdmError:
        return
    assert [document.data for document in documents] == [LETTER]
