"""A clinical document is read for what it is, and a hostile one costs nothing and shows nothing."""

import base64
import contextlib
import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from services.documents import cda
from services.documents.cda import CdaReason, CdaRefused, CdaTooLarge, CdaWarning, NotCda

EXAMPLES = Path(__file__).parents[3].parent / "shared" / "testdata"
SCHEMA = EXAMPLES / "testcontenucda" / "infrastructure" / "cda" / "CDA_extended.xsd"
EXPECTED: dict[str, Any] = (
    json.loads((EXAMPLES / "cda_expected.json").read_text()) if (EXAMPLES / "cda_expected.json").exists() else {}
)
needs_examples = pytest.mark.skipif(not EXPECTED, reason=f"the official examples are not there: {EXAMPLES}")
needs_schema = pytest.mark.skipif(not SCHEMA.exists(), reason=f"the official schema is not there: {SCHEMA}")

PATIENT = cda.Patient(
    ins="279035121518989",
    ins_oid="1.2.250.1.213.1.4.10",
    ipp="0012345",
    ipp_oid="1.2.250.1.999.1",
    birth_name="PAT-TROIS",
    used_name='D\'ÉTÉ <&> "X"',
    first_names="DOMINIQUE MARIE-LOUISE",
    first_name="DOMINIQUE",
    used_first_name="DOM",
    sex="F",
    birth_on=date(1979, 3, 28),
    birthplace_insee="51215",
)
AUTHOR = cda.Author(
    id="810000000009",
    family="LEMAIRE",
    given="Aline",
    speciality="G15_10/SM27",
    speciality_label="Médecin - Médecine interne (SM)",
    organization="Centre hospitalier de démonstration",
    organization_id="1990000018",
)


def letter(**changes: Any) -> bytes:
    said: dict[str, Any] = {
        "unique_id": "1.2.250.1.999.2^42",
        "set_id": "1.2.250.1.999.2^4",
        "type_code": "11490-0",
        "type_label": "Lettre de liaison à la sortie d'un établissement de soins",
        "title": "Lettre de sortie",
        "created_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "patient": PATIENT,
        "author": AUTHOR,
        "custodian": cda.Organization("1990000018", "Centre hospitalier de démonstration"),
        "body": b"%PDF-1.7 a letter",
    }
    return cda.write_letter(cda.Letter(**said | changes))


def structured(text: str, title: str = "Motif") -> bytes:
    """A letter whose body is one section with this narrative."""
    section = f"<component><section><title>{title}</title><text>{text}</text></section></component>"
    written = re.sub(rb"<nonXMLBody>.*</nonXMLBody>", b"<structuredBody>@</structuredBody>", letter())
    return written.replace(b"@", section.encode())


def changed(old: str, new: str) -> bytes:
    """A letter with one detail changed; the detail must be there."""
    written = letter().decode()
    assert old in written
    return written.replace(old, new).encode()


# --- the official examples ----------------------------------------------------------------------


