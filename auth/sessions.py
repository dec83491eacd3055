"""Signed-in browsers: an opaque cookie, a row in the database, idle and absolute limits, rotated at each sign-in.

Reading the session and declaring who acts is one round trip: the SQL function `open_web_session` reads the row and
sets every key of row-level security. Rights are read at each request: withdrawn, they end at the next one.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from flask import Request, current_app, g, has_request_context, request
from sqlalchemy import Connection, select, text, update
from werkzeug.wrappers import Response

from auth import kept_reading
from auth.models import Account, WebSession
from portal import audit, db, reading_only
from portal.db import ANONYMOUS, Actor, session

_COOKIE = "parvis_session"
_OPEN = text("select * from open_web_session(:digest)")
WATCHED = "parvis.watched"
"""In the environment of a request that the portal makes by itself: the `Watched` whose screens an agent looks at. No
browser can set it: what comes from one is under other names."""
_NAME = text("select first_names[1] || ' ' || coalesce(nullif(used_name, ''), birth_name) from patient where id = :id")


@dataclass(frozen=True)
class Limits:
    """How long a session lives: without a click, and whatever happens."""

    idle: timedelta
    absolute: timedelta


LIMITS = {
    "patient": Limits(timedelta(minutes=30), timedelta(hours=8)),
    "professional": Limits(timedelta(minutes=30), timedelta(hours=4)),  # Pro Santé Connect's own sessions
    "staff": Limits(timedelta(minutes=30), timedelta(hours=10)),  # a working day
}


@dataclass(frozen=True)
class SignedIn:
    """What the current request knows of its session. patient_id: for whom the person acts now; own_id: themselves.
    factor, factor_at: our own second factor, when it was proven. activity: where a practitioner works today.
    person_name: of whom the person acts for, when it is somebody else. lost_id: for whom they were acting when the
    right to do so ended; nothing is done in anybody's name until they have read it."""

    session_id: UUID
    account_id: UUID
    provider: str
    acr: str
    amr: tuple[str, ...]
    factor: str
    factor_at: datetime | None
    locale: str
    patient_id: UUID | None
    own_id: UUID | None
    activity: Mapping[str, Any] | None
    expires_at: datetime
    idle: timedelta
    person_name: str = ""
    lost_id: UUID | None = None

    @property
    def is_for_somebody_else(self) -> bool:
        return self.patient_id is not None and self.patient_id != self.own_id


@dataclass(frozen=True)
class Watched:
    """Somebody's session as support mode shows it (`auth.support`): who acts, and what the pages know of them."""

    actor: Actor
    signed_in: SignedIn


def is_watched() -> bool:
    """Whether this page is made for an agent in support mode."""
    return has_request_context() and WATCHED in request.environ


def foresee(incoming: Request) -> Actor | None:
    """Nobody, when the browser has no session cookie; otherwise the database must be asked."""
    if WATCHED in incoming.environ:
        return None
    return None if incoming.cookies.get(cookie_name(_secure())) else ANONYMOUS


def declare(incoming: Request, connection: Connection) -> Actor:
    """Find out who acts in this request and tell the database; the first statement of its transaction."""
    if WATCHED in incoming.environ:
        return _declare_watched(incoming.environ[WATCHED], connection)
    token = incoming.cookies.get(cookie_name(_secure()), "")
    if not token:
        db.declare(connection, ANONYMOUS)
        return ANONYMOUS
    row = connection.execute(_OPEN, {"digest": digest(token)}).one()
    if row.state != "open":
        g.ended_account_id = row.account_id
        return ANONYMOUS
    if reading_only.is_on() and kept_reading.has_lapsed(row.session_id, timedelta(seconds=row.idle_s), connection):
        db.declare(connection, ANONYMOUS)
        g.ended_account_id = row.account_id
        return ANONYMOUS
    patients = frozenset(map(UUID, row.patients))
    g.signed_in = _signed_in_as(row, patients, connection)
    g.account_locale = row.locale
    return Actor(
        row.audience,
        row.name,
        row.account_id,
        row.professional_id,
        patients,
        _ids_by_name(row.rights),
        frozenset(map(UUID, row.proxied)),
        _ids_by_name(row.scopes),
        frozenset(map(UUID, row.emergency)),
        row.on_behalf_of,
    )


