"""Signed-in browsers: an opaque cookie, a row in the database, idle and absolute limits, rotated at each sign-in.

Reading the session and declaring who acts is one round trip: the SQL function `open_web_session` reads the row and
sets every key of row-level security. Rights are read at each request: withdrawn, they end at the next one.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from flask import Request, g, has_request_context, request
from sqlalchemy import Connection, select, text, update
from werkzeug.wrappers import Response

from auth.models import Account, WebSession
from portal import db
from portal.db import ANONYMOUS, Actor, session

ABSOLUTE_LIMIT = timedelta(hours=8)
IDLE_LIMIT = timedelta(minutes=30)
_COOKIE = "parvis_session"
_OPEN = text("select * from open_web_session(:digest, cast(:idle as interval))")


@dataclass(frozen=True)
class SignedIn:
    """What the current request knows of its session. patient_id: for whom the person acts now."""

    session_id: UUID
    account_id: UUID
    provider: str
    acr: str
    locale: str
    patient_id: UUID | None


def declare(incoming: Request, connection: Connection) -> Actor:
    """Find out who acts in this request and tell the database; the first statement of its transaction."""
    token = incoming.cookies.get(cookie_name(incoming.is_secure), "")
    if not token:
        db.declare(connection, ANONYMOUS)
        return ANONYMOUS
    row = connection.execute(_OPEN, {"digest": digest(token), "idle": IDLE_LIMIT}).one()
    if row.state != "open":
        g.ended_account_id = row.account_id
        return ANONYMOUS
    patients = frozenset(map(UUID, row.patients))
    g.signed_in = SignedIn(
        row.session_id,
        row.account_id,
        row.provider,
        row.acr,
        row.locale,
        _acting_for(row.patient_id, row.self_id, patients),
    )
    rights = {right: frozenset(map(UUID, ids)) for right, ids in json.loads(row.rights).items()}
    return Actor(row.audience, row.name, row.account_id, row.professional_id, patients, rights)


def _acting_for(chosen: UUID | None, self_id: UUID | None, patients: frozenset[UUID]) -> UUID | None:
    if chosen in patients:
        return chosen
    return self_id or min(patients, default=None)


def signed_in() -> SignedIn | None:
    """The current request's session, if there is one."""
    if not has_request_context():
        return None
    db.current_actor()
    found: SignedIn | None = g.get("signed_in")
    return found


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def cookie_name(secure: bool) -> str:
    """Browsers bind a `__Host-` cookie to this host and path; it needs https."""
    return f"__Host-{_COOKIE}" if secure else _COOKIE


def start(account: Account, *, provider: str, acr: str, amr: str, id_token: str) -> str:
    """Open a session for the account and return the token for its cookie."""
    token = secrets.token_urlsafe(32)
    session.add(
        WebSession(
            id=uuid4(),
            digest=digest(token),
            account_id=account.id,
            provider=provider,
            acr=acr,
            amr=amr,
            id_token=id_token,
            browser=_browser(),
            expires_at=db.now() + ABSOLUTE_LIMIT,
        )
    )
    return token


def end(session_id: UUID) -> None:
    """End one session on the server, and forget its identity token."""
    session.execute(update(WebSession).where(WebSession.id == session_id).values(ended_at=db.now(), id_token=""))


def id_token_of(session_id: UUID) -> str:
    return session.scalar(select(WebSession.id_token).where(WebSession.id == session_id)) or ""


def act_for(patient_id: UUID) -> None:
    """Remember for whom the person acts. Raises LookupError when they may not."""
    current = signed_in()
    if current is None or patient_id not in db.current_actor().patients:
        raise LookupError(patient_id)
    session.execute(update(WebSession).where(WebSession.id == current.session_id).values(patient_id=patient_id))


def set_cookie(response: Response, token: str) -> None:
    response.set_cookie(
        cookie_name(request.is_secure), token, httponly=True, secure=request.is_secure, samesite="Lax", path="/"
    )


def clear_cookie(response: Response) -> None:
    response.delete_cookie(
        cookie_name(request.is_secure), path="/", secure=request.is_secure, httponly=True, samesite="Lax"
    )


def _browser() -> str:
    agent = request.user_agent.string if has_request_context() else ""
    return agent[:200]