@needs_examples
@pytest.mark.parametrize("name", sorted(EXPECTED) or ["the folder is not there"])
class TestOfficialExamples:
    def test_the_header_is_read_as_the_reference_reads_it(self, name: str) -> None:
        header, expected = cda.read_header((EXAMPLES / "cda" / name).read_bytes()), EXPECTED[name]
        assert (header.unique_id, header.set_id) == (expected["uniqueId"], expected["setId"])
        assert (str(header.version), header.replaces) == (expected["version"], expected["replaces"])
        assert (header.type_code, header.type_label) == (expected["typeCode"], expected["typeName"])
        assert header.title == expected["title"]
        assert header.created_at == datetime.strptime(expected["creationTime"], "%Y%m%d%H%M%S%z")
        assert header.created_at.tzinfo is UTC
        assert (header.confidentiality, header.level) == (expected["confidentiality"], expected["level"])
        assert header.media_type == expected["mediaType"]

    def test_the_patient_is_read_as_the_reference_reads_it(self, name: str) -> None:
        patient = cda.read_header((EXAMPLES / "cda" / name).read_bytes()).patient
        expected = EXPECTED[name]["patient"]
        assert (patient.ins, patient.ins_oid) == (expected["ins"], expected["ins_oid"])
        # The reference repeats the national number when there is no local one; to us it is never a hospital's number.
        has_ipp = expected["ipp"] != expected["ins"]
        assert (patient.ipp, patient.ipp_oid) == ((expected["ipp"], expected["ipp_oid"]) if has_ipp else ("", ""))
        assert (patient.birth_name, patient.first_names) == (expected["birth_name"], expected["givens"])
        assert (patient.first_name, patient.sex) == (expected["first_given"], expected["sex"])
        assert patient.birth_on == datetime.strptime(expected["birth"], "%Y%m%d").date()
        assert patient.birthplace_insee == expected["birth_insee"]

    def test_the_author_is_read_as_the_reference_reads_it(self, name: str) -> None:
        author, expected = cda.read_header((EXAMPLES / "cda" / name).read_bytes()).author, EXPECTED[name]["author"]
        assert (author.id, author.family, author.given) == (expected["id"], expected["family"], expected["given"])
        assert (author.speciality, author.organization) == (expected["specialty"], expected["organization"])
        assert author.organization_id == expected["org_id"]

    def test_the_file_in_the_envelope_comes_out_byte_for_byte(self, name: str) -> None:
        found, expected = cda.embedded((EXAMPLES / "cda" / name).read_bytes()), EXPECTED[name]
        if expected["level"] == "N3":
            assert found is None
        else:
            assert found is not None
            assert found[0] == "application/pdf"
            assert (len(found[1]), hashlib.sha256(found[1]).hexdigest()) == (
                expected["pdf_bytes"],
                expected["pdf_sha256"],
            )

    def test_every_word_of_the_text_is_shown(self, name: str) -> None:
        data = (EXAMPLES / "cda" / name).read_bytes()
        sections = cda.narrative(data)
        assert bool(sections) is (EXPECTED[name]["level"] == "N3")
        texts = etree.fromstring(data).iterfind(".//{urn:hl7-org:v3}section/{urn:hl7-org:v3}text")
        written = "".join("".join(text.itertext(etree.Element)) for text in texts)
        shown = "".join(section.html.striptags() for section in sections)
        assert "".join(shown.split()) == "".join(written.split())

    def test_the_text_is_well_formed_html(self, name: str) -> None:
        parser = html5lib.HTMLParser(strict=True)
        for section in cda.narrative((EXAMPLES / "cda" / name).read_bytes()):
            parser.parseFragment(section.html)


# --- writing, and reading back ------------------------------------------------------------------


def test_a_letter_that_we_write_reads_back_as_it_was() -> None:
    header = cda.read_header(letter(version=2, replaces="1.2.250.1.999.2^41", confidentiality="R"))
    assert header == cda.Header(
        unique_id="1.2.250.1.999.2^42",
        set_id="1.2.250.1.999.2^4",
        version=2,
        replaces="1.2.250.1.999.2^41",
        type_code="11490-0",
        type_label="Lettre de liaison à la sortie d'un établissement de soins",
        title="Lettre de sortie",
        created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        confidentiality="R",
        patient=PATIENT,
        author=AUTHOR,
        custodian=cda.Organization("1990000018", "Centre hospitalier de démonstration"),
        level="N1",
        media_type="application/pdf",
    )


@pytest.mark.parametrize(
    ("media_type", "body"), [("application/pdf", b"%PDF-1.7\x00\xff"), ("text/plain", "Bonjour Élise".encode())]
)
def test_the_file_that_we_put_in_comes_out(media_type: str, body: bytes) -> None:
    assert cda.embedded(letter(media_type=media_type, body=body)) == (media_type, body)


LEAST_KNOWN = cda.Patient(birth_name="INCONNU", ipp="1", ipp_oid="1.2.250.1.999.1")


