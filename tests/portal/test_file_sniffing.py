"""A file is what its name says and can be opened, or is refused with the reason a person needs."""

import contextlib
import io
import struct
import zlib
from pathlib import Path

import pikepdf
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from portal.file_opening import check_image, check_pdf
from portal.file_sniffing import (
    HEAD_SIZE,
    MAX_NAME_LENGTH,
    FileDamaged,
    FileEmpty,
    FileLocked,
    FileRefused,
    FileTypeLies,
    FileTypeRefused,
    ImageTooLarge,
    Kind,
    TooManyPages,
    clean_name,
    sniff,
)

HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"
EXE = b"MZ\x90\x00"


def pdf(pages: int = 1, **save: object) -> bytes:
    stream = io.BytesIO()
    with pikepdf.new() as document:
        for _ in range(pages):
            document.add_blank_page()
        document.save(stream, **save)  # type: ignore[arg-type]  # facts of any field
    return stream.getvalue()


def image(kind: str, size: tuple[int, int] = (640, 480)) -> bytes:
    stream = io.BytesIO()
    Image.effect_noise(size, 50).save(stream, kind)
    return stream.getvalue()


JPEG, PNG = image("JPEG"), image("PNG")


@pytest.mark.parametrize(
    ("head", "name", "kind"),
    [
        (pdf(), "Attestation de droits.pdf", Kind.PDF),
        (pdf(), "ATTESTATION.PDF", Kind.PDF),
        (JPEG, "carte.jpg", Kind.JPEG),
        (JPEG, "carte.JPEG", Kind.JPEG),
        (PNG, "capture.png", Kind.PNG),
        (b'<?xml version="1.0"?><ClinicalDocument/>', "lettre.xml", Kind.CDA),
        (b'\xef\xbb\xbf<?xml version="1.0"?>', "lettre.xml", Kind.CDA),
        ('\ufeff<?xml version="1.0"?>'.encode("utf-16-le"), "lettre.xml", Kind.CDA),
        (b"PK\x03\x04\x14\x00", "IHE_XDM.ZIP", Kind.XDM),
    ],
)
def test_a_file_that_is_what_it_says_is_taken(head: bytes, name: str, kind: Kind) -> None:
    assert sniff(head[:HEAD_SIZE], name) is kind


@pytest.mark.parametrize(
    ("head", "name", "claimed", "actual"),
    [
        (EXE, "scan.pdf", "pdf", "exe"),
        (JPEG, "scan.pdf", "pdf", "jpeg"),
        (pdf(), "carte.jpg", "jpeg", "pdf"),
        (b"<html><script>alert(1)</script>", "carte.png", "png", "html"),
        (b"GIF89a<script>", "carte.png", "png", "gif"),
        (b"nothing that anyone knows", "lettre.pdf", "pdf", "unknown"),
        (b"junk before %PDF-1.7", "lettre.pdf", "pdf", "unknown"),
    ],
)
def test_a_file_that_lies_about_its_type_is_refused(head: bytes, name: str, claimed: str, actual: str) -> None:
    with pytest.raises(FileTypeLies) as fact:
        sniff(head[:HEAD_SIZE], name)
    assert (fact.value.claimed, fact.value.actual) == (claimed, actual)


@pytest.mark.parametrize(
    ("head", "name", "actual"),
    [
        (EXE, "setup.exe", "exe"),
        (pdf(), "facture.pdf.exe", "exe"),
        (b"PK\x03\x04", "ordonnance.docm", "docm"),
        (b"<svg onload=alert(1)>", "logo.svg", "svg"),
        (JPEG, "no-extension", "unknown"),
        (pdf(), "gpj\u202efdp.exe", "exe"),
    ],
)
def test_a_type_that_is_not_on_the_list_is_refused(head: bytes, name: str, actual: str) -> None:
    with pytest.raises(FileTypeRefused) as fact:
        sniff(head[:HEAD_SIZE], name)
    assert fact.value.actual == actual


