"""A4 sheets for people: tagged, titled, in a language, with their fonts in them (PDF/UA-1, ISO 14289-1, as far as
fpdf2 goes: headings, paragraphs, and page numbers as artifacts, in reading order). Arabic is joined by HarfBuzz and
ordered by the bidirectional algorithm (UAX 9); a sheet in Arabic stands to the right.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, cast

from fpdf import FPDF
from fpdf.enums import DocumentCompliance, MethodReturnValue, XPos, YPos
from fpdf.fonts import TTFFont
from fpdf.prefs import ViewerPreferences

_FONTS: Final = Path(__file__).parent / "static" / "fonts"
_FONT: Final = "atkinson"
_ARABIC: Final = "noto-arabic"
"""It has Latin letters too: a line that mixes both is written in one font."""
_ARABIC_LETTERS: Final = re.compile("[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]")
_MARKS: Final = frozenset("\u061c\u200e\u200f\u2066\u2067\u2068\u2069")
"""Of direction: dates and amounts in Arabic hold some (CLDR). They are obeyed by the algorithm and never drawn."""
_LEFT_TO_RIGHT: Final = "\u200e"
_FROM_THE_LEFT: Final = re.compile(
    r"(?<![\d.,:/\w+])(?=\+?\d{1,4}(?: \d{2,4}){2,}(?![\d.,:/]\d)|\d{1,3}(?: (?:bis|ter))?,? [A-Za-z\u00c0-\u024f])"
)
_MISSING: Final = "\u25a1"
_CLOSEST: Final = {
    "\u202f": "\u00a0", "\u2009": "\u00a0", "\u2011": "-", "\u2212": "-", "\u2264": "<=", "\u2265": ">=", "\u00b5": "u",
    "\u25a1": "[?]",
}  # fmt: skip
_XMP: Final = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">'
    "<pdfuaid:part>1</pdfuaid:part></rdf:Description>"
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>'
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)
_ARCHIVE_XMP: Final = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">'
    "<pdfaid:part>1</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance></rdf:Description>"
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>'
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)
"""Of a file to be kept (PDF/A-1b, ISO 19005-1): the mark of PDF/UA is not among the words its metadata may say."""


class Sheet(FPDF):
    """A document written from top to bottom. made_at: its date inside (None: now).

    archive: to be kept for years, as PDF/A-1b.
    is_whole: False once a sign could not be printed; it stands as a square then.
    """

    def __init__(
        self, title: str, language: str = "fr", made_at: datetime | None = None, *, archive: bool = False
    ) -> None:
        super().__init__(format="A4", enforce_compliance=DocumentCompliance.PDFA_1B if archive else None)
        self.is_whole = True
        self.is_arabic = language.startswith("ar")
        self._add_letters(_ARABIC if self.is_arabic else _FONT)
        self.set_title(title)
        self.set_lang(language)
        self.set_xmp_metadata((_ARCHIVE_XMP if archive else _XMP).format(title=_escaped(title)))
        if made_at is not None:
            self.set_creation_date(made_at)
        self.viewer_preferences = ViewerPreferences(display_doc_title=True)
        self.set_margins(20, 18)
        self.set_auto_page_break(auto=True, margin=20)
        self.alias_nb_pages()
        self.add_page()

    def heading(self, text: str, level: int = 1) -> None:
        """level: 1 for the title of the document, 2 and 3 below."""
        size = {1: 19, 2: 14, 3: 11.5}[level]
        if self.will_page_break(size * 1.6):  # not alone at the foot of a page
            self.add_page()
        self.ln(size * 0.22)
        self._write(text, "B", size, f"H{level}")
        self.ln(1)

    def say(self, text: str, *, bold: bool = False, size: float = 10.5) -> None:
        """A paragraph."""
        self._write(text, "B" if bold else "", size, "P")

    def facts(self, rows: Sequence[tuple[str, str]]) -> None:
        """What is said and its value, one under another."""
        for label, value in rows:
            self.say(f"{label}\u00a0: {value}" if self.is_french else f"{label}: {value}")

    def rule(self) -> None:
        """A thin line across, which is read by nobody."""
        with self._artifact():
            self.set_draw_color(190)
            below = self.get_y() + 1.5
            self.line(self.l_margin, below, self.w - self.r_margin, below)
        self.ln(3)

    @property
    def is_french(self) -> bool:
        return str(self.lang or "").startswith("fr")

    def footer(self) -> None:
        with self._artifact():
            self.set_y(-14)
            self._write_with(self._own_font, "", 8)
            self.cell(0, 6, f"{self.page_no()} / {{nb}}", align="C")

    def written(self) -> bytes:
        """The file."""
        return bytes(self.output())

    def _write(self, text: str, style: str, size: float, tag: str) -> None:
        font = _ARABIC if _ARABIC_LETTERS.search(text) else self._own_font
        to_the_left = font == _ARABIC and bool(_ARABIC_LETTERS.search(text))
        self._write_with(font, style, size, to_the_left=to_the_left)
        height = size * 0.5
        shown = self._printable(_kept_in_order(text) if to_the_left else text, font, style)
        split = self.multi_cell(0, height, shown, align="L", dry_run=True, output=MethodReturnValue.LINES)
        lines = list(cast(list[str], split))
        while lines:
            # A tag may not go over the end of a page.
            fitting = max(1, int((self.page_break_trigger - self.get_y()) / height))
            if self.will_page_break(height):
                self.add_page()
                self._write_with(font, style, size, to_the_left=to_the_left)
                continue
            part, lines = lines[:fitting], lines[fitting:]
            with self._tagged(tag, " ".join(part) if font == _ARABIC else ""):
                for each in part:
                    self.cell(0, height, each.rstrip("\n"), align=self.side, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    @property
    def side(self) -> Literal["L", "R"]:
        """Where a line begins: the left, or the right in Arabic."""
        return "R" if self.is_arabic else "L"

    @property
    def _own_font(self) -> str:
        return _ARABIC if self.is_arabic else _FONT

    def _write_with(self, font: str, style: str, size: float, *, to_the_left: bool = False) -> None:
        """to_the_left: each line is one of an Arabic paragraph, whatever word it begins with."""
        if font not in {name.rstrip("B") for name in self.fonts}:
            self._add_letters(font)
        self.set_font(font, style, size)
        self.set_text_shaping(use_shaping_engine=font == _ARABIC, direction="rtl" if to_the_left else None)

    def _add_letters(self, font: str) -> None:
        for style, name in (("", "regular"), ("B", "bold")):
            self.add_font(font, style, _FONTS / f"{font}-{name}.ttf")

    @contextmanager
    def _tagged(self, tag: str, aloud: str = "") -> Iterator[None]:
        """fpdf2 tags figures alone; the same, for text (PDF 1.7, 14.8). aloud: what is read instead of the signs drawn
        (14.9.4), where a letter is drawn in pieces."""
        mcid = self.struct_builder.next_mcid_for_page(self.page)
        self._add_marked_content(struct_type=f"/{tag}", mcid=mcid)
        self._out(f"/{tag} <</MCID {mcid}{self.aloud(aloud)}>> BDC")
        yield
        self._out("EMC")

    @staticmethod
    def aloud(words: str) -> str:
        """What a tag says of words that are drawn in pieces; empty when there are none."""
        said = words.replace(_LEFT_TO_RIGHT, "")
        return f" /ActualText <FEFF{said.encode('utf-16-be').hex().upper()}>" if said else ""

    @contextmanager
    def _artifact(self) -> Iterator[None]:
        self._out("/Artifact BMC")
        yield
        self._out("EMC")

    def take_up(self, style: str, size: float) -> None:
        """Take the sheet's own letters. style: empty, or B for bold."""
        self._write_with(self._own_font, style, size)

    def printable(self, text: str, style: str) -> str:
        """The words with the signs that these letters have; `is_whole` tells when one is not among them."""
        return self._printable(text, self._own_font, style)

    def _printable(self, text: str, font: str, style: str) -> str:
        known = frozenset(cast(TTFFont, self.fonts[f"{font}{style}"]).cmap)
        if font == _ARABIC:  # HarfBuzz draws nothing for them
            known |= {ord(each) for each in _MARKS}
        return "".join(self._sign(each, known) for each in unicodedata.normalize("NFC", text.replace("\r", "")))

    def _sign(self, sign: str, known: frozenset[int]) -> str:
        if ord(sign) in known or sign == "\n":
            return sign
        if sign in _MARKS:
            return ""
        for candidate in (_CLOSEST.get(sign, ""), unicodedata.normalize("NFKD", sign)[:1]):
            if candidate and all(ord(each) in known for each in candidate):
                return candidate
        self.is_whole = False
        return _CLOSEST[_MISSING]


def _kept_in_order(text: str) -> str:
    """Arabic text in which telephone numbers, and the number of a house with its street, are read from the left: digits
    parted by spaces would stand in the opposite order, were it not for a mark before them (UAX 9, W7).
    """
    return _FROM_THE_LEFT.sub(_LEFT_TO_RIGHT, text)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
