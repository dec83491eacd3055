"""The directory in words."""

import re
from typing import Any, Final

from flask_babel import lazy_gettext as _l

BOX_KINDS: Final[dict[str, Any]] = {
    "PER": _l("Personal box"),
    "ORG": _l("Box of the structure"),
    "APP": _l("Box of a software"),
    "CAB": _l("Box of the practice"),
}
FILES: Final[dict[str, Any]] = {"people": _l("People and where they work"), "boxes": _l("MSSanté boxes")}
STATES: Final[dict[str, Any]] = {
    "reading": _l("Being read, or cut"),
    "merging": _l("Being merged, or cut"),
    "done": _l("Up to date"),
    "refused": _l("Refused"),
}
TONES: Final = {"reading": "warning", "merging": "warning", "done": "success", "refused": "danger"}
COUNTED: Final[dict[str, Any]] = {
    "people": _l("People"),
    "activities": _l("Places where they work"),
    "boxes": _l("MSSanté boxes"),
}
_REASONS: Final[tuple[tuple[str, Any], ...]] = (
    (
        r"(?P<found>\d+) cells, (?P<wanted>\d+) columns",
        _l("The line has %(found)s cells where the header has %(wanted)s."),
    ),
    (r"the line holds a zero byte", _l("The line holds a sign that no text has.")),
    (r"the line is too long", _l("The line is too long.")),
    (r"a cell is too long", _l("A cell is too long.")),
    (r"the line is not in (?P<what>.*)", _l("The line is not encoded in %(what)s.")),
    (r"the RPPS number has not 11 digits", _l("The RPPS number has not 11 digits.")),
    (r"the key of the RPPS number is wrong", _l("The key of the RPPS number is wrong.")),
    (r"the national identifier is missing.*", _l("The national identifier is missing, or is none.")),
    (r"the name is missing", _l("The name is missing.")),
    (r"the kind of box is none we know", _l("The kind of box is none that we know.")),
    (r"the address of the box is none", _l("The address of the box is none.")),
    (
        r"(?P<gone>\d+) of (?P<all>\d+) (people|activities|boxes) would go",
        _l("It would take away %(gone)s lines of %(all)s. If that is right, load it with --force."),
    ),
    (
        r"(?P<wrong>\d+) of (?P<all>\d+) lines cannot be read",
        _l("%(wrong)s of its %(all)s lines cannot be read. If that is right, load it with --force."),
    ),
    (
        r"a file generated on (?P<when>\d+) was loaded already",
        _l("A later one (%(when)s) was loaded already. To go back in time, load it with --force."),
    ),
    (r"cut, and never gone on with", _l("It was cut, and another file was loaded after it.")),
    (r"the archive (cannot be read|is broken)", _l("The archive is broken.")),
)
_COMPILED: Final = tuple((re.compile(pattern), words) for pattern, words in _REASONS)


def why(reason: str) -> str:
    """A reason in the reader's words; one that has none stays as it is."""
    for pattern, words in _COMPILED:
        if found := pattern.fullmatch(reason):
            return str(words) % found.groupdict()
    return reason
