"""Who calls: a browser with a session, or a machine with a pass (RFC 6750). Never both on one page.

As for sessions, one round trip: the SQL function `open_machine_token` finds the machine, counts the call and declares
who acts. What is revoked ends at the next call.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Request, current_app, g
from sqlalchemy import Connection, text
from werkzeug.wrappers import Response

from auth import sessions
from portal import db
from portal.db import ANONYMOUS, Actor

CALLED_BY_MACHINES = "parvis_shows_a_pass"
"""Mark of the blueprints that machines call with a pass (`guards.machines(…, token=True)`)."""
_OPEN = text("select * from open_machine_token(:digest)")


@dataclass(frozen=True)
class Caller:
    """The machine of the current request, and what its pass lets it do."""

    machine_id: UUID
    name: str
    establishment_id: UUID
    scopes: frozenset[str]
    expires_at: datetime


def foresee(incoming: Request) -> Actor | None:
    """See `portal.web.unit_of_work`."""
    if takes_a_pass(incoming):
        return None if _pass_of(incoming) else ANONYMOUS
    return sessions.foresee(incoming)


def declare(incoming: Request, connection: Connection) -> Actor:
    """Find out who acts in this request and tell the database."""
    if not takes_a_pass(incoming):
        return sessions.declare(incoming, connection)
    token = _pass_of(incoming)
    if not token:
        db.declare(connection, ANONYMOUS)
        return ANONYMOUS
    row = connection.execute(_OPEN, {"digest": sessions.digest(token)}).one()
    g.pass_state = row.state
    if row.state != "open":
        return ANONYMOUS
    g.caller = Caller(row.machine_id, row.name, row.establishment_id, frozenset(row.scopes), row.expires_at)
    here = frozenset({row.establishment_id})
    return Actor("machine", row.name, machine_id=row.machine_id, rights=dict.fromkeys(row.rights, here))


def takes_a_pass(incoming: Request) -> bool:
    """Whether this address is for machines that show a pass; no cookie counts there."""
    blueprint = current_app.blueprints.get(incoming.blueprint or "")
    return bool(getattr(blueprint, CALLED_BY_MACHINES, False))


def caller() -> Caller | None:
    """The machine of the current request."""
    db.current_actor()
    found: Caller | None = g.get("caller")
    return found


def refusal() -> Response | None:
    """The answer to a call without a good pass, or over its quota; None when the machine may go on."""
    if db.current_actor().kind == "machine":
        return None
    state = g.get("pass_state", "")
    if state == "over_quota":
        left = 3600 - int(db.now().timestamp()) % 3600
        return answer(429, "quota_exceeded", {"Retry-After": str(left)})
    reason = ', error="invalid_token"' if state else ""
    return answer(401, "invalid_token", {"WWW-Authenticate": f'Bearer realm="parvis"{reason}'})


def beyond(scope: str) -> Response | None:
    """The answer to a machine that was not let to do this; None when it was."""
    found = caller()
    if found is not None and scope in found.scopes:
        return None
    told = f'Bearer realm="parvis", error="insufficient_scope", scope="{scope}"'
    return answer(403, "insufficient_scope", {"WWW-Authenticate": told})


def told(incoming: Request) -> object:
    """The JSON document of a call; None for what is not one, or is nested deeper than anybody writes."""
    try:
        document: object = incoming.get_json(silent=True)
    except RecursionError:
        return None
    return document


def listed(incoming: Request, scope: str, name: str, most: int) -> tuple[Caller, list[Any]] | Response:
    """Who calls, and the list that its JSON document holds under this name (one entry at least, `most` at the most);
    or the answer to what cannot be taken: 401 and 403 about the pass, 415 for another content type, 400 for what is not
    such a document."""
    found = caller()
    refused = beyond(scope)
    if found is None or refused:
        return refused or answer(401, "invalid_token")
    if incoming.mimetype != "application/json":
        return answer(415, "unsupported_media_type")
    document = told(incoming)
    entries = document.get(name) if isinstance(document, dict) else None
    if not isinstance(entries, list) or not 0 < len(entries) <= most:
        return answer(400, "invalid_request")
    return found, entries


def answer(status: int, error: str, headers: dict[str, str] | None = None) -> Response:
    """An OAuth2 error (RFC 6749, 5.2): a code, never our own words about who is known."""
    return as_json({"error": error}, status, headers)


def as_json(told: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer to a machine, that nothing on its way may keep."""
    response = current_app.make_response((dict(told), status))
    response.headers.update({"Cache-Control": "no-store", "Pragma": "no-cache", **(headers or {})})
    return response


def _pass_of(incoming: Request) -> str:
    """The token of the Authorization header; never of the address, which logs keep (RFC 6750, 2.3)."""
    scheme, _space, token = incoming.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
