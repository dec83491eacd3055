"""Each request has a number: on every line that it writes in the log, on its error page, and as its trace."""

from collections.abc import Iterable
from typing import Any, Final

import structlog
from flask import Flask, request

from portal import tracing

_ID: Final = "parvis.request_id"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def register(app: Flask) -> None:
    """Number what passes through the application as it is now."""
    inner = app.wsgi_app

    def numbered(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        asked = environ["REQUEST_METHOD"]
        method = asked if asked in _METHODS else "_OTHER"
        with tracing.span(method, "server", http__request__method=method) as mark:
            environ[_ID] = tracing.request_id()

            def start(line: str, *more: Any) -> Any:
                mark("http.response.status_code", int(line[:3]))
                if line.startswith("5"):
                    mark("error", line[:3])
                return start_response(line, *more)

            environ[_MARK] = mark
            with structlog.contextvars.bound_contextvars(request=environ[_ID]):
                return inner(environ, start)

    app.wsgi_app = numbered  # type: ignore[method-assign]  # as Flask documents it
    app.before_request(_say_route)


_MARK: Final = "parvis.mark"


def _say_route() -> None:
    if request.url_rule is not None and (mark := request.environ.get(_MARK)):
        mark("http.route", request.url_rule.rule)
        tracing.rename(f"{request.method} {request.url_rule.rule}")


def request_id() -> str:
    """The number of this request, 32 hexadecimal digits."""
    return str(request.environ.get(_ID) or tracing.request_id())