@needs_schema
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"version": 3, "replaces": "1.2.250.1.999.2^41", "confidentiality": "V"},
        {"media_type": "text/plain", "body": b"Bonjour"},
        {"unique_id": "1.2.250.1.999.2.7", "type_code": "SYNTH"},
        {"patient": LEAST_KNOWN, "care_at": datetime(2025, 12, 24, tzinfo=timezone(timedelta(hours=11)))},
        {"author": cda.Author(id="810000000009", family="LEMAIRE", organization="CH", organization_id="1990000018")},
    ],
)
def test_a_letter_that_we_write_is_valid_against_the_official_schema(changes: dict[str, Any]) -> None:
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    schema.assertValid(etree.fromstring(letter(**changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"created_at": datetime(2026, 1, 2)},
        {"care_at": datetime(2026, 1, 2)},
        {"media_type": "text/html"},
        {"confidentiality": "X"},
        {"title": "a\x00b"},
    ],
)
def test_a_letter_that_could_not_be_read_is_not_written(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        letter(**changes)


# --- doubts: told, never a crash ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "warning"),
    [
        ('extension="279035121518989"', 'extension="279035121518988"', CdaWarning.INS_KEY),
        ('extension="279035121518989"', 'extension="279035121518"', CdaWarning.INS_FORM),
        ('extension="279035121518989"', 'extension=""', CdaWarning.INS_MISSING),
        ('value="19790328"', 'value="19790231"', CdaWarning.BIRTH_DATE),
        ('value="19790328"', 'value="1979"', CdaWarning.BIRTH_DATE),
        ('value="19790328"', 'nullFlavor="UNK"', CdaWarning.BIRTH_DATE),
        ('code="F"', 'code="UN"', CdaWarning.SEX),
        ('<effectiveTime value="20260102030405+0000"', '<effectiveTime value="20260102030405"', CdaWarning.TIME_ZONE),
        ('code="N"', 'code="TOP"', CdaWarning.CONFIDENTIALITY),
        ('<versionNumber value="1"', '<versionNumber value="one"', CdaWarning.VERSION),
    ],
)
def test_a_doubt_is_told(old: str, new: str, warning: CdaWarning) -> None:
    assert cda.read_header(letter()).warnings == ()
    assert cda.read_header(changed(old, new)).warnings == (warning,)


def test_an_unknown_confidentiality_counts_as_the_strictest() -> None:
    assert cda.read_header(changed('code="N"', 'code="TOP"')).confidentiality == "V"


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("20260715120000+0200", datetime(2026, 7, 15, 10, tzinfo=UTC)),
        ("202607151200-1000", datetime(2026, 7, 15, 22, tzinfo=UTC)),
        ("20260715120000.123+0200", datetime(2026, 7, 15, 10, tzinfo=UTC)),
        ("20260715120000", datetime(2026, 7, 15, 10, tzinfo=UTC)),
        ("20260115", datetime(2026, 1, 14, 23, tzinfo=UTC)),
    ],
)
def test_the_date_is_a_moment_in_utc(written: str, moment: datetime) -> None:
    data = changed('<effectiveTime value="20260102030405+0000"', f'<effectiveTime value="{written}"')
    assert cda.read_header(data).created_at == moment


def test_given_names_in_one_element_each_are_read_as_one_list() -> None:
    data = changed("<given>DOMINIQUE MARIE-LOUISE</given>", "<given>DOMINIQUE</given><given>MARIE-LOUISE</given>")
    assert cda.read_header(data).patient.first_names == "DOMINIQUE MARIE-LOUISE"


def test_a_very_long_title_is_cut() -> None:
    assert cda.read_header(letter(title="a " * 5000)).title == ("a " * 150)


# --- refusals -----------------------------------------------------------------------------------

