"""The WSGI application of the demonstration's providers: its own process, the loopback, nobody else.

It is never mounted in the portal, which only knows the providers' addresses. Its pages are in
French only: they stand for sites that are not ours.
"""

import ipaddress
import secrets

from flask import Flask, abort, g, request
from werkzeug.wrappers import Response

from auth.demo_idp.desk import Desk, IdpConfig
from auth.demo_idp.endpoints import AudienceConverter, endpoints
from auth.demo_idp.faults import Faults


def create_idp(config: IdpConfig, faults: Faults | None = None) -> Flask:
    """The application. `faults` is kept by tests, which switch faults on and off while it runs."""
    app = Flask(__name__, static_folder=None)
    # A page of the Internet must not reach us through a name that resolves to 127.0.0.1.
    app.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost"]
    app.extensions["demo_idp"] = Desk(config, faults or Faults())
    app.url_map.converters["audience"] = AudienceConverter
    app.before_request(refuse_strangers)
    app.after_request(set_headers)
    app.context_processor(lambda: {"csp_nonce": csp_nonce()})
    app.register_blueprint(endpoints)
    return app


def refuse_strangers() -> None:
    """Only this very machine may be someone else here."""
    if request.remote_addr is None or not ipaddress.ip_address(request.remote_addr).is_loopback:
        abort(403)


def csp_nonce() -> str:
    """The nonce of this page's one style sheet."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def set_headers(response: Response) -> Response:
    """No cache, no index, no referrer (the URL holds state and nonce), no foreign resource."""
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    # No form-action: choosing a person posts here and is then redirected to the portal.
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{csp_nonce()}'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
    )
    return response
