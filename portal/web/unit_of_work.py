"""One request, one transaction: kept when the answer is a success or a redirect, forgotten otherwise."""

from collections.abc import Callable

from flask import Flask, Request, Response, current_app, g, request
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import ServiceUnavailable

from portal import db, reading_only
from portal.config import Settings
from portal.db import ANONYMOUS, Actor

Declare = Callable[[Request, Connection], Actor]
Foresee = Callable[[Request], Actor | None]
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class OnlyReading(ServiceUnavailable):
    """What is asked for would be written down, and the portal only reads for now."""


def register(app: Flask, declare: Declare, foresee: Foresee) -> None:
    """Open a unit of work around each request; `declare` finds out who acts, in the transaction's first statement.
    `foresee` says who acts when the request alone tells it: a page that reads nothing then costs no transaction."""
    app.extensions["parvis.declare"] = declare
    app.extensions["parvis.foresee"] = foresee
    if only_reads(app):  # nothing sent is taken: whoever sends it reads why, rather than that their form is too old
        app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    app.before_request(_open)
    app.after_request(_close)
    app.teardown_request(_forget)


def only_reads(app: Flask) -> bool:
    """Whether this portal was told to write nothing (`PORTAL_READ_ONLY`)."""
    settings: Settings = app.config["SETTINGS"]
    return settings.read_only


def who() -> Actor:
    """Who the page is for; nobody when the database is away (error pages must still show)."""
    if not g.get("unit_open") or g.get("database_away"):
        return ANONYMOUS
    try:
        return db.current_actor()
    except SQLAlchemyError:
        return ANONYMOUS


def _open() -> None:
    declare: Declare = current_app.extensions["parvis.declare"]
    incoming = request._get_current_object()  # type: ignore[attr-defined]  # a proxy, whatever Flask says
    g.read_only_before = reading_only.is_on()
    reading_only.turn(only_reads(current_app))
    foresee: Foresee = current_app.extensions["parvis.foresee"]
    db.open_unit(lambda connection: declare(incoming, connection), foresee(incoming))
    g.unit_open = True
    if reading_only.is_on() and request.method not in SAFE_METHODS:
        raise OnlyReading


def _close(response: Response) -> Response:
    if g.pop("unit_open", False):
        db.close_unit(commit=response.status_code < 400)
    return response


def _forget(_error: BaseException | None) -> None:
    if g.pop("unit_open", False):
        db.close_unit(commit=False)
    reading_only.turn(g.pop("read_only_before", False))
