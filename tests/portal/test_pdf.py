"""Sheets for people: whatever is written on them, they are tagged, titled, and read aloud in order."""

import random
from io import BytesIO

import pikepdf
import pypdfium2
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.pdf import Sheet


def text_of(data: bytes) -> str:
    document = pypdfium2.PdfDocument(data)
    return " ".join(page.get_textpage().get_text_range() for page in document)


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
