"""The text of a structured (N3) document as HTML that can do nothing but be read.

Nothing is copied: each element of the CDA narrative block (NarrativeBlock.xsd) that is known is written anew with the
attributes listed here; of any other, the words are kept, because losing a word of a letter is worse than losing its
form. Pictures that the document carries are shown where it refers to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from lxml import etree
from markupsafe import Markup, escape

from services.documents.cda.body import embedded
from services.documents.cda.document import MAX_BYTES, NAMESPACE, body_of, child, children, open_document, text_of
from services.documents.cda.media import pictures

_HL7: Final = f"{{{NAMESPACE}}}"
_PICTURE: Final = "{urn:parvis}picture"
_WORDLESS: Final = frozenset({"script", "style"})  # what they hold are no words for a person

_INLINE: Final = frozenset({"content", "linkHtml", "sub", "sup", "br", "footnote", "renderMultiMedia"})
_FLOW: Final = _INLINE | {"paragraph", "list", "table"}
_CELL: Final = _INLINE | {"paragraph", "list"}
_ROWS: Final = frozenset({"thead", "tbody", "tfoot", "tr"})


@dataclass(frozen=True)
class Section:
    """One section of a letter, in reading order; ``level`` 1 is a main section, 2 lies inside one, and so on."""

    title: str
    level: int
    html: Markup
    has_media: bool  # it refers to an image that is not shown here: the PDF shows it
    is_cut: bool = False  # more than a page can show: its text is left out here, and read in the document


def narrative(data: bytes, max_bytes: int = MAX_BYTES) -> list[Section]:
    """Return the sections of an N3 document, none for an N1. Raises `NotCda`, `CdaTooLarge`, `CdaRefused`."""
    body = body_of(open_document(data, max_bytes))
    if body.is_file:
        return []
    _point_at_pictures(body.element)
    return _sections(body.element, 1, _Room())


def plain_texts(data: bytes, max_bytes: int = MAX_BYTES) -> list[str]:
    """Return the titles and texts of an N3 document, or the text in an N1, as words only. Raises as `narrative`."""
    body = body_of(open_document(data, max_bytes))
    if body.is_file:
        inside = embedded(data, max_bytes)
        return [inside[1].decode("utf-8", "replace")] if inside and inside[0] == "text/plain" else []
    return [" ".join(each.itertext()) for each in body.element.iter(_HL7 + "title", _HL7 + "text")]


@dataclass
class _Room:
    """What is left of a page. Taken by each section; one that is too large for it leaves it to the next."""

    elements: int = 60_000
    characters: int = 2_000_000

    def take(self, text: etree._Element) -> bool:
        elements, characters = sum(1 for _ in text.iter()), sum(map(len, text.itertext()))
        if elements > self.elements or characters > self.characters:
            return False
        self.elements, self.characters = self.elements - elements, self.characters - characters
        return True


def _sections(parent: etree._Element, level: int, room: _Room) -> list[Section]:
    found: list[Section] = []
    for component in children(parent, "component"):
        section = child(component, "section")
        if section is None:
            continue
        text = child(section, "text")
        is_cut = text is not None and not room.take(text)
        html = _inside(text, _FLOW) if text is not None and not is_cut and _says(text) else Markup("")
        title = text_of(child(section, "title"))
        has_media = _refers_to_media(text)
        if title or is_cut or has_media or html.strip():
            found.append(Section(title, level, html, has_media, is_cut))
        found += _sections(section, level + 1, room)
    return found


def _says(text: etree._Element) -> bool:
    """Whether there is something to read: the frame around a picture that is elsewhere is nothing."""
    return bool(text_of(text)) or any(each.get(_PICTURE) for each in text.iter(_HL7 + "renderMultiMedia"))


def _point_at_pictures(body: etree._Element) -> None:
    """Note the picture of each reference on the reference itself, under a name that no document can write."""
    shown = pictures(body)
    for reference in body.iter(_HL7 + "renderMultiMedia"):
        names = reference.get("referencedObject", "").split()
        reference.set(_PICTURE, next((shown[name] for name in names if name in shown), ""))


def _refers_to_media(text: etree._Element | None) -> bool:
    references = text.iter(_HL7 + "renderMultiMedia") if text is not None else ()
    return any(not reference.get(_PICTURE) for reference in references)


def _inside(element: etree._Element, allowed: frozenset[str]) -> Markup:
    """Write the words of an element and its children; a child that is not allowed here leaves its words only."""
    parts = [escape(element.text or "")]
    for below in element:
        parts += [_element(below, allowed), escape(below.tail or "")]
    return Markup("").join(parts)


def _element(element: etree._Element, allowed: frozenset[str]) -> Markup:
    name = etree.QName(element).localname
    if name in _WORDLESS:
        return Markup("")
    if name in allowed and element.tag == _HL7 + name:
        return _WRITERS[name](element)
    return _inside(element, allowed)


def _tag(name: str, inside: Markup, **attributes: str) -> Markup:
    written = "".join(f' {key.rstrip("_")}="{escape(value)}"' for key, value in attributes.items())
    # S704: `format` is ten times slower; the names are ours, and what stands in the attributes is escaped above.
    return Markup(f"<{name}{written}>") + inside + Markup(f"</{name}>")  # noqa: S704 - see above


def _content(element: etree._Element) -> Markup:
    html = _inside(element, _INLINE)
    html = _styled(element, html)
    revision = _REVISIONS.get(element.get("revised", ""))
    return _tag(revision, html) if revision else html


def _styled(element: etree._Element, html: Markup) -> Markup:
    for style in element.get("styleCode", "").replace("BoldItalics", "Bold Italics").split():
        html = _tag(_STYLES[style], html) if style in _STYLES else html
    return html


_STYLES: Final = {"Bold": "strong", "Italics": "em", "Emphasis": "em", "Underline": "u"}
_REVISIONS: Final = {"insert": "ins", "delete": "del"}  # a crossed-out dose must look crossed out


def _link(element: etree._Element) -> Markup:
    html = _inside(element, frozenset({"footnote"}))
    address = element.get("href", "").strip()
    if not _leads_to_the_web(address):
        return html
    return _tag("a", html, href=address, rel="noopener noreferrer nofollow external")


def _leads_to_the_web(address: str) -> bool:
    if not re.fullmatch(r"[!-\[\]-~]{1,2000}", address):  # printable ASCII without the backslash
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _list(element: etree._Element) -> Markup:
    items = [_tag("li", _inside(item, _FLOW | {"caption"})) for item in children(element, "item")]
    title = child(element, "caption")
    above = _tag("p", _caption(title)) if title is not None else Markup("")
    if element.get("listType") != "ordered":
        return above + _tag("ul", Markup("").join(items))
    numbers = next((_NUMBERS[style] for style in element.get("styleCode", "").split() if style in _NUMBERS), "1")
    return above + _tag("ol", Markup("").join(items), **({} if numbers == "1" else {"type": numbers}))


_NUMBERS: Final = {"LittleRoman": "i", "BigRoman": "I", "LittleAlpha": "a", "BigAlpha": "A"}


def _caption(element: etree._Element) -> Markup:
    return _tag("strong", _inside(element, _INLINE)) + " "


def _table(element: etree._Element) -> Markup:
    caption = child(element, "caption")
    title = _tag("caption", _inside(caption, _INLINE)) if caption is not None else Markup("")
    # Wide tables scroll inside their frame, with the keyboard too.
    return _tag("div", _tag("table", title + _rows(element)), class_="cda-table", tabindex="0")


def _rows(element: etree._Element) -> Markup:
    """Write the rows, and not the words between them: the schema allows none there."""
    return Markup("").join(_element(below, _ROWS) for below in element if etree.QName(below).localname in _ROWS)


def _row(element: etree._Element) -> Markup:
    cells = [below for below in element if below.tag in (_HL7 + "td", _HL7 + "th")]
    return _tag("tr", Markup("").join(map(_cell, cells)), **_alignment(element))


def _cell(element: etree._Element) -> Markup:
    attributes = {
        name: value
        for name, pattern in _CELL_ATTRIBUTES.items()
        if re.fullmatch(pattern, value := element.get(name, ""))
    }
    html = _styled(element, _inside(element, _CELL))
    return _tag(etree.QName(element).localname, html, **attributes, **_alignment(element))


def _alignment(element: etree._Element) -> dict[str, str]:
    """A column of figures is read by its right edge. Left is where words are anyway."""
    side = element.get("align", "")
    return {"class_": f"cda-{side}"} if side in ("center", "right") else {}


_SPAN: Final = "[1-9][0-9]?"
_CELL_ATTRIBUTES: Final = {"colspan": _SPAN, "rowspan": _SPAN, "scope": "row|col|rowgroup|colgroup"}


def _media(element: etree._Element) -> Markup:
    caption = child(element, "caption")
    words = _inside(caption, _INLINE) if caption is not None else Markup("")
    picture = element.get(_PICTURE, "")
    if not picture:
        return words
    return Markup('<img src="{}" alt="{}">').format(picture, text_of(caption)) + words


def _written_as(tag: str, allowed: frozenset[str] = _INLINE) -> Callable[[etree._Element], Markup]:
    return lambda element: _tag(tag, _inside(element, allowed))


def _group(tag: str) -> Callable[[etree._Element], Markup]:
    return lambda element: _tag(tag, _rows(element), **_alignment(element))


_WRITERS: Final[dict[str, Callable[[etree._Element], Markup]]] = {
    "content": _content,
    "linkHtml": _link,
    "sub": _written_as("sub"),
    "sup": _written_as("sup"),
    "footnote": _written_as("small"),
    "br": lambda _: Markup("<br>"),
    "renderMultiMedia": _media,
    "caption": _caption,
    "paragraph": _written_as("p", _INLINE | {"caption"}),
    "list": _list,
    "table": _table,
    "thead": _group("thead"),
    "tbody": _group("tbody"),
    "tfoot": _group("tfoot"),
    "tr": _row,
}
