"""How long a session lives without a click while the portal only reads: no row can say when it was last used, so a
signed cookie does, beside the row's own last moment. The limit that holds whatever happens stays the row's."""

from contextlib import suppress
from datetime import timedelta
from typing import Final
from uuid import UUID

from flask import Flask, current_app, g, request
from itsdangerous import BadSignature, TimestampSigner
from sqlalchemy import Connection, text
from werkzeug.wrappers import Response

from portal import db
from portal.web.security import cookie_name

_COOKIE: Final = "parvis_seen"
_LAST: Final = text("select last_seen_at from web_session where id = :id")


def register(app: Flask) -> None:
    """Note the moment of each page in the browser of whoever is signed in."""
    app.after_request(_note)


def has_lapsed(session_id: UUID, idle: timedelta, connection: Connection) -> bool:
    """Whether nothing was asked with this session for longer than it may rest. Asked as whoever it belongs to."""
    g.kept_reading = session_id
    since = connection.execute(_LAST, {"id": session_id}).scalar_one()
    with suppress(BadSignature):
        said = request.cookies.get(cookie_name(_COOKIE), "")
        # Of another of our machines it may be a second ahead.
        since = max(since, _signer(session_id).unsign(said, return_timestamp=True)[1])
    if db.now() - since <= idle:
        return False
    del g.kept_reading
    return True


def _note(response: Response) -> Response:
    session_id: UUID | None = g.get("kept_reading")
    if session_id is not None:
        signed = _signer(session_id).sign("seen").decode()
        secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
        response.set_cookie(cookie_name(_COOKIE), signed, httponly=True, secure=secure, samesite="Lax", path="/")
    return response


def _signer(session_id: UUID) -> TimestampSigner:
    """What it signs is good for one session alone."""
    secrets = current_app.config["SETTINGS"].secret_keys()
    return TimestampSigner(list(reversed(secrets)), salt=f"seen {session_id}")  # the last one signs
