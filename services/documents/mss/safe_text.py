"""The words of a mail that is only HTML, as plain text: nothing of it is ever shown as HTML."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

_BLOCKS: Final = frozenset(
    {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre", "hr"}
)
_UNSAID: Final = frozenset({"script", "style", "head", "title", "template", "noscript", "svg", "object"})
_MAX_BYTES: Final = 1024 * 1024
_WEB: Final = re.compile(r"https?://[!-~]{3,500}")


def of_html(html: str, most: int) -> str:
    """Return the words a person would read, with the addresses of links behind their words."""
    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, encoding="utf-8")
    try:
        root = etree.fromstring(html.encode("utf-8", "replace")[:_MAX_BYTES] or b"<p/>", parser)
    except (etree.XMLSyntaxError, ValueError):
        return ""
    return _tidy("".join(_words(root)))[:most] if root is not None else ""


def _words(root: etree._Element) -> list[str]:
    said: list[str] = []
    unsaid = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        name = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            unsaid += name in _UNSAID
            said += ["\n" if name in _BLOCKS else "", "" if unsaid else element.text or ""]
            continue
        said += [_address(element) if name == "a" and not unsaid else "", "\n" if name in _BLOCKS else ""]
        unsaid -= name in _UNSAID
        said.append("" if unsaid else element.tail or "")
    return said


def _address(link: etree._Element) -> str:
    href = link.get("href", "").strip()
    shown = "".join(link.itertext())
    return f" ({href})" if _WEB.fullmatch(href) and href not in shown else ""


def _tidy(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
