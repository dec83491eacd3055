"""What a page shows of a document: the sections of its text, or that its file is still being checked."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from portal import files
from services.documents import cda
from services.documents.cda import Section
from services.documents.models import Document

_DEEPEST_HEADING: Final = 6


@dataclass(frozen=True)
class Reading:
    """A document as a page. data: the bytes of its envelope; None when there is no envelope, or it cannot be opened."""

    document: Document
    data: bytes | None

    @property
    def is_checked(self) -> bool:
        """Whether the antivirus has accepted what a person would open."""
        return self.document.file.state == self.document.shown_file.state == "clean"

    @property
    def is_infected(self) -> bool:
        """Whether the antivirus refused it after it was filed: the scanner was away when it came."""
        return "infected" in (self.document.file.state, self.document.shown_file.state)

    @cached_property
    def sections(self) -> list[Section]:
        return cda.narrative(self.data) if self.data and self.document.is_structured else []

    @cached_property
    def text(self) -> str:
        """The words of a letter whose envelope holds plain text."""
        inside = cda.embedded(self.data) if self.data and not self.document.is_structured else None
        return inside[1].decode("utf-8", "replace") if inside and inside[0] == "text/plain" else ""

    @property
    def has_file(self) -> bool:
        """Whether there is a file to download for a person: a PDF or a photo, not an envelope."""
        return self.document.content is not None or self.document.level == "FILE"


def heading(section: Section) -> int:
    """The level of a section's title in a page whose own title is the first."""
    return min(section.level + 1, _DEEPEST_HEADING)


def read(document: Document) -> Reading:
    """Open a document for a page; nothing of it is shown until the antivirus has accepted it."""
    enveloped = document.level != "FILE" and document.file.state == "clean"
    return Reading(document, b"".join(files.open_(document.file)) if enveloped else None)
