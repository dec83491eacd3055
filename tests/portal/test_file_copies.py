"""The copy that people look at is upright and light, and nothing in it can act."""

import zipfile
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String
from PIL import Image, ImageDraw

from portal import file_copies
from portal.file_copies import LONGEST_SIDE, copy_of, turned
from portal.file_opening import check_image, check_pdf
from portal.file_sheets import dressed, sheet_image
from portal.file_sniffing import FileDamaged, ImageTooLarge, Kind, sniff
from portal.files_apart import CannotCopy, renamed

CARD_HEIC = Path(__file__).parent / "files" / "card.heic"
"""A card of 96 by 64 pixels with a red corner, that its EXIF data turn as a telephone held upright does."""


def photo(size: tuple[int, int] = (300, 200), kind: str = "JPEG", mode: str = "RGB", **how: Any) -> bytes:
    """White, its top left corner red."""
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 4, size[1] // 4), fill="red")
    made = BytesIO()
    image.convert(mode).save(made, kind, **how)
    return made.getvalue()


def exif(orientation: int = 1) -> Image.Exif:
    """As a telephone writes: which way it was held, who made it, where it was."""
    data = Image.Exif()
    data[0x0112], data[0x010F] = orientation, "SECRET CAMERA"
    data.get_ifd(0x8825)[2] = (48.0, 51.0, 29.0)
    return data


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def red_corner(data: bytes) -> str:
    """Where the red corner is."""
    image = opened(data).convert("RGB")
    width, height = image.size
    for corner, place in {
        "top left": (5, 5), "top right": (width - 6, 5), "bottom left": (5, height - 6),
        "bottom right": (width - 6, height - 6),
    }.items():  # fmt: skip
        red, green, _blue = image.getpixel(place)
        if red > 200 and green < 100:
            return corner
    return "nowhere"


# -- photographs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("orientation", "corner"), [(1, "top left"), (3, "bottom right"), (6, "top right"), (8, "bottom left")]
)
def test_a_photo_is_upright_however_the_telephone_was_held(orientation: int, corner: str) -> None:
    copy = copy_of(photo(exif=exif(orientation)), "image/jpeg")
    assert red_corner(copy.data) == corner


def test_a_heic_becomes_a_jpeg_that_every_browser_shows() -> None:
    original = CARD_HEIC.read_bytes()
    assert sniff(original, "IMG_0042.HEIC") is Kind.HEIC
    assert check_image(original).kind is Kind.HEIC
    copy = copy_of(original, "image/heic")
    assert copy.media_type == "image/jpeg"
    assert opened(copy.data).size == (64, 96)
    assert red_corner(copy.data) == "top right"
    assert renamed("IMG_0042.HEIC", copy.media_type) == "IMG_0042.jpg"


@pytest.mark.parametrize("content", [photo(exif=exif()), photo(comment=b"SECRET"), CARD_HEIC.read_bytes()])
def test_a_copy_tells_neither_where_nor_with_what_it_was_taken(content: bytes) -> None:
    media_type = "image/heic" if content[4:8] == b"ftyp" else "image/jpeg"
    data = copy_of(content, media_type).data
    assert not opened(data).getexif()
    assert set(opened(data).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    for secret in (b"SECRET", b"Parvis", b"Exif"):
        assert secret not in data


@pytest.mark.parametrize("size", [(6000, 3000), (3000, 6000), (LONGEST_SIDE, 10)])
def test_a_copy_is_light(size: tuple[int, int]) -> None:
    copied = opened(copy_of(photo(size), "image/jpeg").data).size
    assert max(copied) <= LONGEST_SIDE
    assert abs(copied[0] / copied[1] - size[0] / size[1]) < size[0] / size[1] / 50


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "RGBA", "LA", "I;16"])
def test_every_kind_of_png_has_a_copy(mode: str) -> None:
    image = (
        Image.new("L", (40, 30), 200).convert(mode) if not mode.startswith("I") else Image.new(mode, (40, 30), 51200)
    )
    made = BytesIO()
    image.save(made, "PNG")
    copy = opened(copy_of(made.getvalue(), "image/png").data)
    assert copy.size == (40, 30)
    assert min(copy.getpixel((20, 15))) >= 195


def test_what_is_see_through_is_white() -> None:
    made = BytesIO()
    Image.new("RGBA", (40, 30), (0, 0, 0, 0)).save(made, "PNG")
    assert opened(copy_of(made.getvalue(), "image/png").data).getpixel((20, 15)) == (255, 255, 255)


