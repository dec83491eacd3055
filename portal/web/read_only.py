"""The answer to what cannot be written down while the portal only reads: 503, when to come back, and whom to call.

Each caller is answered in its own language: an OperationOutcome below /fhir, JSON to machines, a line to payment
providers (which call again by themselves), and a page to people, with what they had typed.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import structlog
from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from flask_wtf.csrf import validate_csrf
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from wtforms import ValidationError

from portal import db, establishments
from portal.establishments import Establishment
from portal.web import fhir, tracking, unit_of_work

log = structlog.get_logger(__name__)

RETRY_AFTER_S: Final = 600
"""What machines and providers are asked to wait: nobody knows when it ends, and it is not a matter of seconds."""
_WORTH_KEEPING: Final = 20
"""Signs of a text that nobody likes to type again."""


def register(app: Flask) -> None:
    """Let every page say that the portal only reads."""
    app.jinja_env.globals["only_reads"] = lambda: unit_of_work.only_reads(current_app)


def answer(_error: object = None) -> Response:
    """The answer to the current request, which would write."""
    log.info("read_only.refused", endpoint=request.endpoint, reference=_reference())
    response = _in_their_words()
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def _in_their_words() -> Response:
    path = request.path
    if fhir.is_below(path):
        return fhir.of_status(503)
    if path.startswith(("/oauth/", "/api/")):
        response = make_response(jsonify(error="temporarily_unavailable"), 503)
        response.headers["Cache-Control"] = "no-store"
        return response
    if path.startswith("/callbacks/"):
        return Response("read-only\n", 503, mimetype="text/plain")
    return make_response(_page(), 503)


def _page() -> str:
    return render_template(
        "errors/read_only.html",
        is_sign_in=(request.endpoint or "").partition(".")[0] in ("auth", "local"),
        is_sign_out=request.endpoint == "auth.sign_out" and is_from_our_pages(),
        hospitals=_to_call(),
        typed=_typed(),
        reference=_reference(),
    )


def _reference() -> str:
    """What people read out to whoever helps them, as on the other error pages."""
    return tracking.request_id()[:8]


def _to_call() -> Sequence[Establishment]:
    """Hospitals with a telephone number; the page shows without them when the database is away."""
    with suppress(SQLAlchemyError):
        db.session.rollback()  # a write that was refused has ended its transaction
        return [each for each in establishments.establishments() if each.phone]
    g.database_away = True
    return []


def _typed() -> Sequence[str]:
    """The long texts of the form, if it is one of ours: its author copies them."""
    if not is_from_our_pages():
        return []
    texts = (value.strip() for name, value in request.form.items(multi=True) if "password" not in name)
    return [each for each in texts if len(each) >= _WORTH_KEEPING and any(sign.isspace() for sign in each)]


def is_from_our_pages() -> bool:
    """Whether what was posted carries the token of one of our forms."""
    try:
        validate_csrf(request.form.get("csrf_token"))
    except (ValidationError, HTTPException):  # or too large, or cut: nothing of it is read
        return False
    return True
