"""Asking for the copy of all one's data, and taking it."""

from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import joinedload

from auth.account.models import DataExport
from portal import audit, db, jobs
from portal.db import session


class NotOneself(Exception):
    """A copy is handed to the person themselves, never to somebody who acts for them."""


class NoSuchExport(Exception):
    """The actor has no such copy, or it is not ready, or it is no longer kept."""


def ask_for_export(own_id: UUID | None, patient_id: UUID) -> None:
    """Ask for the copy of one's own data; while one is being prepared, nothing more. Raises NotOneself."""
    actor = db.current_actor()
    if own_id is None or own_id != patient_id or patient_id in actor.proxied:
        raise NotOneself
    export_id = uuid4()
    row = insert(DataExport).values(
        id=export_id, account_id=actor.account_id, patient_id=own_id, state="preparing", size=0, requested_at=db.now()
    )
    if session.execute(row.on_conflict_do_nothing().returning(DataExport.id)).one_or_none() is None:
        return
    audit.record("data_export.asked", patient_id=own_id, object_kind="data_export", object_id=export_id)
    jobs.enqueue("account.prepare_export", export_id=str(export_id))


def hand_over_export(export_id: UUID, own_id: UUID | None) -> DataExport:
    """The copy, its file loaded, to the person it is about. Raises NoSuchExport."""
    found = session.scalar(
        select(DataExport)
        .options(joinedload(DataExport.file))
        .where(
            DataExport.id == export_id,
            DataExport.account_id == db.current_actor().account_id,
            DataExport.patient_id == own_id,
            DataExport.state == "ready",
            DataExport.expires_at > db.now(),
        )
    )
    if found is None or found.file is None:
        raise NoSuchExport
    audit.record("data_export.downloaded", patient_id=found.patient_id, object_kind="data_export", object_id=found.id)
    return found
