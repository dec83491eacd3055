"""The home page of somebody who is not signed in is the same for everybody: drawn once per language, remembered for a
few seconds. It is the page that thousands open at once when a hospital is in the news."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app, g, request, session
from flask_babel import get_locale

from portal.web.security import csp_nonce
from portal.web.unit_of_work import who

FRESH_S = 10
_NONCE = "the-nonce-of-each-page"


@dataclass(frozen=True)
class _Drawn:
    html: str
    at: float


_remembered: dict[str, _Drawn] = {}


def shown(draw: Callable[[], str]) -> str:
    """The page from memory when it may be, drawn otherwise. Each answer has a nonce of its own."""
    if not _same_for_everybody():
        return draw()
    key, now = str(get_locale()), time.monotonic()
    page = _remembered.get(key)
    if page is None or now - page.at > FRESH_S:
        page = _remembered[key] = _Drawn(_drawn_with_placeholder(draw), now)
    return page.html.replace(_NONCE, csp_nonce())


def _drawn_with_placeholder(draw: Callable[[], str]) -> str:
    g.csp_nonce = _NONCE
    try:
        return draw()
    finally:
        del g.csp_nonce


def _same_for_everybody() -> bool:
    alone = who().kind == "anonymous" and not request.args and "_flashes" not in session
    return alone and current_app.config["PORTAL_ENV"] != "test"
