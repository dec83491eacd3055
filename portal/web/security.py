"""Headers that every page carries, and the cross-site request check."""

import secrets
from typing import Any

from flask import Flask, Response, current_app, g, request, url_for
from flask_wtf.csrf import CSRFProtect

csrf = CSRFProtect()
_YEAR_S = 31_536_000
_NONE = "'none'"


def register(app: Flask) -> None:
    csrf.init_app(app)
    app.jinja_env.globals |= {"csp_nonce": csp_nonce, "framed": framed}
    app.after_request(_add_headers)


def csp_nonce() -> str:
    """The nonce that this page's own scripts carry."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def public_url(endpoint: str, **values: Any) -> str:
    """The whole address of a page for those who are elsewhere (calendars, mails): never the Host header's."""
    base: str = current_app.config["SETTINGS"].base_url
    return base + url_for(endpoint, **values)


def form_targets(*origins: str) -> None:
    """Let this page's forms and their redirects lead to other origins (a bank's page, an identity provider)."""
    g.form_targets = origins


def framed(url: str) -> str:
    """The address of a page of ours that this page shows in a frame (`downloads.framed_response`)."""
    g.frames = "'self'"
    return url


def _add_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", _policy())
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    headers.setdefault("Cache-Control", "no-store")
    headers.add("Vary", "Cookie")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", f"max-age={_YEAR_S}; includeSubDomains")
    return response


def _policy() -> str:
    script = f"'self' 'nonce-{g.csp_nonce}'" if "csp_nonce" in g else "'self'"
    targets = " ".join(("'self'", *g.get("form_targets", ())))
    return (
        f"default-src 'none'; script-src {script}; style-src 'self'; img-src 'self' data:; font-src 'self';"
        f" connect-src 'self'; frame-src {g.get('frames', _NONE)}; form-action {targets}; base-uri 'none';"
        " object-src 'none'; frame-ancestors 'none'"
    )