IDENTIFIER = '<id root="1.2.250.1.999.2" extension="42"/>'


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (IDENTIFIER, "", CdaReason.NO_IDENTIFIER),
        (IDENTIFIER, '<id nullFlavor="UNK"/>', CdaReason.NO_IDENTIFIER),
        (IDENTIFIER, f'<id root="1.2" extension="{"9" * 130}"/>', CdaReason.IDENTIFIER_TOO_LONG),
        ('code="11490-0"', 'code=""', CdaReason.NO_TYPE),
        ('value="20260102030405+0000"', 'value="yesterday"', CdaReason.NO_DATE),
        ('value="20260102030405+0000"', 'value="20261332030405+0000"', CdaReason.NO_DATE),
        ('value="20260102030405+0000"', 'value="20260102030405+9900"', CdaReason.NO_DATE),
        ("<patient classCode", "<guest classCode", CdaReason.NO_PATIENT),
        ("<recordTarget>", "<recordTarget><patientRole/></recordTarget><recordTarget>", CdaReason.SEVERAL_PATIENTS),
        ("nonXMLBody>", "noBody>", CdaReason.NO_BODY),
    ],
)
def test_a_document_that_cannot_be_filed_safely_is_refused(old: str, new: str, reason: CdaReason) -> None:
    data = changed(old, new).replace(b"</patient>", b"</guest>") if "guest" in new else changed(old, new)
    with pytest.raises(CdaRefused) as fact:
        cda.read_header(data)
    assert fact.value.reason is reason


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (base64.b64encode(b"%PDF-1.7 a letter").decode(), "n’est pas du base64", CdaReason.BODY_UNREADABLE),
        (base64.b64encode(b"%PDF-1.7 a letter").decode(), "", CdaReason.BODY_UNREADABLE),
        ('representation="B64"', 'representation="B64" compression="DF"', CdaReason.BODY_UNREADABLE),
        ('mediaType="application/pdf"', 'mediaType="text/html"', CdaReason.MEDIA_TYPE),
        ('mediaType="application/pdf"', 'mediaType="image/svg+xml"', CdaReason.MEDIA_TYPE),
        (
            base64.b64encode(b"%PDF-1.7 a letter").decode(),
            '<reference value="http://127.0.0.1/"/>',
            CdaReason.BODY_ELSEWHERE,
        ),
    ],
)
def test_a_file_that_cannot_be_taken_out_is_refused(old: str, new: str, reason: CdaReason) -> None:
    with pytest.raises(CdaRefused) as fact:
        cda.embedded(changed(old, new))
    assert fact.value.reason is reason


LAUGHS = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
EXTERNAL = '<!ENTITY x SYSTEM "file:///etc/passwd">'


def with_dtd(dtd: str, entity: str) -> str:
    return (
        letter(title="TITLE")
        .decode()
        .replace("<ClinicalDocument", f"<!DOCTYPE c [{dtd}]><ClinicalDocument")
        .replace("TITLE", entity)
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(with_dtd('<!ENTITY l0 "lol">' + LAUGHS, "&l9;").encode(), id="billion laughs"),
        pytest.param(with_dtd(EXTERNAL, "&x;").encode(), id="external entity"),
        pytest.param(with_dtd('<!ENTITY % p SYSTEM "http://127.0.0.1/x.dtd">%p;', "x").encode(), id="external DTD"),
        pytest.param(
            with_dtd(EXTERNAL, "&x;").replace("UTF-8", "UTF-16", 1).encode("utf-16"), id="external entity in UTF-16"
        ),
        pytest.param(
            b"<?xml version='1.0' encoding='ISO-8859-1'?>"
            + with_dtd(EXTERNAL, "&x;").split("?>", 1)[1].encode("latin-1"),
            id="external entity in Latin-1",
        ),
    ],
)
def test_a_document_with_a_dtd_is_refused_unread(data: bytes) -> None:
    with pytest.raises(CdaRefused) as fact:
        cda.read_header(data)
    assert fact.value.reason is CdaReason.DTD


def test_an_encoding_that_could_hide_something_is_refused() -> None:
    data = letter().replace(b"UTF-8", b"UTF-7", 1)
    with pytest.raises(CdaRefused) as fact:
        cda.read_header(data)
    assert fact.value.reason is CdaReason.ENCODING


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_the_encodings_of_the_field_are_read(encoding: str) -> None:
    text = letter(title="Élève à Noël").decode().replace("UTF-8", encoding.removesuffix("-sig"), 1)
    assert cda.read_header(text.encode(encoding)).title == "Élève à Noël"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not xml at all",
        b"%PDF-1.7",
        b"<html><body>hello</body></html>",
        b"<ClinicalDocument/>",  # in no namespace
        letter()[:-1],
        letter()[: len(letter()) // 2],
        letter().replace(b"urn:hl7-org:v3", b"urn:hl7-org:v2"),
        letter().replace(b"Lettre de sortie", b"&undeclared;"),
        b"\xff\xfe\x00",
        b"\xff" + letter(),
    ],
)
def test_what_is_no_clinical_document_is_said_to_be_none(data: bytes) -> None:
    for read in (cda.read_header, cda.embedded, cda.narrative):
        with pytest.raises(NotCda):
            read(data)


