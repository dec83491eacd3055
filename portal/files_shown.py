"""The copy of a received file that people look at: upright, light, and with nothing in it that could act.

The original is kept exactly as it was sent, for the hospital's system. The copy is made by the worker, in a process
apart: decoders are what hostile files attack.
"""

from dataclasses import dataclass
from uuid import UUID

import structlog

from portal import files, files_apart, jobs
from portal.files import FileNotReadable, StoredFile

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Shown:
    """What to answer a browser with. name: the person's own, with the extension of what it became."""

    data: bytes
    media_type: str
    name: str


def make_later(stored: StoredFile) -> None:
    """Ask for the copy of a file that was just attached; while the scanner is down it waits for the verdict."""
    if stored.shown_state:
        return
    stored.shown_state = "waiting"
    jobs.enqueue("files.show", file_id=str(stored.id))


def shown(stored: StoredFile, *, rotation: int = 0, sheet: int | None = None, watermark: str = "") -> Shown:
    """The copy, turned clockwise by `rotation` degrees. sheet: that sheet of a PDF, from 1, as an image.

    watermark: written across the image. Raises FileNotReadable unless the copy was made, ValueError for a watermark on
    a PDF that is not shown as an image.
    """
    if stored.state != "clean" or stored.shown_state != "made":
        raise FileNotReadable(stored.id)
    data, media_type = b"".join(files.open_shown(stored)), stored.shown_type
    is_pdf = media_type == "application/pdf"
    if is_pdf and sheet is not None and not 1 <= sheet <= stored.sheets:
        raise FileNotReadable(stored.id)
    if is_pdf and sheet is None and watermark:
        raise ValueError("a watermark is written on an image: ask for a sheet")
    try:
        if is_pdf and sheet is None:
            data = files_apart.turned(data, rotation) if rotation else data
        elif is_pdf or rotation or watermark:
            asked = (sheet or 0) if is_pdf else 0
            data = files_apart.picture(data, sheet=asked, rotation=rotation, watermark=watermark)
            media_type = "image/jpeg"
    except files_apart.CannotCopy:
        raise FileNotReadable(stored.id) from None
    return Shown(data, media_type, files_apart.renamed(stored.name, media_type))


@jobs.task("files.show")
def make(file_id: str) -> None:
    """Make the copy. A file that cannot be copied says so: the agent asks for another one."""
    with jobs.reading() as current:
        stored = current.get(StoredFile, UUID(file_id))
    if stored is None or stored.shown_state != "waiting" or stored.state in ("infected", "erased"):
        return
    if stored.state == "waiting":  # the job of the scanner asks again, once it knows
        return
    try:
        copy = files_apart.copy_of(b"".join(files.open_(stored)), stored.media_type)
    except files_apart.CannotCopy:
        log.warning("files.cannot_copy", file_id=file_id)
        _conclude(stored.id, "failed")
        return
    arriving = files.from_bytes([copy.data])
    arriving.finish()
    try:
        _conclude(stored.id, "made", arriving.key, copy.media_type)
    except BaseException:
        files.discard(arriving.key)
        raise


def _conclude(file_id: UUID, state: str, key: str | None = None, media_type: str = "") -> None:
    with jobs.effect() as current:
        stored = current.get(StoredFile, file_id, with_for_update={"key_share": True})
        if stored is None or stored.state == "erased":
            raise jobs.AlreadyDone
        stored.shown_state, stored.shown_key, stored.shown_type = state, key, media_type