@pytest.mark.parametrize("name", ["IMG_0042.HEIC", "IMG_0042.heif", "IMG_0042.jpg"])
def test_a_telephone_photo_in_heic_is_known_even_under_the_name_of_a_jpeg(name: str) -> None:
    assert sniff(HEIC, name) is Kind.HEIC


def test_a_jpeg_under_the_name_of_a_heic_is_a_jpeg() -> None:
    assert sniff(JPEG, "IMG_0042.HEIC") is Kind.JPEG


def test_a_heic_under_the_name_of_another_type_lies() -> None:
    with pytest.raises(FileTypeLies):
        sniff(HEIC, "scan.pdf")


def test_an_empty_file_is_said_to_be_empty() -> None:
    with pytest.raises(FileEmpty):
        sniff(b"", "scan.pdf")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.text(max_size=40))
def test_whatever_arrives_the_answer_is_a_kind_or_a_fact(head: bytes, name: str) -> None:
    with contextlib.suppress(FileRefused):
        assert sniff(head, name) in Kind


# --- opening it ---------------------------------------------------------------------------------


def test_a_good_pdf_is_opened_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "letter.pdf"
    path.write_bytes(pdf(3))
    assert check_pdf(path).pages == check_pdf(pdf(3)).pages == check_pdf(io.BytesIO(pdf(3))).pages == 3


def test_a_stream_of_the_caller_stays_open() -> None:
    stream = io.BytesIO(JPEG)
    check_image(stream)
    assert not stream.closed


def test_a_pdf_that_needs_a_password_is_locked() -> None:
    with pytest.raises(FileLocked):
        check_pdf(pdf(encryption=pikepdf.Encryption(user="secret", owner="secret")))


def test_a_pdf_protected_against_printing_only_is_taken() -> None:
    assert check_pdf(pdf(2, encryption=pikepdf.Encryption(user="", owner="secret"))).pages == 2


def test_a_pdf_with_too_many_pages_is_refused() -> None:
    with pytest.raises(TooManyPages) as fact:
        check_pdf(pdf(4), max_pages=3)
    assert (fact.value.pages, fact.value.limit) == (4, 3)


