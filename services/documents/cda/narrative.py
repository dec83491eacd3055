"""The text of a structured (N3) document as HTML that can do nothing but be read.

Nothing is copied: each element of the CDA narrative block (NarrativeBlock.xsd) that is known is written anew with the
attributes listed here; of any other, the words are kept, because losing a word of a letter is worse than losing its
form. The national stylesheet is not used: it lets ``javascript:`` links through.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from lxml import etree
from markupsafe import Markup, escape

from services.documents.cda.document import MAX_BYTES, NAMESPACE, body_of, child, children, open_document, text_of

_HL7: Final = f"{{{NAMESPACE}}}"
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


def narrative(data: bytes, max_bytes: int = MAX_BYTES) -> list[Section]:
    """Return the sections of an N3 document, none for an N1. Raises `NotCda`, `CdaTooLarge`, `CdaRefused`."""
    body = body_of(open_document(data, max_bytes))
    return [] if body.is_file else _sections(body.element, 1)


def _sections(parent: etree._Element, level: int) -> list[Section]:
    found: list[Section] = []
    for component in children(parent, "component"):
        section = child(component, "section")
        if section is None:
            continue
        text = child(section, "text")
        html = _inside(text, _FLOW) if text is not None else Markup("")
        title = text_of(child(section, "title"))
        if title or html.strip():
            found.append(Section(title, level, html, has_media=_refers_to_media(text)))
        found += _sections(section, level + 1)
    return found


def _refers_to_media(text: etree._Element | None) -> bool:
    return text is not None and next(text.iter(_HL7 + "renderMultiMedia"), None) is not None


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
    written = Markup("").join(Markup(' {}="{}"').format(key.rstrip("_"), value) for key, value in attributes.items())
    return Markup("<{0}{1}>{2}</{0}>").format(name, written, inside)


def _content(element: etree._Element) -> Markup:
    html = _inside(element, _INLINE)
    for style in element.get("styleCode", "").split():
        html = _tag(_STYLES[style], html) if style in _STYLES else html
    revision = _REVISIONS.get(element.get("revised", ""))
    return _tag(revision, html) if revision else html


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
    kind = "ol" if element.get("listType") == "ordered" else "ul"
    return (_tag("p", _caption(title)) if title is not None else Markup("")) + _tag(kind, Markup("").join(items))


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
    return _tag("tr", Markup("").join(map(_cell, cells)))


def _cell(element: etree._Element) -> Markup:
    attributes = {
        name: value
        for name, pattern in _CELL_ATTRIBUTES.items()
        if re.fullmatch(pattern, value := element.get(name, ""))
    }
    return _tag(etree.QName(element).localname, _inside(element, _CELL), **attributes)


_SPAN: Final = "[1-9][0-9]?"
_CELL_ATTRIBUTES: Final = {"colspan": _SPAN, "rowspan": _SPAN, "scope": "row|col|rowgroup|colgroup"}


def _media(element: etree._Element) -> Markup:
    caption = child(element, "caption")
    return _inside(caption, _INLINE) if caption is not None else Markup("")


def _written_as(tag: str, allowed: frozenset[str] = _INLINE) -> Callable[[etree._Element], Markup]:
    return lambda element: _tag(tag, _inside(element, allowed))


def _group(tag: str) -> Callable[[etree._Element], Markup]:
    return lambda element: _tag(tag, _rows(element))


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