def test_a_printer_s_jpeg_has_a_copy() -> None:
    assert opened(copy_of(photo(mode="CMYK"), "image/jpeg").data).mode == "RGB"


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_copy_is_turned_clockwise(turn: int) -> None:
    corners = ["top left", "top right", "bottom right", "bottom left"]
    assert red_corner(dressed(photo(), rotation=turn)) == corners[turn // 90]


def test_the_words_go_across_the_whole_image_and_leave_it_readable() -> None:
    plain = BytesIO()
    Image.new("RGB", (1200, 800), "white").save(plain, "JPEG")
    marked = opened(dressed(plain.getvalue(), watermark="CH du Nord – Zoé Œuvrard – 12/03/2027"))
    assert marked.size == (1200, 800)
    for left in range(0, 1200, 400):
        for top in range(0, 800, 400):
            tile = marked.crop((left, top, left + 400, top + 400)).convert("L")
            darkened = sum(tile.histogram()[:215]) / 160_000
            assert 0.002 < darkened < 0.35, "each part bears the words, and none is hidden under them"


# -- bombs and broken ones -----------------------------------------------------------------------------------------


def png_that_says(width: int, height: int) -> bytes:
    """A PNG whose header announces this size, and whose pixels are a few bytes."""
    import struct
    import zlib

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    )


def heic_that_says(width: int, height: int) -> bytes:
    whole = CARD_HEIC.read_bytes()
    at = whole.index(b"ispe") + 8
    return whole[:at] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + whole[at + 8 :]


@pytest.mark.parametrize(
    "bomb",
    [png_that_says(50_000, 50_000), png_that_says(2**31 - 1, 2**31 - 1), heic_that_says(20_000, 20_000),
     png_that_says(9_000, 9_000)],
    ids=["png", "immense png", "heic", "more than a PNG may have"],
)  # fmt: skip
def test_a_bomb_is_refused_before_it_is_unpacked(bomb: bytes) -> None:
    with pytest.raises(ImageTooLarge):
        check_image(bomb)
    with pytest.raises(CannotCopy):
        copy_of(bomb, "image/heic" if bomb[4:8] == b"ftyp" else "image/png")


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.97])
def test_a_cut_heic_is_refused(kept: float) -> None:
    whole = CARD_HEIC.read_bytes()
    with pytest.raises(FileDamaged):
        check_image(whole[: int(len(whole) * kept)])


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_photo_is_refused_or_copied_and_nothing_else(data: st.DataObject) -> None:
    """Whatever bytes change, a copy comes out or one of our own facts does."""
    whole = bytearray(data.draw(st.sampled_from([photo(), photo(kind="PNG"), CARD_HEIC.read_bytes(), scripted()])))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    for media_type in ("image/jpeg", "application/pdf"):
        with suppress(CannotCopy):
            copy_of(bytes(whole), media_type)


# -- PDF -----------------------------------------------------------------------------------------------------------


def saved(pdf: Pdf, **how: Any) -> bytes:
    made = BytesIO()
    pdf.save(made, **how)
    return made.getvalue()


def scripted() -> bytes:
    """A PDF with all that may act: scripts, actions, a form, an attachment, media, a link, metadata."""
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(300, 200))
    pdf.add_blank_page(page_size=(300, 200))
    page = pdf.pages[0]
    page.obj.Contents = Stream(pdf, b"BT /F1 12 Tf 20 20 Td (bonjour) Tj ET 0 0 40 40 re f")
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    image = Stream(pdf, bytes(3), Type=Name.XObject, Subtype=Name.Image, Width=1, Height=1, BitsPerComponent=8,
                   ColorSpace=Name.DeviceRGB, Metadata=Stream(pdf, b"EVIL metadata"))  # fmt: skip
    page.obj.Resources = Dictionary(Font=Dictionary(F1=font), XObject=Dictionary(A=image))
    script = Dictionary(S=Name.JavaScript, JS=String("app.alert('EVIL')"))
    launch = Dictionary(S=Name.Launch, F=String("EVIL.exe"))
    pdf.Root.OpenAction = script
    pdf.Root.AA = Dictionary(WC=script)
    pdf.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("evil"), script])))
    pdf.Root.AcroForm = Dictionary(Fields=Array(), XFA=Stream(pdf, b"<xdp>EVIL</xdp>"))
    page.obj.AA = Dictionary(O=script)
    box = Array([0, 0, 300, 200])
    field = pdf.make_indirect(
        Dictionary(
            Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, Rect=box, AA=Dictionary(E=script), T=String("EVIL")
        )
    )
    pdf.Root.AcroForm.Fields.append(field)
    media = Dictionary(Type=Name.Annot, Subtype=Name.RichMedia, Rect=box, RichMediaContent=Dictionary(E=String("EVIL")))
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=box, A=launch)
    page.obj.Annots = Array([link, media, field])
    pdf.attachments["EVIL.exe"] = b"MZ EVIL"
    with pdf.open_metadata() as metadata:
        metadata["dc:title"] = "EVIL title"
    return saved(pdf)