def _declare_watched(watched: Watched, connection: Connection) -> Actor:
    db.declare(connection, watched.actor)
    g.signed_in, g.account_locale = watched.signed_in, watched.signed_in.locale
    return watched.actor


def _signed_in_as(row: Any, patients: frozenset[UUID], connection: Connection) -> SignedIn:
    acting_for = _acting_for(row.patient_id, row.self_id, patients)
    is_proxy = acting_for is not None and acting_for != row.self_id
    return SignedIn(
        row.session_id,
        row.account_id,
        row.provider,
        row.acr,
        tuple(row.amr.split()),
        row.factor,
        row.factor_at,
        row.locale,
        acting_for,
        row.self_id,
        row.activity,
        row.expires_at,
        timedelta(seconds=row.idle_s),
        # One more statement, for those who act for somebody: every page of theirs names whom.
        (connection.execute(_NAME, {"id": acting_for}).scalar() or "") if is_proxy else "",
        row.patient_id if row.patient_id is not None and row.patient_id not in patients else None,
    )


def _ids_by_name(listed: str) -> dict[str, frozenset[UUID]]:
    return {name: frozenset(map(UUID, ids)) for name, ids in json.loads(listed).items()}


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
    limits = LIMITS[account.audience]
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
            idle_s=int(limits.idle.total_seconds()),
            expires_at=db.now() + limits.absolute,
        )
    )
    return token


def elevate(factor: str) -> str:
    """Remember the second factor just proven, under a new token for the cookie: who stole the former one is out."""
    current = signed_in()
    if current is None:
        raise LookupError(factor)
    token = secrets.token_urlsafe(32)
    proven = {"digest": digest(token), "factor": factor, "factor_at": db.now()}
    session.execute(update(WebSession).where(WebSession.id == current.session_id).values(proven))
    return token


def renew() -> str:
    """The same session under a new token for the cookie: who stole the former one is out."""
    current = signed_in()
    if current is None:
        raise LookupError("nobody is signed in")
    token = secrets.token_urlsafe(32)
    session.execute(update(WebSession).where(WebSession.id == current.session_id).values(digest=digest(token)))
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
    audit.record("person.chosen", patient_id=patient_id, object_kind="account", object_id=current.account_id)


def set_cookie(response: Response, token: str) -> None:
    response.set_cookie(cookie_name(_secure()), token, httponly=True, secure=_secure(), samesite="Lax", path="/")


def clear_cookie(response: Response) -> None:
    response.delete_cookie(cookie_name(_secure()), path="/", secure=_secure(), httponly=True, samesite="Lax")


def forget() -> None:
    """The rest of this request, its page included, is nobody's."""
    db.act_as(ANONYMOUS)
    g.pop("signed_in", None)


def browser_binding(name: str = "parvis_sign_in") -> str:
    """The secret that binds a trip to a provider to this browser, "" when there is none."""
    return request.cookies.get(_bound(name), "")


def bind_browser(response: Response, secret: str, life: timedelta, *, name: str = "parvis_sign_in") -> None:
    """Bind a trip to a provider to this browser. Lax: the way back comes from the provider's site. It stays until it
    ends by itself, for the other tabs that are on their way."""
    response.set_cookie(_bound(name), secret, max_age=life, httponly=True, secure=_secure(), samesite="Lax", path="/")


def _bound(name: str) -> str:
    # Without the prefix a neighbour (another site of the hospital's domain) could plant its own value.
    return f"__Host-{name}" if _secure() else name


def _secure() -> bool:
    """Whether the portal's own address is https: a proxy that forgets to say so must not weaken the cookies."""
    return bool(current_app.config["SESSION_COOKIE_SECURE"])


def _browser() -> str:
    agent = request.user_agent.string if has_request_context() else ""
    return agent[:200]
