"""A document becomes a PDF to keep, with all its words; what others made is passed on as it is; nothing pretends."""

import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from portal.pdf import Sheet
from services.documents import cda, pdfa
from services.documents.pdfa import grids
from tests.services.documents.test_cda_national import PATIENT, letter

EXAMPLES = Path(__file__).parents[3].parent / "shared" / "testdata" / "cda"
needs_examples = pytest.mark.skipif(not EXAMPLES.exists(), reason=f"the official examples are not there: {EXAMPLES}")
FACTS = pdfa.Facts(
    title="Réponse de la cardiologie",
    type_label="Lettre de liaison",
    written_at=datetime(2026, 11, 22, 9, 5, tzinfo=UTC),
    author="Aline LEMAIRE (Médecin)",
    organization="Centre hospitalier du Nord",
    patient="PAT-TROIS DOMINIQUE",
    birth_on=date(1979, 3, 28),
)


def words(data: bytes) -> str:
    document = pypdfium2.PdfDocument(data)
    return " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in document)


def squeezed(text: str) -> str:
    """Words without spaces and hyphens of line ends, with the signs that the letters of our sheets do not have."""
    for sign, closest in (("≤", "<="), ("≥", ">="), ("µ", "u"), ("−", "-"), ("\u2011", "-")):
        text = text.replace(sign, closest)
    return re.sub(r"\s", "", text)


def structured(text: str) -> bytes:
    """A structured letter with this narrative."""
    section = f"<component><section><title>Motif</title><text>{text}</text></section></component>"
    body = b"<structuredBody>" + section.encode() + b"</structuredBody>"
    return re.sub(rb"<nonXMLBody>.*</nonXMLBody>", lambda _: body, cda.write_letter(letter()))


def picture(kind: str, mode: str = "RGB", **saved: Any) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, (300, 200)).save(stream, kind, **saved)
    return stream.getvalue()


# --- what the portal writes ---------------------------------------------------------------------


def test_a_typed_letter_says_its_facts_then_its_words() -> None:
    written = pdfa.letter(FACTS, "Cher confrère,\n\nVoici l’été : 12 < 13 & 4.\r\n\r\nÀ bientôt")
    assert written.is_whole
    said = words(written.data)
    order = [
        "Réponse de la cardiologie",
        "PAT-TROIS DOMINIQUE",
        "28/03/1979",
        "Lettre de liaison",
        "22/11/2026 à 09:05",
        "Aline LEMAIRE",
        "Centre hospitalier du Nord",
        "Cher confrère",
        "12 < 13 & 4",
        "À bientôt",
    ]
    assert [said.find(each) for each in order] == sorted(said.find(each) for each in order)
    assert -1 not in [said.find(each) for each in order]


def test_a_file_that_we_write_is_made_as_one_that_is_kept() -> None:
    data = pdfa.letter(FACTS, "Bonjour").data
    assert pdfa.claim(data) == "PDF/A-1b"
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert pdf.pdf_version == "1.4"
        assert pdf.Root.OutputIntents[0].S == "/GTS_PDFA1"
        assert "/Encrypt" not in pdf.trailer
        assert "/ID" in pdf.trailer
        for page in pdf.pages:
            for font in page.Resources.Font.values():
                [descendant] = font.DescendantFonts
                assert "/FontFile2" in descendant.FontDescriptor  # each letter is in the file
            assert "/Group" not in page  # no transparency


def test_the_same_letter_is_the_same_bytes() -> None:
    assert pdfa.letter(FACTS, "Bonjour").data == pdfa.letter(FACTS, "Bonjour").data


def test_a_sign_that_cannot_be_printed_is_told() -> None:
    assert not pdfa.letter(FACTS, "漢字").is_whole


@settings(max_examples=40)
@given(st.text(max_size=400), st.text(max_size=60))
def test_whatever_is_typed_makes_a_letter(text: str, name: str) -> None:
    written = pdfa.letter(replace(FACTS, patient=name), text)
    assert pdfa.claim(written.data) == "PDF/A-1b"


# --- copies of documents ------------------------------------------------------------------------


