"""Is it alive, is it ready, what are its numbers."""

from hmac import compare_digest

from flask import Blueprint, abort, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from werkzeug.wrappers import Response

from auth import guards
from portal.db import session

status = guards.public(Blueprint("status", __name__, url_prefix="/status"))
_LOOPBACK = frozenset({"127.0.0.1", "::1"})


@status.get("/live")
def live() -> tuple[dict[str, str], int]:
    return {"status": "alive"}, 200


@status.get("/ready")
def ready() -> tuple[dict[str, str], int]:
    """Ready when the database answers and holds the schema; 503 otherwise (by the error handler)."""
    session.execute(text("select 1 from kpi_watermark"))
    return {"status": "ready"}, 200


@status.get("/metrics")
def metrics() -> Response:
    """Prometheus text format; from loopback, or with the token."""
    token = current_app.config["SETTINGS"].metrics_token.get_secret_value()
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not _is_local() and not (token and compare_digest(token.encode(), given.encode())):
        abort(404)
    return Response(generate_latest(), mimetype=CONTENT_TYPE_LATEST)


def _is_local() -> bool:
    """Whether this machine itself asks. What a proxy on this machine hands on comes from loopback too, and says so."""
    return request.remote_addr in _LOOPBACK and not {"X-Forwarded-For", "Forwarded"} & set(request.headers.keys())
