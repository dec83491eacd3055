"""Running the reader of hostile bytes in a process of its own: if it eats, hangs or falls, it does so alone."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SECONDS: Final = 30
_READER: Final = Path(__file__).parent / "reader.py"
_MOST_ANSWERED: Final = 20 * 1024 * 1024


class GaveUp(Exception):
    """The reader took too long or too much, or fell on what it was given."""


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
    clock. Raises GaveUp."""
    command = [sys.executable, "-I", str(_READER), str(seconds), kind]
    try:
        # No environment: it holds our secrets. Its errors may quote the document, and go nowhere.
        done = subprocess.run(
            command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=2 * seconds, env={}
        )
    except (subprocess.TimeoutExpired, OSError) as trouble:
        raise GaveUp from trouble
    if done.returncode != 0 or len(done.stdout) > _MOST_ANSWERED:
        raise GaveUp
    pages, _line, rest = done.stdout.decode("utf-8", "replace").partition("\n")
    headings, _line, content = rest.partition("\n")
    return Text(int(pages), headings, content)
