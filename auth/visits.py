"""Visits: a person comes, and comes again after thirty minutes away. Signed in and anonymous are counted apart."""

import re
from datetime import timedelta

from flask import Flask, Response, current_app, g, request
from flask import session as cookie

from portal import db, kpi

_BOTS = re.compile(r"bot|crawl|spider|monitor|curl|wget|python|wrk|probe", re.IGNORECASE)
_VISIT_ENDS_AFTER = timedelta(minutes=30)
_REFRESH_S = 60


def register(app: Flask) -> None:
    app.after_request(_count)


def _count(response: Response) -> Response:
    if not _is_page(response) or _BOTS.search(request.user_agent.string or "bot"):
        return response
    if current_app.config["SETTINGS"].read_only:
        return response
    kind, now = db.current_actor().kind, int(db.now().timestamp())
    last_kind, last_at = cookie.get("visit", ("", 0))
    if kind != last_kind or now - last_at > _VISIT_ENDS_AFTER.total_seconds():
        kpi.count("visit_started", audience=kind, account_id=db.current_actor().account_id)
        cookie["visit"] = (kind, now)
    elif now - last_at > _REFRESH_S:
        cookie["visit"] = (kind, now)
    return response


def _is_page(response: Response) -> bool:
    return bool(
        request.method == "GET"
        and response.status_code == 200
        and response.mimetype == "text/html"
        # What others may keep for everybody brings a cookie to nobody.
        and not response.cache_control.public
        and g.get("unit_open")
    )
