"""The cookie of a payer without an account, and what it opens."""

from collections.abc import Collection
from uuid import UUID

from flask import current_app, request, url_for
from werkzeug.wrappers import Response

from portal import db
from portal.web.security import cookie_name
from services.billing.guests import actions

SYSTEM = "billing.guest"
"""The system job that acts for whoever holds the letter: what the journal says did it."""
_COOKIE = "parvis_payer"


def token() -> str:
    """The secret of this browser, "" when it has none; what it opens is for the database to say."""
    return request.cookies.get(_name(), "")


def reopened(bill_ids: Collection[UUID]) -> bool:
    """Whether this browser had opened all these bills with their letters: it sees them again for a while."""
    if not token():
        return False
    with db.transaction(db.system(SYSTEM)):
        return actions.reopen(token(), bill_ids)


def home_of(bill_ids: Collection[UUID]) -> str:
    """The page where these bills are: the bill's own when it is alone."""
    if len(set(bill_ids)) == 1:
        return url_for("billing_guests.show", bill_id=next(iter(bill_ids)))
    return url_for("billing_guests.bills")


def keep(response: Response, secret: str) -> Response:
    response.set_cookie(_name(), secret, httponly=True, secure=_secure(), samesite="Lax", path="/")
    return response


def forget(response: Response) -> Response:
    response.delete_cookie(_name(), httponly=True, secure=_secure(), samesite="Lax", path="/")
    return response


def _secure() -> bool:
    """Whether the portal's own address is https, as for the sessions' cookie."""
    return bool(current_app.config["SESSION_COOKIE_SECURE"])


def _name() -> str:
    return cookie_name(_COOKIE)
