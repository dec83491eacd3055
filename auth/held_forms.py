"""Nothing typed is lost: a form posted after the session ended waits, sealed, for the same person to sign in again."""

import json
from base64 import urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import Request, current_app, g, request
from sqlalchemy import delete, select
from werkzeug.datastructures import MultiDict

from auth import sessions
from auth.models import HeldForm
from portal import db, jobs
from portal.db import session

KEEP = timedelta(hours=1)
_MAX_BYTES = 100_000
_NEVER_HELD = frozenset({"csrf_token", "once"})


def hold() -> None:
    """Keep the posted form for the account whose session has ended or must prove more; files are not part of it."""
    current = sessions.signed_in()
    account_id: UUID | None = current.account_id if current else g.get("ended_account_id")
    if request.method != "POST" or account_id is None:
        return
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in _NEVER_HELD]
    text = json.dumps(fields).encode()
    if not fields or len(text) > _MAX_BYTES:
        return
    with db.transaction(db.system("auth.hold_form")) as own:
        own.execute(delete(HeldForm).where(HeldForm.account_id == account_id))
        own.add(HeldForm(id=uuid4(), account_id=account_id, path=page_of(request), sealed=_fernet().encrypt(text)))


def page_of(incoming: Request) -> str:
    """The page that shows the form: where the browser came from when that is ours, else the posted address."""
    referrer = urlsplit(incoming.referrer or "")
    if referrer.netloc == incoming.host and referrer.path:
        return referrer.path + (f"?{referrer.query}" if referrer.query else "")
    return incoming.path


def take() -> MultiDict[str, str] | None:
    """What this person had typed on this page, once; None when nothing waits. Give it to the form as its data."""
    current = sessions.signed_in()
    if current is None or request.method != "GET":
        return None
    here = request.full_path.rstrip("?")
    row = session.scalar(
        select(HeldForm).where(
            HeldForm.account_id == current.account_id, HeldForm.path == here, HeldForm.created_at > db.now() - KEEP
        )
    )
    if row is None:
        return None
    session.delete(row)
    g.held_form_restored = True
    return MultiDict(_unsealed(row.sealed))


def _unsealed(sealed: bytes) -> list[tuple[str, Any]]:
    try:
        return [(name, value) for name, value in json.loads(_fernet().decrypt(sealed))]
    except InvalidToken:
        return []


def _fernet() -> MultiFernet:
    secrets = current_app.config["SETTINGS"].secret_keys()
    return MultiFernet([Fernet(urlsafe_b64encode(sha256(b"held form:" + each.encode()).digest())) for each in secrets])


@jobs.periodic("*/20 * * * *", "auth.forget_held_forms")
def forget() -> None:
    """Delete what nobody came back for."""
    with jobs.reading() as current:
        current.execute(delete(HeldForm).where(HeldForm.created_at < db.now() - KEEP))
