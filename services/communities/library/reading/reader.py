"""The text of a file, page after page. Runs in a process apart (`portal.apart`) and imports nothing of the portal."""

import io
import re
import zipfile
from typing import Any

PAGES = 500
CHARACTERS = 2_000_000
PART = 30 * 1024 * 1024  # of XML, unpacked; a thesis has five
PARTS = 400
DEPTH = 120

_LINES = {"p", "tr", "h", "row", "si", "list-item", "table-row"}
_GAPS = {"tab", "br", "cr", "tc", "c", "s", "line-break", "table-cell"}
_LONG_FIGURES = re.compile(r"[0-9]{13,15}")
"""What a sheet keeps as a figure and might be somebody's number; other figures find nothing."""
_HEADING = re.compile(r"^(heading|titre|title|t[0-9]|h[0-9]|[1-9])", re.IGNORECASE)


def answer(data: bytes, kind: str) -> bytes:
    """The number of pages on a first line, the titles on a second, then the text; pages end with a form feed.

    kind: a value of `Kind`.
    """
    return told(*read(data, kind))


def pdf(data: bytes) -> tuple[list[str], list[str]]:
    """The text of the first pages, and the titles of its outline."""
    import pypdfium2  # type: ignore[import-untyped]  # the library has no types

    document = pypdfium2.PdfDocument(data)
    pages: list[str] = []
    length = 0
    for number in range(min(len(document), PAGES)):
        text = document[number].get_textpage().get_text_bounded()
        pages.append(text)
        length += len(text)
        if length > CHARACTERS:
            break
    titles = [item.get_title() or "" for item in document.get_toc(max_depth=4)]
    return pages, titles


def office(data: bytes, kind: str) -> tuple[list[str], list[str]]:
    """The text of each part that holds some, in the order of the document, and its titles."""
    pages: list[str] = []
    titles: list[str] = []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in _parts(archive.namelist(), kind)[:PARTS]:
            text, found = _told(_unpacked(archive, name))
            pages.append(text)
            titles += found
            if sum(map(len, pages)) > CHARACTERS:
                break
    return [page for page in pages if page.strip()], titles


def _parts(names: list[str], kind: str) -> list[str]:
    wanted = {
        "docx": r"word/(document\d*|footnotes|endnotes|comments|header\d*|footer\d*)\.xml",
        "xlsx": r"xl/(sharedStrings|worksheets/[^/]+|comments\d*|threadedComments/[^/]+|drawings/drawing\d+)\.xml",
        "pptx": r"ppt/(slides/slide\d+|notesSlides/notesSlide\d+|comments/[^/]+)\.xml",
    }.get(kind, r"(content|styles)\.xml")
    found = [name for name in names if re.fullmatch(wanted, name)]
    return sorted(found, key=lambda name: (re.sub(r"\d+", "", name), int((re.findall(r"\d+", name) or ["0"])[-1])))


def _unpacked(archive: zipfile.ZipFile, name: str) -> bytes:
    """A part, never more than PART whatever its header says."""
    with archive.open(name) as part:
        data = part.read(PART + 1)
    if len(data) > PART:
        raise ValueError("too large")
    return data


def _told(data: bytes) -> tuple[str, list[str]]:
    """Letters of one part of XML, a line for each paragraph. No DTD is read, so no entity is expanded or fetched."""
    from lxml import etree

    if re.search(rb"<!\s*(DOCTYPE|ENTITY)", data.replace(b"\x00", b""), re.IGNORECASE):
        raise ValueError("a DTD")
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False,
                             remove_comments=True, remove_pis=True)  # fmt: skip
    teller = Teller()
    for event, node in etree.iterwalk(etree.fromstring(data, parser), events=("start", "end")):
        (teller.begin if event == "start" else teller.end)(node, etree.QName(node).localname)
    return "".join(teller.pieces), teller.titles


class Teller:
    """Walks over the elements of a part: Word, Excel, PowerPoint keep letters in `t`, OpenDocument anywhere."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.titles: list[str] = []
        self._begun = 0
        self._depth = 0
        self._heads = False

    def begin(self, node: Any, word: str) -> None:
        self._depth += 1
        if self._depth > DEPTH:
            raise ValueError("too deep")
        if word in _GAPS:
            self.pieces.append(" ")
        if word in ("p", "h"):
            self._begun, self._heads = len(self.pieces), word == "h"
        self._heads = self._heads or _says_heading(word, node)
        if word == "v" and node.text and _LONG_FIGURES.fullmatch(node.text):
            self.pieces.append(f" {node.text}")
        if node.text and (word in ("t", "text") or "opendocument" in node.tag):
            self.pieces.append(node.text)

    def end(self, node: Any, word: str) -> None:
        self._depth -= 1
        if self._heads and word in ("p", "h"):
            self.titles.append("".join(self.pieces[self._begun :]).strip())
            self._heads = False
        if word in _LINES:
            self.pieces.append("\n")
        if node.tail and "opendocument" in node.tag:
            self.pieces.append(node.tail)


def _says_heading(word: str, node: Any) -> bool:
    """Styles of Word in French and English; the placeholders of titles in slides."""
    value = next((each for name, each in node.attrib.items() if name.endswith("}val") or name == "type"), "")
    return (word == "pStyle" and bool(_HEADING.match(value))) or (word == "ph" and value in ("title", "ctrTitle"))


def plain(data: bytes) -> tuple[list[str], list[str]]:
    """UTF-8, else the letters of Windows."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    return [text], []


def read(data: bytes, kind: str) -> tuple[list[str], list[str]]:
    """(pages, titles)."""
    if kind == "pdf":
        return pdf(data)
    return plain(data) if kind == "txt" else office(data, kind)


def told(pages: list[str], titles: list[str]) -> bytes:
    """One answer of all this."""
    lines = [re.sub(r"\s+", " ", title)[:300] for title in titles if title.strip()][:500]
    text = "\f".join(page.replace("\f", "\n").replace("\x00", " ") for page in pages)[:CHARACTERS]
    return f"{len(pages)}\n{' · '.join(lines)}\n{text}".encode("utf-8", "replace")
