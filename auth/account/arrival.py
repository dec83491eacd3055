"""What a sign-in does besides opening the session: is this browser known, and are there texts to agree to?

New texts are asked for between the sign-in and the first page, and never in the middle of a form: only pages that are
looked at lead there. What may be done without: sign out, the public and legal pages, the account's own pages.
"""

import secrets

from flask import Flask, redirect, request, url_for
from flask import session as cookie
from werkzeug.wrappers import Response

from auth import guards, sessions
from auth.account import actions, queries
from auth.account.actions.devices import DEVICE_LIFE
from auth.models import Account
from portal import db
from portal.db import Actor

_DEVICE = "parvis_device"
_DUE = "texts_due"
"""In the browser's signed cookie: who removes it is asked at the next sign-in, nothing depends on it but the asking."""


def register(app: Flask) -> None:
    app.before_request(_ask_first)


def greet(account: Account, response: Response) -> None:
    """After a session was opened for the account: note the browser, and whether texts wait for an agreement."""
    token = sessions.browser_binding(_DEVICE) or secrets.token_urlsafe(32)
    with db.transaction(Actor(account.audience, account.name, account.id)):
        actions.recognise(account, token, request.user_agent.string)
        ask_again(bool(queries.texts_due(account)))
    sessions.bind_browser(response, token, DEVICE_LIFE, name=_DEVICE)


def ask_again(is_due: bool) -> None:
    """Whether the next page leads to the texts."""
    if is_due:
        cookie[_DUE] = True
    else:
        cookie.pop(_DUE, None)


def _ask_first() -> Response | None:
    if request.method != "GET" or _DUE not in cookie or _is_free() or sessions.signed_in() is None:
        return None
    return redirect(url_for("account_consents.agree", next=request.full_path.rstrip("?")), 303)


def _is_free() -> bool:
    guard = guards.of(request.blueprint or "")
    return guard in ("", "public", "machines", guards.SIGNED_IN)
