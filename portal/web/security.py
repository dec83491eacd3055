"""Headers that every page carries, and the cross-site request check."""

import secrets
from typing import Any

from flask import Flask, Request, Response, current_app, g, request, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect
from itsdangerous import BadSignature

csrf = CSRFProtect()
_YEAR_S = 31_536_000
_NONE = "'none'"
_NOT_NEEDED = ("camera", "microphone", "geolocation", "payment", "usb", "display-capture")


def register(app: Flask) -> None:
    csrf.init_app(app)
    app.session_interface = _SignedCookie()
    app.jinja_env.globals |= {"csp_nonce": csp_nonce, "framed": framed}
    app.after_request(_add_headers)


class _SignedCookie(SecureCookieSessionInterface):
    """What is signed is ours, whenever it was: Flask refuses a cookie that another machine wrote, whose clock is a
    second ahead, and the form that goes with it. What may not last says so itself."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """See `SessionInterface`."""
        signed, signer = request.cookies.get(self.get_cookie_name(app)), self.get_signing_serializer(app)
        if not signed or signer is None:
            return self.session_class()
        try:
            return self.session_class(signer.loads(signed))
        except BadSignature:
            return self.session_class()


def csp_nonce() -> str:
    """The nonce that this page's own scripts carry."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def public_url(endpoint: str, **values: Any) -> str:
    """The whole address of a page for those who are elsewhere (calendars, mails): never the Host header's."""
    base: str = current_app.config["SETTINGS"].base_url
    return base + url_for(endpoint, **values)


def cookie_name(name: str) -> str:
    """How a cookie of ours is called. On https its name binds it to this host (`__Host-`): a neighbour of the same
    domain cannot plant one. Such a cookie is for every page (`Path=/`): what it opens is for its pages to say, since
    a path keeps nobody out."""
    return f"__Host-{name}" if current_app.config["SESSION_COOKIE_SECURE"] else name


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
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", ", ".join(f"{each}=()" for each in _NOT_NEEDED))
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
        " object-src 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
