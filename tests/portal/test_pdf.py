"""Sheets for people: whatever is written on them, they are tagged, titled, and read aloud in order."""

import random
import re
from datetime import date
from io import BytesIO

import pikepdf
import pypdfium2
import pytest
from babel.dates import format_date
from babel.numbers import format_currency
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.pdf import Sheet


def text_of(data: bytes) -> str:
    document = pypdfium2.PdfDocument(data)
    return " ".join(page.get_textpage().get_text_range() for page in document)


def read_aloud(data: bytes) -> list[str]:
    """What replaces the signs drawn, paragraph by paragraph (PDF 1.7, 14.9.4)."""
    with pikepdf.open(BytesIO(data)) as document:
        marks = [each for page in document.pages for each in pikepdf.parse_content_stream(page)]
        begun = [each.operands[1] for each in marks if str(each.operator) == "BDC"]
        return [str(each["/ActualText"]) for each in begun if "/ActualText" in each]


@settings(max_examples=25)
@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_is_written_makes_a_sheet(title: str, words: str) -> None:
    sheet = Sheet(title)
    sheet.heading(title)
    sheet.say(words)
    assert sheet.written().startswith(b"%PDF-")


def test_french_is_printed_as_it_is_and_others_by_the_closest_letter() -> None:
    sheet = Sheet("Essai")
    sheet.say("aàâçéèêëîïôœùûüÿ «» ’–—… € ŁĐȘ")
    assert sheet.is_whole
    sheet.say("37,5\u202f°C ≤ 40")
    assert sheet.is_whole, "a narrow space and a comparison have their like"
    sheet.say("痛み")
    assert not sheet.is_whole
    told = text_of(sheet.written())
    for words in ("aàâçéèêëîïôœùûüÿ «» ’–—… €", "<= 40", "[?]"):
        assert words in told


def test_arabic_is_joined_ordered_and_read_aloud_as_it_was_written() -> None:
    said = "لديكم موعد يوم 24 نوفمبر في Val d’Arceau"
    sheet = Sheet("موعد", "ar")
    sheet.say(said)
    assert sheet.is_whole
    assert sheet.side == "R"
    assert read_aloud(sheet.written()) == [said]


def test_dates_and_amounts_in_arabic_are_printed_whole() -> None:
    sheet = Sheet("وصل", "ar")
    sheet.facts(
        [
            ("التاريخ", format_date(date(2026, 11, 23), "medium", "ar")),
            ("المبلغ", format_currency(1234.5, "EUR", locale="ar")),
        ]
    )
    assert sheet.is_whole, "the marks of direction in them are no signs to draw"
    assert "[?]" not in text_of(sheet.written())


@pytest.mark.parametrize(
    "written", ["01 99 00 10 00", "+33 1 99 00 10 00", "12 avenue des Tilleuls", "3 bis rue du Port"]
)
def test_numbers_and_addresses_are_read_from_the_left_in_an_arabic_line(written: str) -> None:
    sheet = Sheet("اتصال", "ar")
    sheet.say(f"للاتصال بنا: {written}")
    data = sheet.written()
    assert _drawn(data).find(written) >= 0
    assert read_aloud(data) == [f"للاتصال بنا: {written}"]


def _drawn(data: bytes) -> str:
    """The signs of the first line, from the left to the right of the page."""
    page = pypdfium2.PdfDocument(data)[0].get_textpage()
    signs = [(page.get_charbox(n)[0], page.get_text_range(n, 1)) for n in range(page.count_chars())]
    return re.sub(r"\s+", " ", "".join(sign for _left, sign in sorted(signs, key=lambda each: each[0])))


def test_a_name_in_arabic_stands_in_a_french_sheet() -> None:
    sheet = Sheet("Essai")
    sheet.say("Nom\u00a0: فاطمة الزهراء")
    sheet.say("Puis du français, à gauche.")
    assert sheet.is_whole
    data = sheet.written()
    assert read_aloud(data) == ["Nom : فاطمة الزهراء"]
    assert "Puis du français, à gauche." in text_of(data)


def test_a_long_paragraph_goes_over_pages_whole_and_in_order() -> None:
    words = [f"mot{n}" for n in range(3000)]
    sheet = Sheet("Long", "fr")
    sheet.heading("Long")
    sheet.say(" ".join(words))
    sheet.rule()
    sheet.facts([("Fin", "oui")])
    data = sheet.written()
    told = text_of(data).split()
    assert [each for each in told if each.startswith("mot")] == words
    pdf = pikepdf.open(BytesIO(data))
    assert len(pdf.pages) > 3
    for page in pdf.pages:
        content = page.Contents.read_bytes()
        assert content.count(b"BDC") + content.count(b"BMC") == content.count(b"EMC"), "no tag goes over a page"


def test_the_reading_order_is_the_order_of_writing() -> None:
    levels = [random.Random(4).choice((1, 2, 3)) for _n in range(12)]
    sheet = Sheet("Ordre", "en")
    for level in levels:
        sheet.heading("Title", level)
        sheet.say("Words")
    pdf = pikepdf.open(BytesIO(sheet.written()))
    tags = [str(each.S) for each in pdf.Root.StructTreeRoot.K[0].K]
    assert tags == [tag for level in levels for tag in (f"/H{level}", "/P")]
    assert str(pdf.Root.Lang) == "en"
