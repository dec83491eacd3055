"""What a page shows of a document: its pages as pictures, its text, its results, the way to its images."""

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Final

from portal import files
from services.documents import cda
from services.documents.cda import Section
from services.documents.models import Document
from services.documents.reading import results, stylesheet, viewer
from services.documents.reading.results import Shown

MOST_SHEETS: Final = 30
"""Pages shown as pictures; the others are in the file."""

_DEEPEST_HEADING: Final = 6
_LONGEST_TEXT: Final = 1_000_000
_SHEETS_OF: Final = frozenset({"application/pdf", "image/jpeg", "image/png", "image/heic"})


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

    @property
    def is_cut(self) -> bool:
        """Whether some of the text is too long for a page, and read in the document itself."""
        return any(section.is_cut for section in self.sections) or len(self._whole_text) > len(self.text)

    @property
    def text(self) -> str:
        """The words of a letter whose envelope holds plain text, as far as a page goes."""
        return self._whole_text[:_LONGEST_TEXT]

    @cached_property
    def _whole_text(self) -> str:
        inside = cda.embedded(self.data) if self.data and not self.document.is_structured else None
        return inside[1].decode("utf-8", "replace") if inside and inside[0] == "text/plain" else ""

    @property
    def has_file(self) -> bool:
        """Whether there is a file to download for a person: a PDF or a photo, not an envelope."""
        return self.document.content is not None or self.document.level == "FILE"

    @property
    def is_laid_out(self) -> bool:
        """Whether the national stylesheet shows it: the operator installed one, and there is a text to lay out.

        Of a letter that carries its own PDF it would show that alone; the portal shows its pages, and its text.
        """
        return stylesheet.is_installed() and bool(self.sections) and not self.has_file

    # Pictures of its pages: made by the worker from a copy in which nothing acts (`portal.files_shown`).

    @property
    def sheets(self) -> range:
        """The pages to show as pictures, from 1; none when the copy is not made."""
        stored = self.document.shown_file
        if not self.is_checked or stored.shown_state != "made":
            return range(0)
        return range(1, min(stored.sheets, MOST_SHEETS) + 1)

    @property
    def sheets_left(self) -> int:
        """How many pages are only in the file."""
        return max(0, self.document.shown_file.sheets - MOST_SHEETS) if self.sheets else 0

    @property
    def sheets_state(self) -> str:
        """none (there are no pages to picture) | waiting | made | failed (it cannot be shown, only downloaded)."""
        stored = self.document.shown_file
        if stored.media_type not in _SHEETS_OF or not self.has_file:
            return "none"
        return stored.shown_state or "waiting"

    @cached_property
    def results(self) -> list[Shown]:
        """The laboratory results that it says."""
        return results.of_document(self.document) if self.is_checked else []

    @property
    def result_groups(self) -> list[tuple[str, list[Shown]]]:
        """The results under their titles, in the order of the document."""
        return [(title, list(shown)) for title, shown in groupby(self.results, lambda each: each.result.group)]

    @cached_property
    def images_href(self) -> str:
        """Where the hospital shows the images that it is about, "" when it does not or when there are none."""
        study = cda.study(self.data) if self.data else None
        return viewer.address(self.document.establishment_id, study) if study else ""


def heading(section: Section) -> int:
    """The level of a section's title in a page whose own title is the first."""
    return min(section.level + 1, _DEEPEST_HEADING)


def read(document: Document) -> Reading:
    """Open a document for a page; nothing of it is shown until the antivirus has accepted it."""
    checked = document.file.state == document.shown_file.state == "clean"
    return Reading(document, b"".join(files.open_(document.file)) if checked and document.level != "FILE" else None)