def test_a_pdf_cut_on_its_way_is_never_taken_for_a_shorter_one() -> None:
    whole = pdf(5)
    for cut in range(0, len(whole) - len("%%EOF\n"), 10):
        with pytest.raises(FileDamaged):
            check_pdf(whole[:cut])


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n%%EOF", b"%PDF-1.7\nrubbish\n%%EOF", JPEG, pdf(0)])
def test_what_is_no_pdf_is_damaged(data: bytes) -> None:
    with pytest.raises(FileDamaged):
        check_pdf(data)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_broken_pdf_gives_a_fact_never_an_accident(data: st.DataObject) -> None:
    broken = bytearray(pdf(2))
    for _ in range(data.draw(st.integers(1, 12))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(FileRefused):
        assert check_pdf(bytes(broken)).pages > 0


@pytest.mark.parametrize(("data", "kind"), [(JPEG, Kind.JPEG), (PNG, Kind.PNG)])
def test_a_good_image_is_opened_and_measured(data: bytes, kind: Kind) -> None:
    facts = check_image(data)
    assert (facts.kind, facts.width, facts.height) == (kind, 640, 480)


@pytest.mark.parametrize("data", [JPEG, PNG])
@pytest.mark.parametrize("part", [0.0, 0.05, 0.5, 0.95])
def test_an_image_cut_on_its_way_is_damaged(data: bytes, part: float) -> None:
    with pytest.raises(FileDamaged):
        check_image(data[: int(len(data) * part)])


def test_an_image_of_another_type_is_not_opened() -> None:
    with pytest.raises(FileDamaged):
        check_image(image("GIF"))


def png_of_declared_size(width: int, height: int) -> bytes:
    """A few bytes that announce an enormous image: the header chunk of a PNG, its checksum made right."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return PNG[:8] + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + PNG[33:]


@pytest.mark.parametrize("side", [10_001, 15_000, 60_000])
def test_a_decompression_bomb_is_refused_before_it_goes_off(side: int) -> None:
    with pytest.raises(ImageTooLarge):
        check_image(png_of_declared_size(side, side))


def packed_pdf(unpacked: int) -> bytes:
    """A whole PDF whose only page stands in an object stream that unpacks to so many bytes (ISO 32000-1, 7.5.7)."""
    page = b"3 0 <</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"
    packed = zlib.compress(page + b" " * unpacked, 9)
    out, places = io.BytesIO(b"%PDF-1.5\n"), []
    out.seek(0, io.SEEK_END)
    for number, body in (
        (1, b"<</Type/Catalog/Pages 2 0 R>>"),
        (2, b"<</Type/Pages/Kids[3 0 R]/Count 1>>"),
        (4, b"<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(packed), packed)),
    ):
        places.append(out.tell())
        out.write(b"%d 0 obj%s\nendobj\n" % (number, body))
    rows = [(0, 0, 65535), (1, places[0], 0), (1, places[1], 0), (2, 4, 0), (1, places[2], 0), (1, out.tell(), 0)]
    table, start = b"".join(struct.pack(">BIH", *row) for row in rows), out.tell()
    head = b"5 0 obj<</Type/XRef/Size 6/W[1 4 2]/Root 1 0 R/Length %d>>stream\n" % len(table)
    out.write(head + table + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % start)
    return out.getvalue()


def test_a_pdf_whose_structure_is_a_decompression_bomb_is_refused() -> None:
    assert check_pdf(packed_pdf(1_000_000)).pages == 1
    bomb = packed_pdf(80 * 1024 * 1024)
    assert len(bomb) < 100_000
    with pytest.raises(FileDamaged):
        check_pdf(bomb)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([JPEG, PNG]), st.data())
def test_a_broken_image_gives_a_fact_never_an_accident(whole: bytes, data: st.DataObject) -> None:
    broken = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 12))):
        broken[data.draw(st.integers(0, min(2000, len(broken) - 1)))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(FileRefused):
        check_image(bytes(broken))


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_name", "clean"),
    [
        ("Attestation mutuelle 2026.pdf", "Attestation mutuelle 2026.pdf"),
        ("C:\\Users\\Jeanne\\scan.pdf", "scan.pdf"),
        ("../../etc/passwd", "passwd"),
        ("carte\u202egpj.exe", "cartegpj.exe"),
        ("scan\r\nSet-Cookie: a=b.pdf", "scan Set-Cookie_ a=b.pdf"),
        ("a\x00b\x1b[31m.pdf", "ab[31m.pdf"),
        ("  .htaccess", "htaccess"),
        ("lettre.pdf. . ", "lettre.pdf"),
        ("E\u0301le\u0300ve.pdf", "Élève.pdf"),
        ("بطاقة.pdf", "بطاقة.pdf"),
        ('a<b>:"c"|?*.png', "a_b___c____.png"),
        ("", "document"),
        ("...", "document"),
        ("\ud800scan.pdf", "scan.pdf"),
    ],
)
def test_a_name_is_made_safe(given_name: str, clean: str) -> None:
    assert clean_name(given_name) == clean


def test_a_name_of_three_hundred_characters_keeps_its_extension() -> None:
    clean = clean_name("a" * 300 + ".pdf")
    assert len(clean) == MAX_NAME_LENGTH
    assert clean.endswith("a.pdf")


@settings(max_examples=500)
@example("0.0000000000\r0")
@given(st.text(st.characters(), max_size=400))
def test_no_name_escapes(name: str) -> None:
    clean = clean_name(name)
    assert 0 < len(clean) <= MAX_NAME_LENGTH
    assert clean == clean_name(clean)
    assert not clean.startswith(".")
    assert not any(character in clean for character in '/\\\r\n\0"<>')
    assert clean.isprintable()
