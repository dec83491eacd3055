"""Files of a parcel: to whom they belong, in one statement for all of them, and those that are kept sealed."""

from collections.abc import Collection
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, update

from portal import db, files
from portal.db import session
from portal.file_sniffing import clean_name
from portal.files import StoredFile
from services.documents.models import RIGHT


def set_aside(data: bytes, name: str, limit: int = files.MAX_BYTES) -> StoredFile:
    """Register, in a transaction of its own, bytes that nobody may open: sealed until a person decides about what they
    came in. `files.read_set_aside` gives them back. Raises FileRefused (empty, too large)."""
    arriving = files.Arriving(limit=limit)
    arriving.write(data)
    arriving.finish()
    stored = StoredFile(
        id=uuid4(),
        storage_key=arriving.key,
        name=clean_name(name),
        media_type="application/octet-stream",
        size=arriving.size,
        sha256=arriving.sha256,
        state="set_aside",
        account_id=db.current_actor().account_id,
    )
    return files.register([stored])[0]


def attach_all(file_ids: Collection[UUID], establishment_id: UUID) -> None:
    """Give to a hospital those of these files, of the current actor, that nothing has taken yet; the others stay as
    they are."""
    actor = db.current_actor()
    waiting: list[ColumnElement[bool]] = [StoredFile.id.in_(file_ids), StoredFile.attached_at.is_(None)]
    if actor.kind != "system":
        waiting.append(StoredFile.account_id == actor.account_id)
    given = {"establishment_id": establishment_id, "staff_right": RIGHT, "attached_at": db.now()}
    session.execute(update(StoredFile).where(*waiting).values(given))


def give_all(file_ids: Collection[UUID], patient_id: UUID | None) -> None:
    """Make files of a hospital a patient's to open, or nobody's."""
    session.execute(update(StoredFile).where(StoredFile.id.in_(file_ids)).values(patient_id=patient_id))
