"""What a door to the published files of the national directory does: it says which edition is there, and fetches it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Edition:
    """What stands at an address now. name: of the file, which tells an edition from the next one: as the server names
    it, with the moment when it was generated; with the server's mark when it does not say. size: bytes, 0 if unknown.
    """

    name: str
    size: int


class PublishedFiles(Protocol):
    """Where the files of the directory are published."""

    def look(self, url: str) -> Edition:
        """What is there. Raises `Refused` (the status, or "redirection"), `Unavailable`."""

    def fetch(self, url: str, folder: Path) -> Path:
        """Bring it into the folder, under the edition's name; nothing is left there when it did not come whole.

        Raises as `look`, and `Refused` ("size") for a file larger than the directory can be.
        """
