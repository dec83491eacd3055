"""Preparing the copy of somebody's data, and forgetting it after a week."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from auth.account import bundle, export, mails
from auth.account.export import Part
from auth.account.models import DataExport
from auth.models import Account, Patient
from portal import audit, db, files, jobs, notifications
from portal.files import Arriving, StoredFile

KEEP = timedelta(days=7)
MAX_BYTES = 2 * 1024**3
"""A hundred full-size files; beyond, the job fails and an operator hears of it."""


@jobs.task("account.prepare_export")
def prepare_export(export_id: str) -> None:
    """Collect, write, encrypt and keep one copy, then tell the person that it is ready."""
    with jobs.reading() as current:
        asked = current.get(DataExport, UUID(export_id))
        if asked is None or asked.state != "preparing":
            return
        account = current.get_one(Account, asked.account_id)
        name = current.get_one(Patient, asked.patient_id).full_name
        with force_locale(account.locale or "fr"):
            parts = list(export.parts(asked.patient_id))
    with force_locale(account.locale or "fr"):
        arriving = _written(name, parts)
        file_name = _("my-data") + ".zip"
    _keep(asked.id, account, arriving, file_name)


def _written(name: str, parts: Sequence[Part]) -> Arriving:
    """The copy, encrypted while it is made; nothing is left of one that breaks."""
    arriving = Arriving(limit=MAX_BYTES)
    try:
        bundle.write(arriving, name, db.now(), parts, files.open_)
        arriving.finish()
    except BaseException:
        arriving.discard()
        raise
    return arriving


def _keep(export_id: UUID, account: Account, arriving: Arriving, name: str) -> None:
    try:
        with jobs.effect() as current:
            ready = current.get_one(DataExport, export_id, with_for_update={"key_share": True})
            if ready.state != "preparing":  # it was found meanwhile that it would hold somebody else's data
                files.discard(arriving.key)
                return
            stored = files.keep(arriving, name, "application/zip", account_id=account.id)
            ready.file_id, ready.size, ready.state = stored.id, stored.size, "ready"
            ready.ready_at, ready.expires_at = db.now(), db.now() + KEEP
            audit.record(
                "data_export.prepared", patient_id=ready.patient_id, object_kind="data_export", object_id=ready.id
            )
            notifications.tell(
                mails.export_ready(ready), recipient=account.email, account_id=account.id, locale=account.locale
            )
    except BaseException:  # run twice, or the database went away: no bytes without a row
        files.discard(arriving.key)
        raise


@jobs.periodic("23 * * * *", "account.forget_exports")
def forget_exports() -> None:
    """Delete the copies whose week is over: the bytes first, then what says that they exist."""
    with jobs.reading() as current:
        old = current.scalars(
            select(DataExport)
            .options(joinedload(DataExport.file))
            .where(DataExport.state == "ready", DataExport.expires_at <= db.now())
        ).all()
    for each in old:
        if each.file:
            files.discard(each.file.storage_key)
    with jobs.effect() as current:
        for each in old:
            expired = current.get_one(DataExport, each.id)
            file_id, expired.file_id, expired.state = expired.file_id, None, "expired"
            current.flush()
            if file_id and (stored := current.get(StoredFile, file_id)):
                current.delete(stored)
