"""The text of a structured document on a sheet: its sections, paragraphs, lists, tables and pictures (ECO.2.1.5).

Drawn from `cda.narrative`, so that the PDF says what the page says.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Final

from lxml import etree, html

from portal.pdf import Sheet
from services.documents.cda import Section
from services.documents.pdfa import pictures
from services.documents.pdfa.grids import Cell, table

_BLOCKS: Final = frozenset({"p", "ul", "ol", "table", "div", "li", "img", "caption"})
_STRUCK: Final = {"ins": ("[ajouté : ", "]"), "del": ("[supprimé : ", "]"), "small": (" (", ")")}
_UNSEEN_PICTURE: Final = "[Image présente dans le document d’origine]"
_INDENT: Final = 6.0
_MAX_DEPTH: Final = 12


def write(sheet: Sheet, sections: Sequence[Section]) -> None:
    """Write the sections in order."""
    for section in sections:
        if section.title:
            sheet.heading(section.title, 2 if section.level == 1 else 3)
        if section.html.strip():
            _flow(sheet, html.fragment_fromstring(str(section.html), create_parent="div"), 0)
        if section.has_media:
            sheet.say(_UNSEEN_PICTURE)


def _flow(sheet: Sheet, element: etree._Element, depth: int) -> None:
    """Write the blocks of an element, and the words between them as paragraphs."""
    words = element.text or ""
    for below in element:
        if not isinstance(below.tag, str) or below.tag not in _BLOCKS:
            words += _inline(below) + (below.tail or "")
            continue
        _say(sheet, words)
        _block(sheet, below, depth)
        words = below.tail or ""
    _say(sheet, words)


def _say(sheet: Sheet, words: str) -> None:
    if tidy := _tidy(words):
        sheet.say(tidy)
        sheet.ln(1)


def _tidy(words: str) -> str:
    lines = (" ".join(line.split()) for line in words.replace("\n", " ").split("\x1e"))
    return "\n".join(lines).strip()


def _inline(element: etree._Element) -> str:
    """Return the words of an element; a break is \\x1e until they are tidied."""
    if not isinstance(element.tag, str):
        return ""
    if element.tag == "br":
        return "\x1e"
    if element.tag == "img":
        return element.get("alt", "")
    before, after = _STRUCK.get(element.tag, ("", ""))
    said = (element.text or "") + "".join(_inline(below) + (below.tail or "") for below in element)
    href = element.get("href", "")
    return before + said + after + (f" ({href})" if href and href not in said else "")


def _block(sheet: Sheet, element: etree._Element, depth: int) -> None:
    if element.tag in ("ul", "ol"):
        _list(sheet, element, depth)
    elif element.tag == "table":
        _table(sheet, element)
    elif element.tag == "img":
        _picture(sheet, element)
    else:
        _flow(sheet, element, depth)


def _list(sheet: Sheet, element: etree._Element, depth: int) -> None:
    indent = _INDENT if depth < _MAX_DEPTH else 0.0
    for number, item in enumerate((below for below in element if below.tag == "li"), 1):
        mark = f"{number}. " if element.tag == "ol" else "• "
        item.text = mark + (item.text or "").lstrip()
        sheet.set_left_margin(sheet.l_margin + indent)
        _flow(sheet, item, depth + 1)
        sheet.set_left_margin(sheet.l_margin - indent)


def _table(sheet: Sheet, element: etree._Element) -> None:
    caption = element.find("caption")
    if caption is not None and (said := _tidy(_inline(caption))):
        sheet.say(said, bold=True)
    rows = [[_cell(cell) for cell in row if cell.tag in ("td", "th")] for row in element.iter("tr")]
    if any(cell.text for row in rows for cell in row):
        table(sheet, rows)


def _cell(element: etree._Element) -> Cell:
    return Cell(_cell_words(element), element.tag == "th", _span(element, "colspan"), _span(element, "rowspan"))


def _cell_words(element: etree._Element) -> str:
    """Return the words of a cell, each block of it on a line of its own."""
    said = element.text or ""
    for number, below in enumerate(element.iter("p", "li", "ul", "ol")):
        below.text = (
            ("\x1e" if number or said.strip() else "") + ("• " if below.tag == "li" else "") + (below.text or "")
        )
    return _tidy(_inline(element))


def _span(element: etree._Element, name: str) -> int:
    value = element.get(name, "1")
    return int(value) if value.isdigit() and 0 < int(value) < 100 else 1


def _picture(sheet: Sheet, element: etree._Element) -> None:
    head, _, encoded = element.get("src", "").partition(";base64,")
    try:
        pages = pictures.pages_of(base64.b64decode(encoded)) if head.startswith("data:image/") else []
    except (binascii.Error, ValueError):
        pages = []
    pictures.draw(sheet, pages)
    if not pages:
        sheet.say(element.get("alt", "") or _UNSEEN_PICTURE)