EVIL = ("/JavaScript", "/JS", "/OpenAction", "/AA", "/Launch", "/EmbeddedFile", "/Filespec", "/XFA", "/AcroForm",
        "/RichMedia", "/Annots", "/Metadata", "/URI", "/SubmitForm", "/Names", "EVIL")  # fmt: skip


def test_nothing_in_a_pdf_copy_can_act() -> None:
    check_pdf(scripted())
    copy = copy_of(scripted(), "application/pdf")
    told = told_of(copy.data)
    assert [word for word in EVIL if word in told] == []


def test_a_pdf_copy_shows_the_same_pages() -> None:
    before, after = scripted(), copy_of(scripted(), "application/pdf").data
    assert check_pdf(after).pages == 2
    for sheet in (1, 2):
        one, other = (opened(sheet_image(data, sheet)) for data in (before, after))
        assert one.size == other.size == (1800, 1200)
        assert one.getpixel((50, 1150)) == other.getpixel((50, 1150))
    assert max(opened(sheet_image(after, 1)).getpixel((50, 1150))) < 20, "the black square is drawn"
    with pikepdf.open(BytesIO(after)) as pdf:
        assert "/A" in pdf.pages[0].obj.Resources.XObject, "an image may be called A"


def test_what_a_form_says_is_drawn() -> None:
    """A filled form is read by the clerk; it is no form any more."""
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(300, 200))
    look = Stream(pdf, b"0 0 100 100 re f", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 100, 100]))
    field = pdf.make_indirect(
        Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=String("nom"), V=String("Morel"), F=4,
                   Rect=Array([100, 50, 200, 150]), AP=Dictionary(N=look))
    )  # fmt: skip
    pdf.pages[0].obj.Annots = Array([field])
    pdf.Root.AcroForm = Dictionary(Fields=Array([field]))
    copy = copy_of(saved(pdf), "application/pdf").data
    assert max(opened(sheet_image(copy, 1)).getpixel((900, 600))) < 20


def test_an_attestation_closed_against_printing_has_a_copy() -> None:
    with pikepdf.open(BytesIO(scripted())) as pdf:
        closed = saved(
            pdf, encryption=pikepdf.Encryption(user="", owner="insurer", allow=pikepdf.Permissions(extract=False))
        )
    assert check_pdf(copy_of(closed, "application/pdf").data).pages == 2


def test_a_polyglot_s_other_half_is_left_behind() -> None:
    """A PDF that is a zip too, a JPEG that is a page of HTML too: the original stays whole, the copy is one thing."""
    zipped = BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("EVIL.js", "alert(1)")
    pdf = scripted() + zipped.getvalue()
    assert zipfile.is_zipfile(BytesIO(pdf))
    assert not zipfile.is_zipfile(BytesIO(copy_of(pdf, "application/pdf").data))
    html = b"<script>alert(1)</script>"
    for both in (photo(comment=html), photo() + html):
        assert html in both
        assert html not in copy_of(both, "image/jpeg").data


def test_the_sheets_of_a_pdf_are_turned_too() -> None:
    on_its_side = turned(copy_of(scripted(), "application/pdf").data, 90)
    assert opened(sheet_image(on_its_side, 1)).size == (1200, 1800)


def test_a_giant_sheet_is_a_small_image() -> None:
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(14_400, 14_400))
    assert opened(sheet_image(saved(pdf), 1)).size == (1800, 1800)


def test_a_file_that_is_no_pdf_is_not_copied_as_one() -> None:
    with pytest.raises(CannotCopy):
        copy_of(photo(), "application/pdf")


def told_of(data: bytes) -> str:
    """Every object of a PDF, written out, with what its streams hold."""
    with pikepdf.open(BytesIO(data)) as pdf:
        objects = [repr(each) + (each.read_raw_bytes().decode("latin-1") if isinstance(each, Stream) else "")
                   for each in pdf.objects]  # fmt: skip
        return "\n".join([*objects, repr(pdf.trailer)])


def test_the_fixture_has_what_the_test_looks_for() -> None:
    told = told_of(scripted())
    assert [word for word in EVIL if word not in told] == ["/URI", "/SubmitForm"]
    assert file_copies.LONGEST_SIDE == LONGEST_SIDE
