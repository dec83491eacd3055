"""The published files, fetched every day where their addresses are set.

Files are loaded by a process of their own (`loading.arguments`): a worker does many other things, and must stay small.
"""

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import exists, select

from portal import jobs
from portal.config import Settings
from portal.gateways import DoorError
from portal.gateways import directory as door
from portal.gateways.directory import PublishedFiles
from services.directory import loading
from services.directory.models import DirectoryImport

log = structlog.get_logger(__name__)

_LONGEST_S: Final = 4 * 3600
_urls: tuple[str, ...] = ()
_published: PublishedFiles | None = None


def connect(settings: Settings) -> None:
    """Open the door, when there is an address to fetch from. Raises UnsupportedUrl."""
    global _urls, _published
    _urls = tuple(settings.directory_urls.replace(",", " ").split())
    for url in _urls:
        door.checked(url, anywhere=not settings.is_production)
    anchors = Path(settings.directory_anchors) if settings.directory_anchors else None
    _published = door.connect(anchors=anchors, anywhere=not settings.is_production) if _urls else None


def doors() -> Sequence[tuple[str, Callable[[], object]]]:
    """What to look at: (name, a look that raises DoorError), for each address."""
    published = _published
    return [] if published is None else [
        (f"national directory {number}", partial(published.look, url)) for number, url in enumerate(_urls, start=1)
    ]  # fmt: skip


# The files are published every morning; asking often costs a HEAD, and catches up with a morning that was late.
@jobs.periodic("23 */3 * * *", "directory.fetch")
def fetch() -> None:
    """Fetch the editions that were not loaded yet, and load them together: people before boxes."""
    if _published is None:
        return
    with tempfile.TemporaryDirectory(prefix="parvis-directory-") as folder:
        files = [path for url in _urls if (path := _fetched(_published, url, Path(folder)))]
        if files:
            _load(files)


def _fetched(published: PublishedFiles, url: str, folder: Path) -> Path | None:
    try:
        edition = published.look(url)
        return None if _is_known(edition.name) else published.fetch(url, folder)
    except DoorError as error:
        log.warning("directory.not_fetched", why=str(error))  # the next tick tries again
        return None


def _is_known(edition: str) -> bool:
    with jobs.reading() as current:
        loaded = exists().where(DirectoryImport.origin == edition, DirectoryImport.state.in_(("done", "refused")))
        return bool(current.scalar(select(loaded)))


def _load(files: Sequence[Path]) -> None:
    """One that ends badly says so in the reports, and in the log of this worker."""
    done = subprocess.run(loading.arguments(files), capture_output=True, text=True, check=False, timeout=_LONGEST_S)
    write = log.info if done.returncode == 0 else log.warning
    write("directory.loaded", code=done.returncode, why=done.stderr[-500:])
