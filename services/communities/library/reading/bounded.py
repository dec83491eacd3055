"""The text of a file, read in a process apart and within limits."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from portal import apart

SECONDS: Final = 30
_READER: Final = Path(__file__).parent / "reader.py"


@dataclass(frozen=True)
class Text:
    """pages: of the file, or 1. headings: its titles, in one line. content: what could be read; may be empty."""

    pages: int
    headings: str
    content: str

    @property
    def is_empty(self) -> bool:
        """No word in it: a scan, photographs."""
        return re.search(r"[^\W\d_]{2}", self.content) is None


def read(data: bytes, kind: str, *, seconds: int = SECONDS) -> Text:
    """The text of a file. kind: pdf, txt, docx, xlsx, pptx, odt, ods, odp. seconds: of processor, and twice that on the
    clock. Raises apart.GaveUp."""
    answer = apart.run(_READER, data, [kind], seconds=seconds).decode("utf-8", "replace")
    pages, _line, rest = answer.partition("\n")
    headings, _line, content = rest.partition("\n")
    return Text(int(pages), headings, content)