@needs_examples
@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.xml")) or [Path("none")], ids=lambda path: path.name)
def test_every_word_of_an_official_document_is_in_its_copy(path: Path) -> None:
    data = path.read_bytes()
    copy = pdfa.copy_of(data)
    inside = cda.embedded(data)
    if inside is not None:
        assert copy.data == inside[1]
        return
    assert copy.is_whole
    assert pdfa.claim(copy.data) == "PDF/A-1b"
    header = cda.read_header(data)
    said = squeezed(words(copy.data))
    for fact in (header.title, header.patient.birth_name, header.author.family, header.author.organization):
        assert squeezed(fact) in said
    told = [word for each in cda.plain_texts(data) for word in each.split()]
    assert told
    missing = [word for word in told if squeezed(word) not in said]
    assert len(missing) <= len(told) // 200, missing  # a word over the end of a line of a narrow column


def test_the_form_of_a_structured_letter_is_kept() -> None:
    copy = pdfa.copy_of(
        structured(
            "<paragraph>Avant <content revised='delete'>10 mg</content>"
            "<content revised='insert'>5 mg</content></paragraph>"
            "<list listType='ordered'><item>Un</item><item>Deux<list><item>Deux bis</item></list></item></list>"
            "<table><thead><tr><th>Analyse</th><th>Valeur</th></tr></thead><tbody><tr><td rowspan='2'>Sodium</td>"
            "<td>140</td></tr><tr><td>141</td></tr><tr><td colspan='2'>Fin<br/>ici</td></tr></tbody></table>"
            "<paragraph><linkHtml href='https://ch-nord.fr/x'>lien</linkHtml></paragraph>"
        )
    )
    said = words(copy.data)
    assert "[supprimé : 10 mg][ajouté : 5 mg]" in said  # a crossed-out dose is told, not only drawn
    for each in ("1. Un", "2. Deux", "• Deux bis", "Analyse", "Sodium", "140", "141", "lien (https://ch-nord.fr/x)"):
        assert each in said
    assert said.index("140") < said.index("141") < said.index("Fin")


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("text/plain", "Bonjour l’été".encode()),
        ("image/jpeg", picture("JPEG")),
        ("image/jpeg", picture("JPEG", "CMYK")),
        ("image/tiff", picture("TIFF", "1")),
        ("image/tiff", picture("TIFF", save_all=True, append_images=[Image.new("L", (50, 900))] * 3)),
        ("image/jpeg", picture("PNG", "RGBA")),
    ],
)
def test_a_file_that_is_no_pdf_is_printed(media_type: str, body: bytes) -> None:
    copy = pdfa.copy_of(cda.write_letter(letter(media_type=media_type, body=body)))
    assert pdfa.claim(copy.data) == "PDF/A-1b"
    assert "PAT-TROIS" in words(copy.data)
    with pikepdf.open(io.BytesIO(copy.data)) as pdf:
        images = [each for page in pdf.pages for each in page.Resources.get("/XObject", {}).values()]
        assert len(images) == (0 if media_type == "text/plain" else 4 if b"II*" in body[:4] and len(images) > 1 else 1)
        assert all(image.ColorSpace == "/DeviceRGB" and "/SMask" not in image for image in images)


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/pdf", b"PK\x03\x04"),
        ("image/jpeg", b"\xff\xd8\xff\xe0broken"),
        ("image/tiff", b"II*\x00\xff\xff\xff\xff"),
        ("text/rtf", rb"{\rtf1}"),
        ("text/plain", b"a" * 700_000),
    ],
)
def test_what_cannot_be_printed_whole_is_not_printed(media_type: str, body: bytes) -> None:
    with pytest.raises(pdfa.CannotCopy):
        pdfa.copy_of(cda.write_letter(letter(media_type=media_type, body=body)))


def test_a_photograph_becomes_a_page() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    page = pdfa.picture(picture("PNG", "RGBA"), "Photo", at)
    assert pdfa.claim(page.data) == "PDF/A-1b"
    assert page.data == pdfa.picture(picture("PNG", "RGBA"), "Photo", at).data
    with pytest.raises(pdfa.CannotCopy):
        pdfa.picture(b"%PDF-1.7", "Photo", at)


