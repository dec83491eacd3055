"""Words for what libraries hold as codes."""

from typing import Any

from flask_babel import lazy_gettext as _l

from portal import file_sniffing, files
from portal.file_sniffing import FileRefused

KINDS: dict[str, Any] = {
    "document": _l("Document"),
    "protocol": _l("Protocol"),
    "form": _l("Form"),
    "link": _l("Link"),
}
KIND_HINTS: dict[str, Any] = {
    "document": _l("Notes, minutes, advice, training"),
    "protocol": _l("What to do, agreed upon and reviewed on a known day"),
    "form": _l("A sheet to fill in or to print"),
    "link": _l("The address of a page elsewhere"),
}
STATES: dict[str, Any] = {"draft": _l("Draft"), "published": _l("Published"), "withdrawn": _l("Withdrawn")}
STATE_TONES = {"draft": "warning", "published": "success", "withdrawn": "neutral"}
FILES: dict[str, Any] = {
    "pdf": _l("PDF"),
    "word": _l("Text document (Word, Writer)"),
    "sheet": _l("Spreadsheet (Excel, Calc)"),
    "slides": _l("Slides (PowerPoint, Impress)"),
    "text": _l("Plain text"),
}
LANGUAGES: dict[str, Any] = {"fr": _l("French"), "en": _l("English"), "es": _l("Spanish"), "ar": _l("Arabic")}
TEXTS: dict[str, Any] = {
    "waiting": _l("Being checked: it will be shown in a few minutes"),
    "read": _l("Found by its text"),
    "without_text": _l("No text could be read: found by its title and keywords only"),
    "unreadable": _l("Could not be opened: found by its title and keywords only"),
}
VERDICTS: dict[str, Any] = {
    "number": _l("Set aside: it holds a patient’s number"),
    "suspect": _l("Set aside: a moderator looks whether it is about a patient"),
    "refused": _l("Refused: it is about a patient"),
    "cleared": _l("Looked at by a moderator"),
}
SORTS: dict[str, Any] = {"": _l("Best match"), "date": _l("Latest change")}

_REFUSED: tuple[tuple[type[FileRefused], Any], ...] = (
    (files.FileInfected, _l("This file holds a virus. We did not keep it.")),
    (files.FileTooLarge, _l("This file is over 25 MB. Send a lighter one.")),
    (file_sniffing.FileEmpty, _l("This file is empty. Choose it again, or send another one.")),
    (
        file_sniffing.MacrosRefused,
        _l("This file holds macros, which are programs. Save it without them, then send it."),
    ),
    (file_sniffing.FileLocked, _l("This file has a password. Send it without a password.")),
    (file_sniffing.FileTypeLies, _l("The name of this file does not match what is in it. Send the original file.")),
    (
        file_sniffing.FileTypeRefused,
        _l("We take PDF, Word, Excel, PowerPoint, OpenDocument and plain text. Save old files (.doc) as new ones."),
    ),
    (file_sniffing.FileDamaged, _l("This file does not open: it is cut or broken. Send it again.")),
    (file_sniffing.TooManyPages, _l("This document has more than 500 pages. Send it in several parts.")),
)


def words_for(refused: FileRefused) -> Any:
    """Why a file was refused and what to do."""
    return next((words for kind, words in _REFUSED if isinstance(refused, kind)), _l("We cannot take this file."))