def test_a_document_above_the_limit_is_not_opened() -> None:
    with pytest.raises(CdaTooLarge):
        cda.read_header(letter(), max_bytes=len(letter()) - 1)
    assert cda.read_header(letter(), max_bytes=len(letter()))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<content>" * 200 + "</content>" * 200, CdaReason.TOO_DEEP),
        ("<content>" * 1900 + "</content>" * 1900, CdaReason.TOO_DEEP),
        ("<br/>" * 900_000, CdaReason.TOO_MANY_ELEMENTS),
        ("<content " + " ".join(f'a{n}=""' for n in range(450_000)) + "/>", CdaReason.TOO_MANY_ELEMENTS),
    ],
)
def test_a_document_that_would_cost_more_than_its_size_is_refused(text: str, reason: CdaReason) -> None:
    with pytest.raises(CdaRefused) as fact:
        cda.read_header(structured(text))
    assert fact.value.reason is reason


def test_a_scanned_letter_of_ten_megabytes_passes() -> None:
    body = b"%PDF-1.7" + bytes(10 * 1024 * 1024)
    assert cda.embedded(letter(body=body)) == ("application/pdf", body)


# --- the text of a letter, made harmless --------------------------------------------------------


def shown(text: str) -> str:
    return str(cda.narrative(structured(text))[0].html)


FRAME = '<div class="cda-table" tabindex="0"><table>{}</table></div>'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Bonjour &amp; merci", "Bonjour &amp; merci"),
        ("<paragraph>Bonjour</paragraph>", "<p>Bonjour</p>"),
        (
            "<paragraph><caption>Avis</caption>Repos</paragraph>",
            "<p><strong>Avis</strong> Repos</p>",
        ),
        ("<list><item>a</item><item>b</item></list>", "<ul><li>a</li><li>b</li></ul>"),
        ('<list listType="ordered"><item>a</item></list>', "<ol><li>a</li></ol>"),
        ('<content styleCode="Bold Italics xRiche">5 mg</content>', "<em><strong>5 mg</strong></em>"),
        ('<content revised="delete">50 mg</content>', "<del>50 mg</del>"),
        ("H<sub>2</sub>O, m<sup>2</sup><br/>fin", "H<sub>2</sub>O, m<sup>2</sup><br>fin"),
        (
            '<table onclick="x()"><caption>Dose</caption><thead><tr><th scope="col">A</th></tr></thead></table>',
            FRAME.format('<caption>Dose</caption><thead><tr><th scope="col">A</th></tr></thead>'),
        ),
        (
            '<table><tbody><tr><td colspan="2" rowspan="999" style="color:red">1</td></tr></tbody></table>',
            FRAME.format('<tbody><tr><td colspan="2">1</td></tr></tbody>'),
        ),
        (
            '<linkHtml href="https://www.has-sante.fr/">HAS</linkHtml>',
            '<a href="https://www.has-sante.fr/" rel="noopener noreferrer nofollow external">HAS</a>',
        ),
    ],
)
def test_the_forms_of_a_letter_are_kept(text: str, html: str) -> None:
    assert shown(text) == html


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)",
        " JaVaScRiPt:alert(1)",
        "java&#x9;script:alert(1)",
        "&#x2028;javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example/",
        "/mon-compte/supprimer",
        "#top",
        "http:/\\evil.example",
        "http://",
        "https://[::1",
        "https://évil.example",
        "",
    ],
)
def test_a_link_that_does_not_lead_to_the_web_is_only_words(href: str) -> None:
    assert shown(f'<linkHtml href="{href}">ici</linkHtml>') == "ici"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a<script>alert(1)</script>b", "ab"),
        ("a<style>p{display:none}</style>b", "ab"),
        ("<iframe src='https://evil.example'>words</iframe>", "words"),
        ("<img src='x' onerror='alert(1)'/>", ""),
        ("<h:b xmlns:h='http://www.w3.org/1999/xhtml' onclick='x()'>gras</h:b>", "gras"),
        ("<h:paragraph xmlns:h='urn:another'>alinéa</h:paragraph>", "alinéa"),
        ("<paragraph onmouseover='x()' ID='a' style='x'>b</paragraph>", "<p>b</p>"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<content>&lt;img src=x onerror=alert(1)&gt;</content>", "&lt;img src=x onerror=alert(1)&gt;"),
        ("<![CDATA[<script>alert(1)</script>]]>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<!-- <script> --><?php evil ?>ok", "ok"),
        (
            '<linkHtml href="https://a.example/&quot;onclick=&quot;x">a</linkHtml>',
            '<a href="https://a.example/&#34;onclick=&#34;x" rel="noopener noreferrer nofollow external">a</a>',
        ),
        ("<paragraph>a<table><tbody><tr><td>b</td></tr></tbody></table></paragraph>", "<p>ab</p>"),
    ],
)
def test_what_could_act_is_left_out_and_the_words_stay(text: str, html: str) -> None:
    assert shown(text) == html