def test_a_text_too_long_is_never_cut() -> None:
    with pytest.raises(pdfa.CannotCopy):
        pdfa.letter(FACTS, "a" * 300_001)


def test_a_picture_too_large_to_open_is_not_opened() -> None:
    stream = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(stream, "PNG")
    with pytest.raises(pdfa.CannotCopy):
        pdfa.copy_of(cda.write_letter(letter(media_type="image/jpeg", body=stream.getvalue())))


def test_the_name_used_in_life_is_shown_beside_the_birth_name() -> None:
    facts = pdfa.facts_of(cda.read_header(cda.write_letter(letter())))
    assert facts.patient == "PAT-TROIS (D'ÉTÉ) DOMINIQUE"
    assert facts.number == "2790351215189 89"
    plain = letter(patient=replace(PATIENT, used_name="PAT-TROIS"))
    assert pdfa.facts_of(cda.read_header(cda.write_letter(plain))).patient == "PAT-TROIS DOMINIQUE"


# --- tables -------------------------------------------------------------------------------------

cells = st.builds(grids.Cell, st.text("ab é\n", max_size=60), st.booleans(), st.integers(1, 40), st.integers(1, 5))


@settings(max_examples=25)
@given(st.lists(st.lists(cells, max_size=35), max_size=6))
def test_any_table_is_printed_with_all_its_words(rows: list[list[grids.Cell]]) -> None:
    sheet = Sheet("x", archive=True)
    grids.table(sheet, rows)
    said = squeezed(words(sheet.written()))
    expected = sum(len(re.findall("[abé]", cell.text)) for row in rows for cell in row)
    assert len(re.findall("[abé]", said)) == expected


def test_a_cell_longer_than_a_page_goes_on_over_the_next() -> None:
    sheet = Sheet("x", archive=True)
    grids.table(sheet, [[grids.Cell("mot " * 6000), grids.Cell("b")]])
    assert sheet.pages_count > 2
    assert words(sheet.written()).count("mot") == 6000


# --- what others say of themselves --------------------------------------------------------------


def claiming(xmp: bytes | None) -> bytes:
    stream = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        if xmp is not None:
            pdf.Root.Metadata = pdf.make_stream(xmp)
        pdf.save(stream)
    return stream.getvalue()


_RDF = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:p="http://www.aiim.org/pdfa/ns/id/" {}</rdf:RDF></x:xmpmeta>'
)


@pytest.mark.parametrize(
    ("xmp", "claim"),
    [
        (_RDF.format('p:part="1" p:conformance="A"/>'), "PDF/A-1a"),
        (_RDF.format("><p:part>3</p:part><p:conformance>B</p:conformance></rdf:Description>"), "PDF/A-3b"),
        (_RDF.format('p:part="4"/>'), "PDF/A-4"),
        (_RDF.format('p:part="9"/>'), ""),
        (_RDF.format("/>"), ""),
        ('<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]>' + _RDF.format('p:part="1"/>'), "PDF/A-1"),
        ("<x", ""),
        ("", ""),
    ],
)
def test_a_file_claims_what_its_metadata_say(xmp: str, claim: str) -> None:
    assert pdfa.claim(claiming(xmp.encode())) == claim


def test_a_file_without_metadata_or_that_cannot_be_opened_claims_nothing() -> None:
    assert pdfa.claim(claiming(None)) == ""
    assert pdfa.claim(b"") == ""
    assert pdfa.claim(b"%PDF-1.4 broken") == ""
    stream = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(stream, encryption=pikepdf.Encryption(owner="a", user="b"))
    assert pdfa.claim(stream.getvalue()) == ""


@settings(max_examples=100)
@given(st.integers(0, 600), st.binary(max_size=20))
def test_no_file_stops_the_question(at: int, other: bytes) -> None:
    data = claiming(_RDF.format('p:part="1"/>').encode())
    assert isinstance(pdfa.claim(data[:at] + other + data[at + len(other) :]), str)
