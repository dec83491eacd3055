"""`{reference}` in a text of a hospital. What stands for it is put in its place once, and never read again as a text:
no expression, no format, no template. Pure."""

import re
from collections.abc import Mapping
from typing import Final

_PLACEHOLDER: Final = re.compile(r"\{([a-z][a-z_]{0,29})\}", re.ASCII)
_BRACES: Final = re.compile(r"[{}]")
_BEFORE: Final = re.compile(r"(?:^|\s)[(\[«“\"]*\Z")
_AFTER: Final = re.compile(r"[.,;:!?)\]»”\"،؛؟]*(?:\s|\Z)")


class Unusable(Exception):
    """A text that cannot be sent as it is."""


def names(text: str) -> list[str]:
    """The placeholders of a text, in order, each once."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(text)))


def without_names(text: str) -> str:
    """The text with an ellipsis in the place of each value."""
    return _PLACEHOLDER.sub("…", text)


def has_stray_brace(text: str) -> bool:
    """A brace that belongs to no placeholder: a mistyped one, most often."""
    return _BRACES.search(_PLACEHOLDER.sub("", text)) is not None


def glued(text: str) -> list[str]:
    """The placeholders of which another sign would become a part, once they are addresses: each stands alone, between
    brackets or before the end of a sentence."""
    return [
        found[1]
        for found in _PLACEHOLDER.finditer(text)
        if not (_BEFORE.search(text[: found.start()]) and _AFTER.match(text[found.end() :]))
    ]


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its values. A paragraph with a value that is empty today is left out, and so is a line of it that
    is left empty. Raises Unusable: a placeholder that the message does not have."""
    return _PLACEHOLDER.sub(lambda found: values[found[1]], kept(text, values)).strip()


def kept(text: str, values: Mapping[str, str]) -> str:
    """The text without the paragraphs that have no value today, its placeholders still there. Raises Unusable."""
    return "\n\n".join(each for each in text.split("\n\n") if all(_known(name, values) for name in names(each)))


def _known(name: str, values: Mapping[str, str]) -> bool:
    if name not in values:
        raise Unusable(name)
    return bool(values[name])


def fill_line(text: str, values: Mapping[str, str]) -> str:
    """A subject: one line, whatever the values hold. Raises Unusable: a value that there is not, or that is empty
    today: of a line nothing can be left out."""
    for name in names(text):
        if not _known(name, values):
            raise Unusable(name)
    filled = _PLACEHOLDER.sub(lambda found: values[found[1]], text)
    return " ".join("".join(sign if sign.isprintable() else " " for sign in filled).split())
