"""A clinical document laid out by a stylesheet (XSLT 1.0), made harmless.

Runs in a process apart (`portal.apart`) and imports nothing of the portal. The stylesheet may read the files of its own
folder; nothing is written and no address is called. Of what it makes, only the elements, attributes
and forms listed here come out: the national stylesheet lets `javascript:` addresses of a valid document through, and
writes the forms that a document asks for.
"""

import re
from pathlib import Path
from typing import Any

from lxml import etree

_XHTML = "{http://www.w3.org/1999/xhtml}"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KEPT = _names(
    "head title style body div span p br hr h1 h2 h3 h4 h5 h6 ul ol li dl dt dd table caption colgroup col thead tbody"
    " tfoot tr td th b strong i em u s del ins sub sup small big pre code blockquote a img font center tt address"
)
_WORDLESS = _names("script noscript template frameset applet svg math video audio link meta base select textarea")
_FRAMES = ("iframe", "frame", "object", "embed")
_ATTRIBUTES = _names(
    "class id title lang dir colspan rowspan scope headers align valign width height border cellpadding cellspacing"
    " bgcolor color face size alt summary name type start"
)
_FORMS = _names(
    "color background-color font-weight font-style text-decoration text-align vertical-align width float margin-left"
    " border border-width border-style border-color border-collapse border-spacing table-layout"
)
_WORDS_ONLY = ("title", "style")
# Buttons of the national stylesheet that wait for its scripts.
_OWN_STYLE = ".expandCollapse, #sectionsToggleCollapse, #sectionsToggleExpand { display: none }"
_ACTS = re.compile(r"url\s*\(|@import|expression|javascript|behavior|-moz-binding|\\|<", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif);base64,[A-Za-z0-9+/=\s]+")
_PLACE = re.compile(r"#[A-Za-z0-9_.:-]{1,200}")


class _OwnFolder(etree.Resolver):
    """Files beside the stylesheet, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def resolve(self, system_url: str | None, public_id: str | None, context: Any) -> Any:
        path = Path((system_url or "").removeprefix("file://")).resolve()
        if not path.is_relative_to(self.folder):
            raise PermissionError(system_url)
        return self.resolve_filename(str(path), context)


def answer(data: bytes, stylesheet: str) -> bytes:
    """The page that the stylesheet at this path makes of the document, in HTML."""
    page = harmless(laid_out(data, Path(stylesheet)))
    made: bytes = etree.tostring(page, method="html", encoding="utf-8", doctype="<!DOCTYPE html>")
    return made


def laid_out(data: bytes, stylesheet: Path) -> etree._Element:
    """The page that the stylesheet makes of the document."""
    hostile = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=True, remove_pis=True)
    trusted = etree.XMLParser(no_network=True)
    trusted.resolvers.add(_OwnFolder(stylesheet.parent.resolve()))
    rules = etree.XSLTAccessControl(read_network=False, write_network=False, write_file=False, create_dir=False)
    transform = etree.XSLT(etree.parse(str(stylesheet), trusted), access_control=rules)
    page = transform(etree.fromstring(data, hostile)).getroot()
    if page is None or etree.QName(page).localname != "html":
        raise ValueError("the stylesheet makes no page")
    return page


def harmless(page: etree._Element) -> etree._Element:
    """The page written anew with what is listed above. Raises ValueError when words would be lost with a frame."""
    if next(page.iter(*(_XHTML + name for name in _FRAMES), *_FRAMES), None) is not None:
        raise ValueError("part of the page lies in a frame, which is not shown")
    made = etree.Element("html", lang="fr")  # the national stylesheet speaks French
    _fill(made, page)
    etree.SubElement(made, "style").text = _OWN_STYLE
    return made


def _fill(made: etree._Element, element: etree._Element) -> None:
    """Copy what is inside an element; what is not listed leaves its words."""
    _say(made, element.text)
    for below in element:
        name = below.tag.removeprefix(_XHTML).lower() if isinstance(below.tag, str) else ""
        if name in _WORDS_ONLY:
            words = "".join(below.itertext())
            etree.SubElement(made, name).text = "" if name == "style" and _ACTS.search(words) else words
        elif name in _KEPT:
            _fill(etree.SubElement(made, name, _attributes(name, below)), below)
        elif name and name not in _WORDLESS:
            _fill(made, below)
        _say(made, below.tail)


def _say(made: etree._Element, words: str | None) -> None:
    if not words:
        return
    if len(made):
        made[-1].tail = (made[-1].tail or "") + words
    else:
        made.text = (made.text or "") + words


def _attributes(name: str, element: etree._Element) -> dict[str, str]:
    kept = {key: value for key, value in element.attrib.items() if key in _ATTRIBUTES}
    if form := _form(element.get("style", "")):
        kept["style"] = form
    if name == "a" and _PLACE.fullmatch(element.get("href", "")):
        kept["href"] = element.get("href", "")
    if name == "img" and _PICTURE.fullmatch(element.get("src", "")):
        kept["src"] = element.get("src", "")
    return kept


def _form(style: str) -> str:
    """The declarations of a style that neither hide, nor move, nor fetch."""
    declarations = (each.strip() for each in style.split(";") if not _ACTS.search(each))
    return "; ".join(each for each in declarations if each.partition(":")[0].strip().lower() in _FORMS)