def test_sections_keep_their_order_and_their_depth() -> None:
    inner = "<component><section><title>b</title><text>2</text></section></component>"
    data = structured("1", title="a").replace(b"</section>", inner.encode() + b"</section>")
    assert [(s.title, s.level, str(s.html)) for s in cda.narrative(data)] == [("a", 1, "1"), ("b", 2, "2")]


def test_a_section_says_that_an_image_is_not_shown() -> None:
    data = structured('<renderMultiMedia referencedObject="i"><caption>Radio</caption></renderMultiMedia>')
    section = cda.narrative(data)[0]
    assert (section.has_media, str(section.html)) == (True, "Radio")


SCRAPS = st.sampled_from(
    [
        "content",
        "paragraph",
        "list",
        "item",
        "caption",
        "table",
        "tbody",
        "tr",
        "td",
        "linkHtml",
        "script",
        "iframe",
        "br",
    ]
)
TREES: st.SearchStrategy[str] = st.recursive(
    st.text("ab<&\"'>", max_size=5).map(lambda words: words.replace("&", "&amp;").replace("<", "&lt;")),
    lambda inner: st.builds(
        lambda tag, href, parts: f'<{tag} href="{href}" onclick="x" styleCode="Bold">{"".join(parts)}</{tag}>',
        SCRAPS,
        st.sampled_from(["javascript:x", "https://a.example", "x"]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=25,
)
TAGS = {"strong", "a", "p", "ul", "li", "br", "div", "table", "caption", "tbody", "tr", "td"}


@settings(max_examples=200, deadline=None)
@given(TREES)
def test_whatever_the_text_only_the_listed_tags_and_attributes_come_out(text: str) -> None:
    fragment = html5lib.parseFragment(
        "".join(section.html for section in cda.narrative(structured(text))), treebuilder="lxml"
    )
    for element in (below for top in fragment if not isinstance(top, str) for below in top.iter()):
        assert etree.QName(element).localname in TAGS
        assert set(element.attrib) <= {"href", "rel", "class", "tabindex", "colspan", "rowspan", "scope"}
        assert element.get("href", "https://a.example") == "https://a.example"


# --- anything at all ----------------------------------------------------------------------------

READERS: list[Callable[[bytes], object]] = [
    cda.read_header,
    cda.embedded,
    cda.narrative,
    cda.plain_texts,
    cda.results,
    cda.study,
    cda.pdf_copy,
]


def only_facts(data: bytes) -> None:
    for read in READERS:
        with contextlib.suppress(cda.CdaError):
            read(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_a_fact_at_worst(data: bytes) -> None:
    only_facts(data)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_letter_damaged_anywhere_gives_a_fact_at_worst(data: st.DataObject) -> None:
    broken = bytearray(data.draw(st.sampled_from([letter(), structured("<paragraph>Bonjour</paragraph>")])))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(broken) - 1))
        broken[at : at + data.draw(st.integers(0, 60))] = data.draw(st.binary(max_size=6))
    only_facts(bytes(broken))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["root", "extension", "value", "code", "mediaType", "displayName"]))
def test_any_value_in_any_attribute_gives_a_fact_at_worst(value: str, name: str) -> None:
    tree = etree.fromstring(letter())
    for element in tree.iter():
        if name in element.attrib:
            try:
                element.set(name, value)
            except ValueError:  # a character that no XML can hold
                return
    only_facts(etree.tostring(tree))
