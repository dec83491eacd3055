"""One request, one transaction: kept when the answer is a success or a redirect, forgotten otherwise."""

from collections.abc import Callable

from flask import Flask, Request, Response, current_app, g, request
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import ServiceUnavailable

from portal import db
from portal.db import ANONYMOUS, Actor

Declare = Callable[[Request, Connection], Actor]
Foresee = Callable[[Request], Actor | None]
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def register(app: Flask, declare: Declare, foresee: Foresee) -> None:
    """Open a unit of work around each request; `declare` finds out who acts, in the transaction's first statement.
    `foresee` says who acts when the request alone tells it: a page that reads nothing then costs no transaction."""
    app.extensions["parvis.declare"] = declare
    app.extensions["parvis.foresee"] = foresee
    app.before_request(_open)
    app.after_request(_close)
    app.teardown_request(_forget)


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
    foresee: Foresee = current_app.extensions["parvis.foresee"]
    db.open_unit(lambda connection: declare(incoming, connection), foresee(incoming))
    g.unit_open = True
    if current_app.config["SETTINGS"].read_only and request.method not in _SAFE_METHODS:
        raise ServiceUnavailable


def _close(response: Response) -> Response:
    if g.pop("unit_open", False):
        db.close_unit(commit=response.status_code < 400)
    return response


def _forget(_error: BaseException | None) -> None:
    if g.pop("unit_open", False):
        db.close_unit(commit=False)
