"""What a document of a library may be, and what becomes of it. Pure."""

from typing import Final

DRAFT: Final = "draft"
PUBLISHED: Final = "published"
WITHDRAWN: Final = "withdrawn"
STATES: Final = (DRAFT, PUBLISHED, WITHDRAWN)
"""A draft is its author's and the moderators'; what is published is everybody's; what is withdrawn is kept for those
who wrote it and for moderators."""

KINDS: Final = ("document", "protocol", "form", "link")

WAITING: Final = "waiting"
READ: Final = "read"
WITHOUT_TEXT: Final = "without_text"
UNREADABLE: Final = "unreadable"
TEXT_STATES: Final = (WAITING, READ, WITHOUT_TEXT, UNREADABLE)
"""Of the text of a version: a job reads it, once the antivirus has accepted the file."""

CLEAN: Final = ""
NUMBER: Final = "number"
SUSPECT: Final = "suspect"
CLEARED: Final = "cleared"
REFUSED: Final = "refused"
VERDICTS: Final = (CLEAN, NUMBER, SUSPECT, CLEARED, REFUSED)
"""number: it holds a patient's number and is never shown. suspect: a moderator decides, `cleared` or `refused`."""
SHOWABLE: Final = (CLEAN, CLEARED)

FILE_KINDS: Final = ("pdf", "text", "word", "sheet", "slides", "")
"""As members look for them: what made the file does not matter to them."""
_BY_MEDIA_TYPE: Final = {
    "application/pdf": "pdf",
    "text/plain": "text",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "word",
    "application/vnd.oasis.opendocument.text": "word",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "sheet",
    "application/vnd.oasis.opendocument.spreadsheet": "sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "slides",
    "application/vnd.oasis.opendocument.presentation": "slides",
}

REVIEW_MONTHS: Final = (6, 12, 24, 36)
REMIND_DAYS: Final = 30


def file_kind(media_type: str) -> str:
    """One of FILE_KINDS."""
    return _BY_MEDIA_TYPE.get(media_type, "")


def media_types(kind: str) -> list[str]:
    """Those of one of FILE_KINDS."""
    return [media_type for media_type, each in _BY_MEDIA_TYPE.items() if each == kind]
