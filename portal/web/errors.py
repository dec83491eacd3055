"""Error pages that say what happened, what to do and whom to call; never what broke inside."""

from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, cast

import structlog
from flask import Flask, Response, g, make_response, render_template, request
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, DBAPIError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wsgi import LimitedStream

from portal import reading_only
from portal.gateways import Unavailable
from portal.web import fhir, read_only, tracking
from portal.web.unit_of_work import OnlyReading, who

log = structlog.get_logger(__name__)

_REFUSALS = frozenset({400, 403, 404, 405, 413, 429})
_DRAINED_AT_MOST = 160 * 1024 * 1024


@dataclass(frozen=True)
class Page:
    title: Any
    text: Any


PAGES = {
    400: Page(
        _l("We could not read this request"),
        _l("Go back and try again. If it happens again, open the portal in a new window."),
    ),
    403: Page(
        _l("You do not have access to this page"),
        _l("Your account does not have the right to open it. If you need it, ask your administrator."),
    ),
    404: Page(_l("This page does not exist"), _l("The address may be incomplete, or the page may have been removed.")),
    405: Page(
        _l("We could not read this request"),
        _l("Go back and try again. If it happens again, open the portal in a new window."),
    ),
    413: Page(
        _l("This file is too large"),
        _l("A file may weigh 25 MB at most. Take the photo in a lower quality, or send the pages one by one."),
    ),
    422: Page(_l("Some answers need to be corrected"), _l("Go back to the form and check your answers.")),
    429: Page(_l("Too many attempts"), _l("Wait a minute, then try again.")),
    500: Page(
        _l("Something went wrong on our side"),
        _l("Nothing was lost that had been saved. Try again in a few minutes; if it is urgent, call the hospital."),
    ),
    503: Page(
        _l("The service is unavailable for a moment"),
        _l("Try again in a few minutes. If it is urgent, call the hospital."),
    ),
}


def register(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OnlyReading, read_only.answer)
    read_only.register(app)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(RequestEntityTooLarge, _too_large)
    for error in (OperationalError, InternalError, PoolTimeout):
        app.register_error_handler(error, _database_away)
    app.register_error_handler(DataError, _not_storable)
    app.register_error_handler(Unavailable, _door_closed)
    app.register_error_handler(Exception, _unexpected)


def page(code: int, title: Any = None, text: Any = None) -> Response:
    """An error page with that status, with the usual words unless others are given; an OperationOutcome for FHIR."""
    usual = PAGES.get(code) or PAGES[400 if code < 500 else 500]
    reference = tracking.request_id()[:8]
    # Who was refused: a number, never a name. Of a page that is not there too, for it may be somebody else's.
    refused = {"actor": who().label} if code in _REFUSALS else {}
    log.info("error.shown", code=code, reference=reference, endpoint=request.endpoint, **refused)
    if fhir.is_below(request.path):
        return fhir.of_status(code)
    body = render_template(
        "errors/error.html", code=code, title=title or usual.title, text=text or usual.text, reference=reference
    )
    return make_response(body, code)


def _http(error: HTTPException) -> Response | HTTPException:
    code = error.code or 500
    if code < 400:
        return error
    # What fails at the commit, after the view, comes wrapped.
    if isinstance(cause := getattr(error, "original_exception", None), DBAPIError) and not _is_ours(cause):
        return _database_away(cause)
    response = page(code)
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    if code == 429:
        response.headers.setdefault("Retry-After", "60")
    return response


def _stale_form(_error: CSRFError) -> Response:
    return page(
        400,
        _l("This form has been open for too long"),
        _l("For your safety it was not sent. Go back, reload the page and send it again."),
    )


def _too_large(_error: RequestEntityTooLarge) -> Response:
    """Read what the browser is still sending, or it would show a broken connection instead of our page."""
    length = request.content_length or 0
    if length <= _DRAINED_AT_MOST:
        _drain(length)
    return page(413)


def _drain(length: int) -> None:
    try:
        stream: IO[bytes] = request.stream  # half read by the form parser
    except RequestEntityTooLarge:  # refused by its length alone: nothing is read yet
        stream = cast(IO[bytes], LimitedStream(request.environ["wsgi.input"], length))
    with suppress(HTTPException):  # the browser may have gone meanwhile
        while stream.read(65536):
            pass


def _door_closed(error: Unavailable) -> Response:
    """A door this page cannot do without (the storage, while a file arrives) does not answer."""
    log.error("door.unavailable", error=str(error), endpoint=request.endpoint)
    return page(503)


def _not_storable(error: DataError) -> Response:
    """What no column takes: a NUL in a text, a number that is too large. It came with the request."""
    log.warning("request.not_storable", error=type(error.orig).__name__, endpoint=request.endpoint)
    return page(400)


def _is_ours(error: DBAPIError) -> bool:
    """Whether we wrote the statement wrong; otherwise the database is in trouble."""
    return not isinstance(error, (OperationalError, InternalError))


def _database_away(error: DBAPIError | PoolTimeout) -> Response:
    if reading_only.is_refusal(error):
        return read_only.answer()
    log.error("database.away", error=type(error).__name__)
    g.database_away = True  # the page must not wait for it again
    response = page(503)
    response.headers["Retry-After"] = "30"
    return response


def _unexpected(error: Exception) -> Response:
    log.exception("error.unexpected", error=type(error).__name__, endpoint=request.endpoint)
    return page(500)
