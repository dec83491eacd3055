"""A mail for programs that show HTML: the same words, their links clickable, everything else escaped. Pure."""

import re
from typing import Final

from markupsafe import Markup, escape

_FROM_THE_RIGHT: Final = frozenset({"ar"})
_LINK: Final = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)»]")
# dir="auto": each paragraph is read in the direction of its own first letter.
_PAGE: Final = Markup(
    '<!doctype html>\n<html{lang}><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
    '<body style="margin:0;background:#f4f4f2;color:#1a1a1a;font:16px/1.5 Arial,sans-serif">'
    '<div style="max-width:36rem;margin:0 auto;padding:1.5rem;background:#fff">{body}</div></body></html>\n'
)


def page(subject: str, text: str, language: str = "") -> str:
    """A whole document. language: of the words, "" when it is not known."""
    turned = Markup(' dir="rtl"') if language in _FROM_THE_RIGHT else ""
    lang = Markup(' lang="{}"{}').format(language, turned) if language else ""
    return str(_PAGE.format(lang=lang, title=subject, body=body(text)))


def body(text: str) -> Markup:
    """The paragraphs alone."""
    return Markup("\n").join(
        Markup('<p dir="auto">{}</p>').format(_linked(each)) for each in text.split("\n\n") if each.strip()
    )


def _linked(text: str) -> Markup:
    parts, at = list[Markup](), 0
    for found in _LINK.finditer(text):
        parts += [_lines(text[at : found.start()]), Markup('<a href="{0}">{0}</a>').format(found[0])]
        at = found.end()
    return Markup("").join([*parts, _lines(text[at:])])


def _lines(text: str) -> Markup:
    return Markup("<br>\n").join(escape(line) for line in text.split("\n"))
