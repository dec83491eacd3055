"""Opening a page: what people see is a copy, the original goes to the hospital's system; who did is written down."""

from portal import db, files_shown
from portal.db import Actor
from portal.files import FileNotReadable, StoredFile
from portal.files_shown import Shown
from services.pieces.actions.traces import record
from services.pieces.facts import OriginalKept
from services.pieces.models import PiecePage


def hand_over(page: PiecePage, *, sheet: int | None = None, watermark: str = "") -> Shown:
    """The copy to show, upright. sheet: this sheet of a PDF, from 1, as an image.

    watermark: words written across an identity document that somebody else than the patient looks at, such as
    "CH du Nord – Dominique Dubois – 12/03/2027"; they are required then (ValueError). Raises FileNotReadable (not
    judged by the antivirus yet, or the copy is not made yet or could not be made).
    """
    actor = db.current_actor()
    guarded = page.piece.rules.is_identity and not _is_own(page, actor)
    if guarded and not watermark:
        raise ValueError("an identity document is shown to others with a watermark")
    wanted = (sheet or 1) if guarded else sheet
    shown = files_shown.shown(page.file, rotation=page.rotation, sheet=wanted, watermark=watermark if guarded else "")
    _write_down(page, actor)
    return shown


def hand_over_original(page: PiecePage) -> StoredFile:
    """The file exactly as it was sent, for the hospital's system or for whom it is about.

    Raises FileNotReadable, OriginalKept (an identity document, and an agent asks).
    """
    actor = db.current_actor()
    if page.piece.rules.is_identity and actor.kind in ("staff", "professional"):
        raise OriginalKept(page.id)
    if page.file.state != "clean":
        raise FileNotReadable(page.file_id)
    _write_down(page, actor)
    return page.file


def _is_own(page: PiecePage, actor: Actor) -> bool:
    """Whether the actor looks at something of their own, or of somebody for whom they act."""
    return actor.kind == "patient" and page.patient_id in actor.patients


def _write_down(page: PiecePage, actor: Actor) -> None:
    """Everybody's looks but one's own: the thumbnails of one's own pages would fill the journal."""
    if not _is_own(page, actor) or page.patient_id in actor.proxied:
        record("piece.opened", page.piece, page=str(page.position))
